"""Datasets: what is declared, how much there is of it, and what was loaded of late."""

from typing import Any, Protocol

from chalicelib.core.access import Caller
from chalicelib.core.dataset import Dataset
from chalicelib.core.described import describe
from chalicelib.services.ports import Datasets, Views
from chalicelib.services.visible import visible

_RECENT = 10  # jobs that are shown


class DatasetViews(Protocol):
    """What the database knows of datasets, in the API's shapes."""

    def rows(self, dataset: Dataset) -> dict[str, Any]:
        """How many rows there are: ``count``, and whether it is ``estimated``, as it is where counting takes long."""

    def volumes(self, dataset: str, days: int) -> list[dict[str, Any]]:
        """For each of the last days (UTC), today's last: ``day``, ``files``, ``records`` and ``rejected``."""


class DatasetAnswers:
    """Whoever may not see a dataset is told that there is none."""

    def __init__(self, *, views: DatasetViews, jobs: Views, datasets: Datasets) -> None:
        self._views = views
        self._jobs = jobs
        self._datasets = datasets

    def all(self, caller: Caller) -> list[dict[str, Any]]:
        """All datasets that the caller sees, by name."""
        return [self._summary(dataset) for name, dataset in sorted(self._datasets.items()) if caller.sees(name)]

    def get(self, caller: Caller, name: str) -> dict[str, Any]:
        """One dataset with its descriptor and its newest jobs. Raises RequestRefused: 404."""
        dataset = visible(self._datasets, caller, name)
        jobs = self._jobs.jobs(dataset=name, limit=_RECENT)
        return {**self._summary(dataset), "descriptor": describe(dataset), "jobs": jobs}

    def volumes(self, caller: Caller, name: str, days: int) -> list[dict[str, Any]]:
        """What was loaded on each of the last days. Raises RequestRefused: 404."""
        return self._views.volumes(visible(self._datasets, caller, name).name, days)

    def _summary(self, dataset: Dataset) -> dict[str, Any]:
        here = f"/v1/datasets/{dataset.name}"
        return {
            "name": dataset.name,
            "title": dataset.title,
            "on_conflict": str(dataset.on_conflict),
            "rows": self._views.rows(dataset),
            "links": {"self": here, "records": f"{here}/records", "volumes": f"{here}/volumes"},
        }

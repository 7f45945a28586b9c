"""Changes: the rows that a job was the last to insert or update, in pages."""

from typing import Any
from uuid import UUID

from chalicelib.core.access import Caller
from chalicelib.errors import RequestRefused
from chalicelib.services.ports import Datasets, Views
from chalicelib.services.webhook_ports import Changes

MOST_IDS = 1_000  # in one delivery, and in one page


class ChangedRecords:
    """For whoever was told that there are more of them than a webhook delivers."""

    def __init__(self, *, changes: Changes, views: Views, datasets: Datasets) -> None:
        self._changes = changes
        self._views = views
        self._datasets = datasets

    def page(self, caller: Caller, id: UUID, *, below: int | None, limit: int) -> dict[str, Any]:
        """A page of ids, the highest first. It may be short, or empty, with more to come.

        Raises:
            RequestRefused: 404, there is no such job.
        """
        job = self._views.job(id)
        if job is None or not caller.sees(job["dataset"]):
            raise RequestRefused(404, "not-found", f"there is no job {id}")
        if job["dataset"] not in self._datasets or job["validate_only"]:
            return {"job": str(id), "dataset": job["dataset"], "items": [], "next_cursor": None}
        ids, below = self._changes.ids(id, job["dataset"], below, limit)
        return {"job": str(id), "dataset": job["dataset"], "items": ids, "next_cursor": below}


def next_link(job: UUID, below: int) -> str:
    """Where the rest is asked for."""
    return f"/v1/jobs/{job}/changes?cursor={below}"

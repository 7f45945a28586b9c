"""Whereabouts: why is my file not loaded? An answer for any key."""

from typing import Any

from chalicelib.core.access import Caller
from chalicelib.core.explaining import Told, explain, jobless, misplaced
from chalicelib.core.targets import folder_dataset
from chalicelib.errors import RequestRefused
from chalicelib.services.fetch_ports import InputStore
from chalicelib.services.ports import Datasets, StoredObject, Views

_JOBS = 20  # of a key that are shown, the newest


class Whereabouts:
    """Looks at the object and at its jobs, and changes nothing."""

    def __init__(self, *, views: Views, inputs: InputStore, datasets: Datasets) -> None:
        self._views = views
        self._inputs = inputs
        self._datasets = datasets

    def get(self, caller: Caller, key: str) -> dict[str, Any]:
        """What there is to say of this key, in the API's shape.

        Raises:
            RequestRefused: 404, it is in the folder of a dataset that is not there for them.
        """
        dataset = folder_dataset(key) if key.startswith("input/") else None
        visible = sorted(name for name in self._datasets if caller.sees(name))
        told = misplaced(key, visible)
        if told is not None:
            return _answer(key, None, told, None, None, [])
        if dataset is None or not caller.sees(dataset):
            raise RequestRefused(404, "not-found", "there is no such folder")
        stored = self._inputs.find(key)
        jobs = self._views.jobs(key=key, limit=_JOBS)
        job = next((job for job in jobs if stored is None or _is_of(job, stored)), None)
        if job is None:
            told = jobless(
                key, exists=stored is not None, known=dataset in self._datasets, earlier=len(jobs), datasets=visible
            )
        else:
            told = explain(job, exists=stored is not None)
        return _answer(key, dataset, told, stored, job, jobs)


def _is_of(job: dict[str, Any], stored: StoredObject) -> bool:
    """Whether a job is of this version of its object. One whose object is still being fetched may become one."""
    about = job["object"]
    if stored.version_id is not None:
        return bool(about["version_id"] == stored.version_id)
    return bool(about["etag"] == stored.etag)


def _answer(
    key: str,
    dataset: str | None,
    told: Told,
    stored: StoredObject | None,
    job: dict[str, Any] | None,
    jobs: list[dict[str, Any]],
) -> dict[str, Any]:
    current = None if job is None else job["object"]["version_id"] or job["object"]["etag"]
    return {
        "key": key,
        "dataset": dataset,
        "code": told.code,
        "explanation": told.explanation,
        "advice": told.advice,
        "object": None
        if stored is None
        else {
            "bucket": stored.bucket,
            "key": stored.key,
            "version_id": stored.version_id,
            "etag": stored.etag,
            "size": stored.size,
        },
        "job": job,
        "jobs": jobs,
        "superseded": [
            each["id"] for each in jobs if (each["object"]["version_id"] or each["object"]["etag"]) != current
        ],
    }

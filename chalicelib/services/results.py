"""Results: what a job has written, by links that expire."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chalicelib.core.access import Caller
from chalicelib.core.states import JobState, is_terminal
from chalicelib.errors import RequestRefused
from chalicelib.services.clock import utc_now
from chalicelib.services.fetch_ports import InputStore
from chalicelib.services.finalise import MANIFEST, error_file_of, results_folder
from chalicelib.services.jobs import Jobs
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.ports import Datasets, ObjectStore


class Results:
    """A file that was erased, or expired, is not there."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        ledger: Ledger,
        inputs: InputStore,
        objects: ObjectStore,
        datasets: Datasets,
        link_seconds: int,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self._inputs = inputs
        self._objects = objects
        self._datasets = datasets
        self._link_seconds = link_seconds
        self._clock = clock

    def rejected(self, caller: Caller, id: UUID) -> str:
        """A link to the file of the job's rejected records.

        Raises:
            RequestRefused: 404, there is no such job for them, or no such file; 409, it has not ended.
        """
        job = self._jobs.get(caller, id)
        _refuse_open(job, 409)
        files = self._error_files(job)
        if not files:
            raise RequestRefused(404, "not-found", "the job has no file of rejected records")
        url: str = files[0]["url"]
        return url

    def get(self, caller: Caller, id: UUID) -> dict[str, Any]:
        """What the job has written.

        Raises:
            RequestRefused: 404, there is no such job for them; 425, it has not ended; 409, it failed, for ``reason``,
                or was cancelled.
        """
        job = self._jobs.get(caller, id)
        _refuse_open(job, 425)
        if job["state"] in (JobState.FAILED, JobState.CANCELLED):
            why = f": {job['reason']['message']}" if job["reason"] else ""
            raise RequestRefused(409, job["state"].lower(), f"the job is {job['state']}{why}", reason=job["reason"])
        expires = self._clock() + timedelta(seconds=self._link_seconds)
        return {
            "job": job["id"],
            "state": job["state"],
            "duplicate_of": job["duplicate_of"],
            "counts": job["counts"],
            "output": self._files(job, MANIFEST),
            "error": self._error_files(job),
            "expires_at": expires.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }

    def _error_files(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        held = self._ledger.job(UUID(job["id"]))
        if held is None or not job["counts"]["rejected"]:
            return []
        return self._files(job, error_file_of(held, self._datasets.get(held.dataset)).name)

    def _files(self, job: dict[str, Any], name: str) -> list[dict[str, Any]]:
        held = self._ledger.job(UUID(job["id"]))
        stored = None if held is None else self._inputs.find(results_folder(held, self._datasets) + name)
        if stored is None:
            return []
        url = self._objects.link(stored.key, self._link_seconds)
        return [{"name": name, "key": stored.key, "bytes": stored.size, "url": url}]


def _refuse_open(job: dict[str, Any], status: int) -> None:
    if not is_terminal(JobState(job["state"])):
        message = f"the job is {job['state']}: it has not ended yet"
        raise RequestRefused(status, "not-ended", message, headers={"Retry-After": "2"})

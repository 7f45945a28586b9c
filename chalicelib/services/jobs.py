"""Jobs: what the API shows of them, and waiting for one to change."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from chalicelib.core.access import Caller
from chalicelib.core.states import JobState, is_terminal
from chalicelib.errors import RequestRefused
from chalicelib.services.ports import Views
from chalicelib.services.telemetry import note

_LOOK_EVERY, _RARER, _LOOK_AT_LEAST_EVERY = 0.25, 1.2, 1.0  # seconds between glances while waiting, and how they grow


class Jobs:
    """Read-only views of the ledger, in the API's shapes."""

    def __init__(
        self, *, views: Views, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._views = views
        self._sleep = sleep
        self._clock = clock

    def get(self, caller: Caller, id: UUID, *, wait: int = 0) -> dict[str, Any]:
        """One job; with ``wait`` as soon as it differs from now, has ended, or that many seconds have passed.

        Raises:
            RequestRefused: 404, there is no such job for them.
        """
        if not wait:
            return self._get(caller, id)
        # A glance before the look, so that what changes in between is noticed; then glances alone, which cost little.
        seen = self._views.glance(id)
        job = self._get(caller, id)
        until = self._clock() + wait
        pause = _LOOK_EVERY
        while not is_terminal(JobState(job["state"])) and self._clock() < until:
            self._sleep(pause)
            pause = min(pause * _RARER, _LOOK_AT_LEAST_EVERY)
            if self._views.glance(id) != seen:
                return self._get(caller, id)
        return job

    def page(self, caller: Caller, *, limit: int, **filters: Any) -> dict[str, Any]:
        """A page of jobs, newest first. Filters are exact: dataset, state, key; ``before`` is the cursor."""
        datasets = None if caller.datasets is None else sorted(caller.datasets)
        jobs = self._views.jobs(limit=limit + 1, datasets=datasets, **filters)
        page = jobs[:limit]
        return {"items": page, "next_cursor": page[-1]["id"] if len(jobs) > limit else None}

    def rejections(self, caller: Caller, id: UUID, *, after: tuple[int, int], limit: int) -> dict[str, Any]:
        """The causes of a job's rejections, and a page of the rejected records in file order."""
        job = self._get(caller, id)
        rows = self._views.rejections(id, after, limit + 1)
        page = rows[:limit]
        places = [row.pop("place") for row in page]
        return {
            "job": job["id"],
            "causes": job["causes"],
            "items": page,
            "next_cursor": places[-1] if len(rows) > limit else None,
        }

    def _get(self, caller: Caller, id: UUID) -> dict[str, Any]:
        job = self._views.job(id)
        if job is None or not caller.sees(job["dataset"]):
            raise RequestRefused(404, "not-found", f"there is no job {id}")
        note(job=id, dataset=job["dataset"])
        return job

"""Follows a job from the file that it is about to its end."""

import time
from collections.abc import Callable

from dropload_client.api import ApiClient
from dropload_client.report import ENDED, Job, Meter

APPEAR_TIMEOUT_SECONDS = 60
_LOOK_EVERY_SECONDS = 0.2


def appeared(
    client: ApiClient,
    key: str,
    version_id: str | None,
    etag: str | None = None,
    check: Callable[[], None] = lambda: None,
) -> Job | None:
    """The job of an object that was uploaded, as soon as there is one; None if there is none for a minute.

    ``check`` is called while waiting and may raise. Raises ApiError.
    """
    deadline = time.monotonic() + APPEAR_TIMEOUT_SECONDS
    while (job := client.job_of(key, version_id, etag)) is None:
        check()
        if time.monotonic() > deadline:
            return None
        time.sleep(_LOOK_EVERY_SECONDS)
    return job


def follow(job: Job, client: ApiClient, shown: Meter, check: Callable[[], None] = lambda: None) -> Job:
    """Show a job's progress until it ends; the job as it ended. Raises ApiError."""
    shown.job(job)
    while job["state"] not in ENDED:
        check()
        job = client.changed_job(job["id"])
        shown.job(job)
    return job

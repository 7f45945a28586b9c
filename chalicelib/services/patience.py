"""Patience: whether a job that failed for a passing reason is tried again, and when."""

from chalicelib.core.attempts import Attempts, retry_seconds
from chalicelib.core.dataset import Dataset
from chalicelib.services.ports import Job, Reason

TRANSIENT = "transient"


def most_attempts(job: Job, dataset: Dataset | None, default: int) -> int:
    """How often a job may be tried: as its uploader says, else its dataset, else our settings."""
    declared = None if dataset is None else dataset.max_attempts
    return job.max_attempts or declared or default


def attempts_so_far(job: Job, reason: Reason | None) -> Attempts:
    """What an object says that is written for this job when it ends for this reason."""
    return Attempts(job.attempts + fails_for_now(reason), job.max_attempts)


def fails_for_now(reason: Reason | None) -> bool:
    """Whether a reason may be gone the next time."""
    return reason is not None and reason.kind == TRANSIENT


def patient(job: Job, reason: Reason, most: int) -> tuple[Reason, int | None]:
    """The reason of a job that has failed for a passing one once more, and in how many seconds it is tried again."""
    attempts = job.attempts + 1
    if attempts < most:
        message = f"we could not load this; attempt {attempts} of {most}, and the next one comes by itself"
        return Reason("retrying", message, TRANSIENT), retry_seconds(attempts)
    times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    message = f"transient, exhausted after {times}: we could not load this; our engineers have been told"
    return Reason("exhausted", message, TRANSIENT), None

"""The states of jobs and batches, and which may follow which."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class JobState(StrEnum):
    """Where a job stands: one version of one object, on its way into one dataset."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_FAILURES = "COMPLETED_WITH_FAILURES"
    FAILED = "FAILED"
    DUPLICATE = "DUPLICATE"


class BatchState(StrEnum):
    """Where a batch stands: one byte range of a job's object."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


State = TypeVar("State", JobState, BatchState)

JOB_TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.PENDING: frozenset(
        {JobState.RUNNING, JobState.CANCELLING, JobState.CANCELLED, JobState.FAILED, JobState.DUPLICATE}
    ),
    JobState.RUNNING: frozenset(
        {JobState.CANCELLING, JobState.COMPLETED, JobState.COMPLETED_WITH_FAILURES, JobState.FAILED}
    ),
    JobState.CANCELLING: frozenset({JobState.CANCELLED, JobState.FAILED}),
    JobState.CANCELLED: frozenset(),
    JobState.COMPLETED: frozenset(),
    # A redrive takes up again what failed: the rejected records of one, the batches of the other; or all of a job of
    # which nothing was loaded.
    JobState.COMPLETED_WITH_FAILURES: frozenset({JobState.RUNNING}),
    JobState.FAILED: frozenset({JobState.RUNNING, JobState.PENDING}),
    # The job whose bytes it repeats failed after all.
    JobState.DUPLICATE: frozenset({JobState.PENDING}),
}

BATCH_TRANSITIONS: Mapping[BatchState, frozenset[BatchState]] = {
    # A batch may be booked without ever being seen running: the claim and the outcome are one transaction,
    # and a batch that no worker ever began is buried straight from the dead-letter queue.
    BatchState.PENDING: frozenset({BatchState.RUNNING, BatchState.SUCCEEDED, BatchState.FAILED, BatchState.CANCELLED}),
    # Back to pending: taken back from a worker that died.
    BatchState.RUNNING: frozenset({BatchState.PENDING, BatchState.SUCCEEDED, BatchState.FAILED, BatchState.CANCELLED}),
    BatchState.SUCCEEDED: frozenset(),
    BatchState.FAILED: frozenset({BatchState.PENDING}),
    BatchState.CANCELLED: frozenset(),
}

LOADED = frozenset({JobState.COMPLETED, JobState.COMPLETED_WITH_FAILURES})
"""How a job ends whose good records are loaded."""

_TERMINAL: frozenset[JobState | BatchState] = frozenset(
    {
        JobState.CANCELLED,
        JobState.COMPLETED,
        JobState.COMPLETED_WITH_FAILURES,
        JobState.FAILED,
        JobState.DUPLICATE,
        BatchState.SUCCEEDED,
        BatchState.FAILED,
        BatchState.CANCELLED,
    }
)


def is_terminal(state: JobState | BatchState) -> bool:
    """Tell whether nothing more happens in this state by itself (a redrive may still leave it)."""
    return state in _TERMINAL


def may_become(old: State, new: State) -> bool:
    """Tell whether ``new`` may follow ``old``. Staying is no transition: ``may_become(s, s)`` is false."""
    if isinstance(old, JobState):
        return new in JOB_TRANSITIONS[old]
    return new in BATCH_TRANSITIONS[old]

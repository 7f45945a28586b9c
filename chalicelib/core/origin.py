"""Where a row comes from, in one integer that grows with the job and, within a job, with the batch."""

_BATCH_BITS = 23  # and 40 for the job: a bigint without its sign; sql/merge.sql, docs/operations.md know of it


def origin_of(job: int, batch: int) -> int:
    """Return the origin of a batch's rows."""
    return (job << _BATCH_BITS) | batch


def job_and_batch(origin: int) -> tuple[int, int]:
    """Return the numbers of the job and of its batch."""
    return origin >> _BATCH_BITS, origin & ((1 << _BATCH_BITS) - 1)

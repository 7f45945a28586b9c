"""Records that were not loaded, why, and how often each cause occurs.

Messages never hold a cell's value: they are logged, mailed and shown (invariant I5).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


class RecordError(NamedTuple):
    """One thing wrong with a record. ``column`` is ``None`` where the record as a whole is at fault.

    Codes are Frictionless's: ``type-error``, ``constraint-error``, ``missing-cell``, ``extra-cell``, ``unique-error``,
    ``foreign-key``, ``encoding-error``, ``row-error``.
    """

    column: str | None
    code: str
    message: str


Errors: TypeAlias = tuple[RecordError, ...]
"""All that is wrong with a record or a cell."""


class Rejection(NamedTuple):
    """One record that is not loaded, with all that is wrong with it.

    ``record`` counts from 1 within the batch; ``line`` is the physical line in the file, from 1; ``offset`` and
    ``length`` are the record's bytes in the file, its line end included. ``raw`` is the record without its line end,
    and empty for a record that is too long to be kept. ``corrects`` is the line of the parent's file that it stood on,
    where this one is a correction file.
    """

    record: int
    line: int
    offset: int
    length: int
    raw: bytes
    errors: Errors
    corrects: int | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """How many records have one (code, column) wrong; ``example_line`` is the lowest line that does."""

    code: str
    column: str | None
    count: int
    example_line: int


def too_long(*, record: int, line: int, offset: int, length: int, max_record_bytes: int) -> Rejection:
    """Reject a physical line that is longer than a record may be; its bytes are named, not kept."""
    message = (
        f"longer than {max_record_bytes} bytes, the most that a record may have: "
        f"bytes {offset} to {offset + length - 1} of the file"
    )
    return Rejection(record, line, offset, length, b"", (RecordError(None, "row-error", message),))


def tally(rejections: Iterable[Rejection]) -> tuple[Cause, ...]:
    """Group rejections by what is wrong with them, the most frequent cause first.

    A record with several errors counts once under each distinct (code, column).
    """
    ways: dict[Errors, list[int]] = {}  # to be bad: few, however many records are
    for rejection in rejections:
        counted = ways.get(rejection.errors)
        if counted is None:
            ways[rejection.errors] = [1, rejection.line]
        else:
            counted[0] += 1
            counted[1] = min(counted[1], rejection.line)
    return merge_causes(
        Cause(code, column, count, line)
        for errors, (count, line) in ways.items()
        for code, column in {(error.code, error.column) for error in errors}
    )


def merge_causes(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Add up causes of several batches, the most frequent first, ties by lowest line, then by name."""
    counts: dict[tuple[str, str | None], tuple[int, int]] = {}
    for cause in causes:
        so_far, lowest = counts.get((cause.code, cause.column), (0, cause.example_line))
        counts[cause.code, cause.column] = so_far + cause.count, min(lowest, cause.example_line)
    merged = [Cause(code, column, count, line) for (code, column), (count, line) in counts.items()]
    merged.sort(key=lambda cause: (-cause.count, cause.example_line, cause.code, cause.column or ""))
    return tuple(merged)

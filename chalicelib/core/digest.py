"""One email about many files that ended with failures, and when it goes.

The first failure is told promptly, but not before it is quiet for a moment: a hundred files that fail at once are one
mail. What comes later waits until enough time has passed since that one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.letter import (
    CAUSES,
    KEY_CHARACTERS,
    REASON_CHARACTERS,
    column_name,
    counted,
    file_name,
    page_url,
)
from chalicelib.core.mailtext import Item, Letter, Listing, Paragraph, Places, one_line, written

FILES = 50
"""Listed in a mail; the rest is in the status."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long it must be quiet before a mail goes, and how far mails about the same are apart."""

    settle: timedelta
    window: timedelta


def due(oldest: datetime, newest: datetime, last: datetime | None, pace: Pace) -> datetime:
    """Return when what has come from ``oldest`` to ``newest`` is to be told in one mail; ``last`` was the one before.

    However much goes on coming, nothing waits for longer than the window, nor does it come sooner after ``last``.
    """
    quiet = min(newest + pace.settle, oldest + pace.window)
    return quiet if last is None else max(quiet, last + pace.window)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why records were rejected: ``count`` of them in so many ``files``, first on this ``line`` of the file ``key``."""

    code: str
    column: str | None
    count: int
    files: int
    line: int
    key: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why whole files could not be loaded: so many, and what was said of one of them."""

    code: str
    message: str
    files: int


@dataclass(frozen=True, slots=True)
class Pile:
    """What many jobs of one dataset came to. ``jobs`` are the first of them, as rows of the ledger say them.

    A job has ``id``, ``key``, ``state``, ``read``, ``rejected``, ``validate_only`` and ``code``, its reason's if it
    failed. ``error_files`` is where the error files of the dataset's jobs are.
    """

    dataset: str
    files: int
    failed: int
    read: int
    rejected: int
    causes: Sequence[Cause]
    failures: Sequence[Failure]
    jobs: Sequence[Mapping[str, Any]]
    error_files: str


def compose_pile(pile: Pile, public_url: str) -> Letter:
    """The letter about a pile: causes first, then the files."""
    dataset = one_line(pile.dataset) or "unknown dataset"
    what = [f"{pile.failed:,} failed"] if pile.failed else []
    what += [f"{pile.rejected:,} of {pile.read:,} records rejected"] if pile.rejected else []
    opening = []
    if pile.rejected:
        opening.append(
            f"{counted(pile.rejected, 'record')} rejected in {counted(pile.files, 'file')}, "
            f"{counted(len(pile.causes), 'cause')}."
        )
    if pile.failed:
        opening.append(f"{counted(pile.failed, 'file')} failed, {counted(len(pile.failures), 'cause')}.")
    more = pile.files - len(pile.jobs)
    return written(
        f"[dropload] {dataset}: {counted(pile.files, 'file')}: {', '.join(what)}",
        [
            Paragraph(" ".join(opening), lead=True),
            Listing(causes_of(pile.failures, pile.causes)),
            Listing(
                [
                    *(Item(_told(job), url=page_url(public_url, job["id"])) for job in pile.jobs),
                    *([Item(f"... and {counted(more, 'more file')}")] if more > 0 else []),
                ],
                title="The files:",
            ),
            Places(
                [
                    *([("Rejected", one_line(pile.error_files, KEY_CHARACTERS))] if pile.rejected else []),
                    *([("", "Each file's rejected records, with the reason in front.")] if pile.rejected else []),
                    ("Page", f"{public_url}/#/jobs"),
                ]
            ),
        ],
    )


def causes_of(failures: Sequence[Failure], causes: Sequence[Cause]) -> list[Item]:
    """Why files failed, and then why records did, as items of a list."""
    items = [
        Item(f"{one_line(failure.message, REASON_CHARACTERS)} ({failure.code})", failure.files)
        for failure in failures[:CAUSES]
    ]
    for cause in causes[:CAUSES]:
        spread = f", in {cause.files:,} files" if cause.files > 1 else ""
        at = f"first on line {cause.line} of {file_name(cause.key)}"
        items.append(Item(f"{cause.code} in {column_name(cause.column)}{spread}: {at}", cause.count))
    left = len(failures[CAUSES:]) + len(causes[CAUSES:])
    return [*items, *([Item(f"... and {left} more causes")] if left else [])]


def _told(job: Mapping[str, Any]) -> str:
    name = file_name(job["key"])
    if job["state"] == "FAILED":
        return f"{name}: failed ({job['code']})"
    would = "would be " if job["validate_only"] else ""
    return f"{name}: {job['rejected']:,} of {job['read']:,} records {would}rejected"

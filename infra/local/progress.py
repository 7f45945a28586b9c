"""Shows a job to a person while it runs: a bar on a terminal, plain lines elsewhere; then how it ended."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

Job = dict[str, Any]
"""A job as the API shows it."""

ENDED = ("COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED", "DUPLICATE")
EXIT_CODES = {"COMPLETED": 0, "DUPLICATE": 0, "COMPLETED_WITH_FAILURES": 3}
"""Every other state: 1."""

LINE_EVERY_SECONDS = 2.0
MOST_CAUSES = 5


class Meter(Protocol):
    """What is told how far something got."""

    def upload(self, done: int, total: int) -> None:
        """So many bytes of the file are in S3."""

    def job(self, job: Job) -> None:
        """The job is now so."""


@contextmanager
def meter() -> Iterator[Meter]:
    """A meter for standard output."""
    if not sys.stdout.isatty():
        yield _Lines()
        return
    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f}%"),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[records]}"),
    )
    with Progress(*columns, console=Console()) as progress:
        yield _Bars(progress)


class _Bars:
    """Two bars: the upload, and the load."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._upload = progress.add_task("uploading", total=None, records="")
        self._load = progress.add_task("loading", total=None, records="", start=False)

    def upload(self, done: int, total: int) -> None:
        self._progress.update(self._upload, completed=done, total=total)

    def job(self, job: Job) -> None:
        done, total = _bytes(job)
        self._progress.start_task(self._load)
        # Until it is opened a packed file has its packed size, and a total that was once shown cannot be taken back.
        total = None if job["state"] == "PENDING" else total
        self._progress.update(self._load, completed=done, total=total, records=_records(job))


class _Lines:
    """A line now and then, and always one at the end."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._next = self._started + LINE_EVERY_SECONDS
        self._last = ""

    def upload(self, done: int, total: int) -> None:
        self._say(f"uploading: {decimal(done)} of {decimal(total)}", last=done == total)

    def job(self, job: Job) -> None:
        done, total = _bytes(job)
        size = decimal(done) if total is None else f"{decimal(done)} of {decimal(total)}"
        self._say(f"{job['state']}: {size}, {_records(job)}", last=job["state"] in ENDED)

    def _say(self, line: str, *, last: bool) -> None:
        now = time.monotonic()
        if line != self._last and (last or now >= self._next):
            print(f"{now - self._started:6.1f} s  {line}", flush=True)
            self._next, self._last = now + LINE_EVERY_SECONDS, line


def summary(job: Job) -> str:
    """How a job ended: its counts, its first causes, and whom to ask."""
    counts = job["counts"]
    outcome = ", ".join(
        f"{counts[name]:,} {name}" for name in ("inserted", "updated", "unchanged", "ignored", "rejected")
    )
    would_be = "would be " if job["validate_only"] else ""
    lines = [f"{job['state']}: {counts['read']:,} records: {would_be}{outcome}"]
    if would_be:
        lines.append("  only validated: nothing was loaded")
    if job["reason"]:
        lines.append(f"  because {job['reason']['message']}")
    if job["parent"]:
        lines.append(f"  a correction of job {job['parent']}")
    if job["again_of"]:
        lines.append(f"  the file of job {job['again_of']} once more")
    if job["duplicate_of"]:
        lines.append(f"  the same file was loaded before: job {job['duplicate_of']}")
    for cause in job["causes"][:MOST_CAUSES]:
        where = f" in {cause['column']}" if cause["column"] else ""
        lines.append(f"  {cause['count']:>7,} × {cause['code']}{where}, first in line {cause['example_line']}")
    if len(job["causes"]) > MOST_CAUSES:
        lines.append(f"  and {len(job['causes']) - MOST_CAUSES} more causes")
    lines.append(f"  job {job['id']}, {_seconds(job):.1f} s")
    return "\n".join(lines)


def _seconds(job: Job) -> float:
    ended = datetime.fromisoformat(job["finished_at"])
    return (ended - datetime.fromisoformat(job["created_at"])).total_seconds()


def _bytes(job: Job) -> tuple[int, int | None]:
    """What is loaded, and of how much; None while a packed file is still being unpacked."""
    return job["progress"]["bytes_done"], job["progress"]["bytes_total"]


def _records(job: Job) -> str:
    return f"{job['counts']['read']:,} records, {job['counts']['rejected']:,} rejected"

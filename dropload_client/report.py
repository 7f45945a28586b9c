"""Jobs as a person reads them, and what scripts go by."""

import sys
import time
from datetime import datetime
from typing import Any, Protocol, TextIO

Job = dict[str, Any]
"""A job as the API shows it."""

ENDED = ("COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED", "DUPLICATE")
EXIT_CODES = {"COMPLETED": 0, "DUPLICATE": 0, "COMPLETED_WITH_FAILURES": 3}
"""Every other state: 1."""

LINE_EVERY_SECONDS = 2.0
MOST_CAUSES = 5
_UNITS = ("kB", "MB", "GB", "TB", "PB")


class Meter(Protocol):
    """What is told how far something got."""

    def upload(self, done: int, total: int) -> None:
        """So many bytes of the file are in S3."""

    def job(self, job: Job) -> None:
        """The job is now so."""


class Lines:
    """A line now and then, and always one at the end; on a terminal the same line over and over."""

    def __init__(self, stream: TextIO | None = None, *, over: bool = False) -> None:
        self._stream = stream or sys.stdout
        self._over = over
        self._started = time.monotonic()
        self._next = self._started + (0.1 if over else LINE_EVERY_SECONDS)
        self._last = ""

    def upload(self, done: int, total: int) -> None:
        """See ``Meter``."""
        self._say(f"uploading: {decimal(done)} of {decimal(total)}", last=done == total)

    def job(self, job: Job) -> None:
        """See ``Meter``."""
        done, total = job_bytes(job)
        size = decimal(done) if total is None else f"{decimal(done)} of {decimal(total)}"
        self._say(f"{job['state']}: {size}, {records(job)}", last=job["state"] in ENDED)

    def _say(self, line: str, *, last: bool) -> None:
        now = time.monotonic()
        if line == self._last or not (last or now >= self._next):
            return
        self._next, self._last = now + (0.1 if self._over else LINE_EVERY_SECONDS), line
        text = f"{now - self._started:6.1f} s  {line}"
        print(f"\r\x1b[K{text}" if self._over else text, end="" if self._over and not last else "\n", file=self._stream)
        self._stream.flush()


class Silent:
    """Says nothing."""

    def upload(self, done: int, total: int) -> None:
        """See ``Meter``."""

    def job(self, job: Job) -> None:
        """See ``Meter``."""


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
    lines.append(f"  job {job['id']}{_took(job)}")
    return "\n".join(lines)


def line(job: Job) -> str:
    """A job in one line of a list."""
    return f"{job['created_at'][:19]}  {job['id']}  {job['state']:<23}  {records(job)}  {job['object']['key']}"


def _took(job: Job) -> str:
    if job["finished_at"] is None:
        return ""
    seconds = datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["created_at"])
    return f", {seconds.total_seconds():.1f} s"


def job_bytes(job: Job) -> tuple[int, int | None]:
    """What is loaded, and of how much; None while a packed file is still being unpacked."""
    return job["progress"]["bytes_done"], job["progress"]["bytes_total"]


def records(job: Job) -> str:
    """How many records were read, and how many of them rejected."""
    return f"{job['counts']['read']:,} records, {job['counts']['rejected']:,} rejected"


def decimal(size: int) -> str:
    """Bytes, in units of thousands."""
    if size < 1000:
        return "1 byte" if size == 1 else f"{size:,} bytes"
    power = min((len(str(size)) - 1) // 3, len(_UNITS))
    return f"{size / 1000**power:,.1f} {_UNITS[power - 1]}"

"""Shows a job to a person while it runs: a bar on a terminal, plain lines elsewhere; then how it ended."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from dropload_client.report import ENDED, EXIT_CODES, Job, Lines, Meter, job_bytes, records, summary

__all__ = ["ENDED", "EXIT_CODES", "Job", "Meter", "meter", "summary"]


@contextmanager
def meter() -> Iterator[Meter]:
    """A meter for standard output."""
    if not sys.stdout.isatty():
        yield Lines()
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
        done, total = job_bytes(job)
        self._progress.start_task(self._load)
        # Until it is opened a packed file has its packed size, and a total that was once shown cannot be taken back.
        total = None if job["state"] == "PENDING" else total
        self._progress.update(self._load, completed=done, total=total, records=records(job))

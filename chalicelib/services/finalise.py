"""Finalise: a job that has all its batches gets its error file, its receipt, its last state and its notice."""

import json
from collections.abc import Iterable, Iterator
from uuid import UUID

from chalicelib.core.dataset import Dataset
from chalicelib.core.error_file import ErrorFile, error_file
from chalicelib.core.states import JobState
from chalicelib.services.ports import (
    Datasets,
    Ending,
    FinalTransaction,
    Job,
    Ledger,
    ObjectStore,
    Queues,
    Reason,
    RejectedRecord,
)

MANIFEST = "manifest.json"


class Finalise:
    """Exactly one finaliser a job: it holds the job's row, and the files stand before the state says so.

    Killed anywhere, the next delivery does it again: the files come out the same, byte for byte.
    """

    def __init__(self, *, ledger: Ledger, objects: ObjectStore, queues: Queues, datasets: Datasets) -> None:
        self._ledger = ledger
        self._objects = objects
        self._queues = queues
        self._datasets = datasets

    def run(self, id: UUID) -> None:
        """Finish the job if it has all its batches and has not ended; see that its notice gets sent."""
        with self._ledger.finalising(id) as final:
            if final is not None:
                self._finish(final)
        if self._ledger.unsent(id):
            self._queues.send_notify()

    def _finish(self, final: FinalTransaction) -> None:
        ending = final.ending
        prefix = self._prefix(ending.job)
        if ending.counts["rejected"]:
            file = error_file_of(ending.job, self._datasets.get(ending.job.dataset))
            self._objects.write(prefix + file.name, written(file, final.rejections()), file.content_type)
        state, reason = outcome(ending)
        receipt = {"state": state, "reason": reason and reason.as_json(), **final.receipt()}
        body = json.dumps(receipt, indent=1, ensure_ascii=False).encode()
        self._objects.write(prefix + MANIFEST, [body], "application/json")
        final.end(state, reason, self._audiences(ending, state, reason))

    def _prefix(self, job: Job) -> str:
        """Where a job's files go. A folder that is no dataset's may have any name, and as long a one as keys can be."""
        return f"error/{job.dataset if job.dataset in self._datasets else '_'}/job={job.id}/"

    def _audiences(self, ending: Ending, state: JobState, reason: Reason | None) -> list[str]:
        """Who is told: nobody of success, owners of what is wrong with the file, engineers of what is wrong with us."""
        if state not in (JobState.FAILED, JobState.COMPLETED_WITH_FAILURES):
            return []
        dataset = self._datasets.get(ending.job.dataset)
        ours = reason is not None and reason.kind != "file"
        return ["engineers" if ours or dataset is None or not dataset.owners else "owners"]


def error_file_of(job: Job, dataset: Dataset | None) -> ErrorFile:
    """How the error file of a job is written."""
    return error_file(job.format, job.container, job.columns or (), dataset, job.delimiter)


def written(file: ErrorFile, rejections: Iterable[RejectedRecord]) -> Iterator[bytes]:
    """An error file with these records."""
    yield file.start()
    for rejected in rejections:
        yield file.row(rejected.line, rejected.record, rejected.errors, rejected.raw)


def outcome(ending: Ending) -> tuple[JobState, Reason | None]:
    """The state in which a job with these books ends, and why if it failed."""
    if ending.cancelling:
        return JobState.CANCELLED, None
    if ending.reason is not None:
        return JobState.FAILED, ending.reason
    if ending.counts["rejected"]:
        return JobState.COMPLETED_WITH_FAILURES, None
    return JobState.COMPLETED, None

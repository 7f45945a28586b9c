"""Finalise: a job that has all its batches gets its error file, its receipt, its last state and its notice."""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from chalicelib.core.attempts import attempts_metadata
from chalicelib.core.dataset import Dataset
from chalicelib.core.error_file import ErrorFile, error_file
from chalicelib.core.news import news_of
from chalicelib.core.schema import AfterLoad, Tell
from chalicelib.core.states import LOADED, JobState
from chalicelib.errors import Contended
from chalicelib.services.attention import give_up_if_unwanted
from chalicelib.services.bulk import Bulk, awaits_keys
from chalicelib.services.gather import Gather
from chalicelib.services.ledger_ports import FinalTransaction, Ledger
from chalicelib.services.limits import over_limit
from chalicelib.services.metrics import COUNTED, ENDED, Metric
from chalicelib.services.patience import attempts_so_far, fails_for_now, most_attempts, patient
from chalicelib.services.ports import Datasets, Ending, Job, ObjectStore, Queues, Reason, RejectedRecord, Remaining
from chalicelib.services.publish import Publish, awaits_replay
from chalicelib.services.replace import settle
from chalicelib.services.telemetry import SILENT, Meter, current
from chalicelib.services.tidy import Tidy

MANIFEST = "manifest.json"
_ANOTHER = 450.0  # seconds that must be left for the next of many transactions that bring a job to its end


class _Ended(NamedTuple):
    """How a job has ended, and its seconds from its file's announcement on."""

    state: JobState
    reason: Reason | None
    seconds: float


class Finalise:
    """Exactly one finaliser a job: it holds the job's row, and the files stand before the state says so.

    Killed anywhere, the next delivery does it again: the files come out the same, byte for byte, but for what the
    manifest says of time.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        objects: ObjectStore,
        queues: Queues,
        datasets: Datasets,
        publish: Publish,
        bulk: Bulk,
        gather: Gather,
        tidy: Tidy,
        max_attempts: int,
        meter: Meter = SILENT,
    ) -> None:
        self._max_attempts = max_attempts
        self._meter = meter
        self._publish = publish
        self._bulk = bulk
        self._gather = gather
        self._ledger = ledger
        self._objects = objects
        self._queues = queues
        self._datasets = datasets
        self._tidy = tidy

    def run(self, id: UUID, remaining: Remaining | None = None, *, gave_up: Reason | None = None) -> None:
        """Finish the job if it has all its batches and has not ended; see that its notice gets sent.

        A replay, a merge, or reading again what shares keys, takes a loader's memory and time: who has no seconds
        ``remaining`` for it hands it on to one. With ``gave_up`` none is tried any more, and a job that waits for one
        fails for this reason. The job's object is put away after the commit only.
        """
        while not self._tried(id, remaining, gave_up):
            if remaining is None or remaining() < _ANOTHER:
                self._queues.send_batches(id, [0])  # it is loaded, so that all there is to do is to finish its job
                break
        if self._ledger.unsent(id):
            self._queues.send_notify()
        if self._ledger.untold(id):
            self._queues.send_webhooks()
        self._tidy.run(id)

    def abandon(self, id: UUID, reason: Reason) -> None:
        """End a job as FAILED that has all its batches, and can be finished in no other way; without its files."""
        with self._ledger.finalising(id) as final:
            if final is not None:
                if final.has_gathered():
                    final.disown()
                final.end(JobState.FAILED, reason, ["engineers"])
                changed = final.ending.counts["inserted"] + final.ending.counts["updated"]
                final.tell(news_of(JobState.FAILED, changed, validate_only=final.ending.job.validate_only))
        if self._ledger.unsent(id):
            self._queues.send_notify()
        if self._ledger.untold(id):
            self._queues.send_webhooks()

    def _tried(self, id: UUID, remaining: Remaining | None, gave_up: Reason | None) -> bool:
        try:
            return self._try(id, remaining, gave_up, alone=False)
        except Contended:
            return self._try(id, remaining, gave_up, alone=True)

    def _try(self, id: UUID, remaining: Remaining | None, gave_up: Reason | None, *, alone: bool) -> bool:
        """False where more is to be done to finish the job, in another transaction or by somebody else."""
        ended: tuple[Ending, Ending, _Ended] | None = None
        with self._ledger.finalising(id) as final:
            if final is not None:
                found = final.ending
                failure = None
                dataset = self._datasets.get(final.ending.job.dataset)
                replay = awaits_replay(final.ending, dataset)
                if replay or awaits_keys(final.ending, dataset):
                    if gave_up is not None:
                        failure = gave_up
                    elif remaining is None:
                        return False
                    elif replay:
                        failure = self._publish.run(final, remaining, alone=alone)
                    else:
                        failure = self._bulk.run(final)
                elif final.ending.cancelling and final.has_gathered():
                    final.drop_gathered()
                elif final.has_gathered():
                    settled, failure = self._gather.run(final, remaining, gave_up, alone=alone)
                    if not settled:
                        return False
                if replay or final.ending.job.replaces or final.ending.job.gathers:
                    give_up_if_unwanted(final)
                how = self._finish(final, failure)
                ended = found, final.ending, how
        if ended is not None:
            self._report(*ended)
        return True

    def _report(self, found: Ending, end: Ending, how: _Ended) -> None:
        """Batches have told of their records as they booked them; what the finaliser has booked otherwise comes on top.

        So the sums of a dataset's metrics are those of its books.
        """
        changed = {name: end.counts[name] - found.counts[name] for name in COUNTED}
        metrics: dict[Metric, float] = {COUNTED[name]: more for name, more in changed.items() if more}
        metrics |= {ENDED[how.state]: 1, Metric.JOB_SECONDS: how.seconds}
        why = {} if how.reason is None else {"reason": how.reason.code, "class": how.reason.kind}
        self._meter.report(
            "job ended",
            metrics,
            dataset=end.job.dataset,
            job=end.job.id,
            key=end.job.object.key,
            state=how.state,
            **why,
        )

    def _finish(self, final: FinalTransaction, failure: Reason | None) -> _Ended:
        job = final.ending.job
        dataset = self._datasets.get(job.dataset)
        if final.ending.counts["rejected"]:
            file = error_file_of(job, dataset)
            tried = attempts_metadata(attempts_so_far(job, final.ending.reason or failure))
            self._objects.write(
                self._prefix(job) + file.name, written(file, final.rejections()), file.content_type, tried
            )
        state, reason = outcome(final.ending, dataset, failure)
        replaces = False
        if job.replaces:
            atomic = dataset is not None and dataset.atomic
            state, reason, replaces = settle(final, state, reason, atomic=atomic)
        again = None
        if reason is not None and fails_for_now(reason):
            reason, again = patient(job, reason, most_attempts(job, dataset, self._max_attempts))
            final.count_attempt(again)
        seconds = self._write_receipt(final, state, reason)
        if replaces:  # last, since readers may wait from then on
            give_up_if_unwanted(final)
            reason = final.replace_table()
            if reason is not None:
                state = JobState.FAILED
                final.discard()
                seconds = self._write_receipt(final, state, reason)
        after_load = AfterLoad.KEEP if dataset is None or job.validate_only else dataset.after_load
        if state in LOADED and after_load is not AfterLoad.KEEP:
            final.after_load(after_load)
        final.end(state, reason, [] if again is not None else self._audiences(final.ending, state, reason))
        if again is None:  # else its end is still to come
            changed = final.ending.counts["inserted"] + final.ending.counts["updated"]
            final.tell(news_of(state, changed, validate_only=job.validate_only))
        return _Ended(state, reason, seconds)

    def _write_receipt(self, final: FinalTransaction, state: JobState, reason: Reason | None) -> float:
        """Write the manifest; the job's seconds so far."""
        worked = current().book("finalise")
        receipt = {"state": state, "reason": reason and reason.as_json(), **final.receipt(worked)}
        body = json.dumps(receipt, indent=1, ensure_ascii=False).encode()
        tried = attempts_metadata(attempts_so_far(final.ending.job, reason))
        self._objects.write(self._prefix(final.ending.job) + MANIFEST, [body], "application/json", tried)
        seconds: float = receipt["receipt"]["wall_seconds"]
        return seconds

    def _prefix(self, job: Job) -> str:
        return results_folder(job, self._datasets)

    def _audiences(self, ending: Ending, state: JobState, reason: Reason | None) -> list[str]:
        """Who is told: nobody of success, owners of what is wrong with the file, engineers of what is wrong with us."""
        if state not in (JobState.FAILED, JobState.COMPLETED_WITH_FAILURES):
            return []
        dataset = self._datasets.get(ending.job.dataset)
        ours = reason is not None and reason.kind != "file"
        if ours or dataset is None or not dataset.owners:
            return ["engineers"]
        return ["owners"] if dataset.notify in (Tell.ALL, Tell.FAILURES) else []


def results_folder(job: Job, datasets: Datasets) -> str:
    """Where a job's files go. A folder that is no dataset's may have any name, and as long a one as keys can be."""
    return f"error/{job.dataset if job.dataset in datasets else '_'}/job={job.id}/"


def error_file_of(job: Job, dataset: Dataset | None) -> ErrorFile:
    """How the error file of a job is written."""
    return error_file(job.format, job.container, job.columns or (), dataset, job.delimiter)


def written(file: ErrorFile, rejections: Iterable[RejectedRecord]) -> Iterator[bytes]:
    """An error file with these records."""
    yield file.start()
    for rejected in rejections:
        yield file.row(rejected.line, rejected.record, rejected.errors, rejected.raw)


def outcome(ending: Ending, dataset: Dataset | None, failure: Reason | None) -> tuple[JobState, Reason | None]:
    """The state in which a job with these books ends, and why if it failed; ``failure`` is its replay's."""
    if ending.cancelling:
        return JobState.CANCELLED, None
    read, rejected = ending.counts["read"], ending.counts["rejected"]
    reason = ending.reason or failure
    if reason is None and dataset is not None:
        reason = over_limit(dataset, read, rejected, whole=True)
    if reason is None and ending.job.atomic and rejected:
        message = f"{rejected:,} of {read:,} records were rejected, so nothing of the file was loaded"
        reason = Reason("atomic", message, "file")
    if reason is not None:
        return JobState.FAILED, reason
    return JobState.COMPLETED_WITH_FAILURES if rejected else JobState.COMPLETED, None

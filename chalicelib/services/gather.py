"""Gather: a large file whose records are added up (``on_conflict: sum``) meets the table once, when its job ends."""

from chalicelib.core.containers import Found
from chalicelib.core.dataset import Dataset
from chalicelib.core.header import Layout
from chalicelib.core.schema import OnConflict
from chalicelib.errors import FileRefused
from chalicelib.services.ledger_ports import FinalTransaction, Replay
from chalicelib.services.ports import Datasets, Job, Reason, Remaining
from chalicelib.services.reads import Reads, count_records, refused_records

_MOST_BYTES = 4 << 30  # of a file whose merge surely fits into one invocation
_PACKED = 8  # times that many bytes a packed file has, as a rule; more do no harm
_SPARE = 60.0  # seconds for the error file and the receipt
_LEAST_SECONDS = 300.0  # of a merge; who has fewer leaves it to another one
_MOST_SECONDS = 840.0


def may_gather(dataset: Dataset, layout: Layout, job: Job, found: Found) -> bool:
    """Whether a job's rows wait for its end: where it has more than a batch, and nothing but the table may refuse them.

    Mended records of an earlier file are told of as loaded by the batch that loads them, so these never wait.
    """
    if dataset.on_conflict is not OnConflict.SUM or dataset.foreign_keys or layout.labels is not None or job.held_back:
        return False
    if found.staged:
        return job.object.size <= _MOST_BYTES // _PACKED
    return job.batch_bytes < job.object.size <= _MOST_BYTES


class Gather:
    """Brings what a job has gathered into its table: at once, or batch by batch where the database refuses that."""

    def __init__(self, *, reads: Reads, datasets: Datasets) -> None:
        self._reads = reads
        self._datasets = datasets

    def run(
        self, final: FinalTransaction, remaining: Remaining | None, gave_up: Reason | None, *, alone: bool
    ) -> tuple[bool, Reason | None]:
        """Whether nothing waits any more, and why the job fails if some of it cannot be loaded.

        False where there is more to do, in a transaction of its own: then this one is to be committed. Who has few
        seconds ``remaining``, or none, leaves it to another one. With ``gave_up`` what has failed so far is not tried
        again. With ``alone`` nobody else writes to the table meanwhile.

        Raises:
            Contended: other writers were in the way; alone, nobody would be.
            Terminal: a fault of ours, as in ``Load``.
        """
        seconds = 0.0 if remaining is None else min(remaining() - _SPARE, _MOST_SECONDS)
        if gave_up is None and seconds < _LEAST_SECONDS:
            return False, None
        job = final.ending.job
        if job.gathers:
            dataset = self._datasets.get(job.dataset)
            adds = dataset is not None and dataset.on_conflict is OnConflict.SUM
            if gave_up is None and dataset is not None and adds and final.merge(dataset, seconds, alone=alone):
                return True, None
            final.scatter()
            return False, None
        if gave_up is None:
            with final.replaying() as replay:
                try:
                    return self._place_one(replay, job, alone=alone), None
                except FileRefused as refused:  # deleted or overwritten since it was checked
                    gave_up = Reason(refused.code, refused.message, "file")
        final.disown()
        return True, gave_up

    def _place_one(self, replay: Replay, job: Job, *, alone: bool) -> bool:
        """Place the first batch that waits, as a loader does; whether it was the last."""
        batches = list(replay.batches)
        if not batches:
            return True
        read = self._reads.read(batches[0])
        if alone:
            replay.lock_table(read.dataset)
        placed = replay.place(batches[0], *read)
        replay.refuse(batches[0], refused_records(read.parsed, placed))
        replay.keep()
        replay.book({batches[0].number: count_records(read.parsed, placed)})
        return len(batches) == 1

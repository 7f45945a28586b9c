"""Load: one batch's bytes become rows, rejections and books, in one transaction."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from chalicelib.core.claims import NO_FACTS, KeyFacts, key_facts
from chalicelib.core.schema import OnConflict
from chalicelib.errors import Contended, FileRefused, Transient
from chalicelib.services.finalise import Finalise
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.limits import over_limit
from chalicelib.services.metrics import COUNTED, PHASES, Metric
from chalicelib.services.ports import Batch, Placed, Reason, Remaining
from chalicelib.services.reads import Read, Reads, count_records, refused_records, resolved_lines
from chalicelib.services.telemetry import SILENT, Meter, current, note
from chalicelib.services.trouble import noting

_TRIES = 5  # of a transaction that PostgreSQL gave up for another one; the work before it is not repeated
_REPLAY = 600.0  # seconds that must be left for a replay to begin in an invocation that has loaded a batch


class Load:
    """Whatever is delivered twice, killed or late: a batch is booked once, with its rows, or not at all."""

    def __init__(self, *, ledger: Ledger, reads: Reads, finalise: Finalise, meter: Meter = SILENT) -> None:
        self._meter = meter
        self._ledger = ledger
        self._reads = reads
        self._finalise = finalise

    def run(self, id: UUID, number: int, remaining: Remaining) -> None:
        """Load batch ``number`` of a job, unless that is done or no longer wanted; finish the job after its last.

        Raises:
            Transient: try again later.
            Terminal: a fault of ours; the queue tries again and the dead-letter handler books it.
        """
        with noting(self._ledger, id, number):
            self._run(id, number, remaining)

    def _run(self, id: UUID, number: int, remaining: Remaining) -> None:
        batch = self._ledger.begin(id, number)
        last = True
        if batch is not None:
            note(dataset=batch.job.dataset)
            try:
                last = self._load(batch)
            except FileRefused as refused:  # deleted or overwritten since it was announced
                self._ledger.worked(batch.job, current().book(), number)
                self._ledger.fail(id, number, Reason(refused.code, refused.message, "file"))
                self._meter.report("batch failed", {Metric.BATCHES_FAILED: 1}, dataset=batch.job.dataset)
            except Exception:
                with suppress(Transient):  # it is on the receipt, if the database answers
                    self._ledger.worked(batch.job, current().book(), number)
                raise
        if last:
            self._finalise.run(id, remaining if batch is None or remaining() >= _REPLAY else None)

    def _load(self, batch: Batch) -> bool:
        work = current()
        work.lap(None)
        read = self._reads.read(batch)
        work.lap("parse")
        facts = NO_FACTS if batch.job.held_back or batch.job.replaces else _facts(read)
        for attempt in range(1, _TRIES + 1):
            try:
                return self._commit(batch, read, facts)
            except Contended:
                if attempt == _TRIES:
                    raise
        raise AssertionError("unreachable")

    def _commit(self, batch: Batch, read: Read, facts: KeyFacts) -> bool:
        dataset, _, parsed = read

        def judge(records: int, rejected: int) -> Reason | None:
            return over_limit(dataset, records, rejected, whole=False)

        work = current()
        if facts.told:
            self._ledger.claim(batch, facts)
            work.lap("claim")
        with self._ledger.loading(batch, facts) as transaction:
            if transaction is None:
                return True  # another delivery of the same message was quicker
            # Held back, an accepted record is fine but not loaded; the replay has the last word on it.
            held_back = batch.job.held_back
            placed = Placed(ignored=parsed.accepted) if held_back else transaction.place(*read)
            work.lap("place")
            rejections = parsed.rejections.merged(refused_records(parsed, placed))
            counts = count_records(parsed, placed)
            last = transaction.book(counts, rejections, judge, worked=work.book())
            if not held_back:
                transaction.resolve(resolved_lines(parsed, placed))
        work.lap("book")
        self._report(batch, counts, work.phases)
        return last

    def _report(self, batch: Batch, counts: Mapping[str, int], phases: Mapping[str, float]) -> None:
        metrics: dict[Metric, float] = {COUNTED[name]: count for name, count in counts.items()}
        metrics |= {PHASES[name]: round(seconds, 6) for name, seconds in phases.items()}
        metrics |= {Metric.BATCHES_LOADED: 1, Metric.BYTES_LOADED: batch.cut.end - batch.cut.start}
        self._meter.report("batch loaded", metrics, dataset=batch.job.dataset)


def _facts(read: Read) -> KeyFacts:
    """Of the keys for which batches would wait for each other."""
    dataset, reader, parsed = read
    if dataset.on_conflict is OnConflict.SUM:
        return NO_FACTS
    return key_facts(filter(reader.has, dataset.unique_keys), parsed.keys)

"""Load: one batch's bytes become rows, rejections and books, in one transaction."""

from uuid import UUID

from chalicelib.config import Settings
from chalicelib.core.claims import fingerprints
from chalicelib.core.reader import Parsed, Reader, compile_reader
from chalicelib.core.rejection import Rejection
from chalicelib.core.schema import OnConflict
from chalicelib.errors import Contended, FileRefused, Terminal
from chalicelib.services.finalise import Finalise
from chalicelib.services.ports import Batch, Datasets, Ledger, ObjectStore, Placed, Prints, Reason

_TRIES = 5  # of a transaction that PostgreSQL gave up for another one; the work before it is not repeated


class Load:
    """Whatever is delivered twice, killed or late: a batch is booked once, with its rows, or not at all."""

    def __init__(
        self, *, ledger: Ledger, objects: ObjectStore, datasets: Datasets, settings: Settings, finalise: Finalise
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._datasets = datasets
        self._settings = settings
        self._finalise = finalise

    def run(self, id: UUID, number: int) -> None:
        """Load batch ``number`` of a job, unless that is done or no longer wanted; finish the job after its last.

        Raises:
            Transient: try again later.
            Terminal: a fault of ours; the queue tries again and the dead-letter handler books it.
        """
        batch = self._ledger.begin(id, number)
        last = True
        if batch is not None:
            try:
                last = self._load(batch)
            except FileRefused as refused:  # deleted or overwritten since it was announced
                self._ledger.fail(id, number, Reason(refused.code, refused.message, "file"))
        if last:
            self._finalise.run(id)

    def _load(self, batch: Batch) -> bool:
        reader = self._reader(batch)
        if batch.cut.oversize:
            parsed = reader.oversize(batch.cut)
        else:
            data = self._objects.read(batch.job.object, batch.cut.start, batch.cut.end)
            parsed = reader.read(data, offset=batch.cut.start, first_line=batch.cut.first_line)
        prints = self._fingerprints(batch, reader, parsed)
        for attempt in range(1, _TRIES + 1):
            try:
                return self._commit(batch, reader, parsed, prints)
            except Contended:
                if attempt == _TRIES:
                    raise
        raise AssertionError("unreachable")

    def _fingerprints(self, batch: Batch, reader: Reader, parsed: Parsed) -> Prints:
        """Of the keys for which batches wait for each other."""
        dataset = self._datasets[batch.job.dataset]
        if dataset.on_conflict not in (OnConflict.REJECT, OnConflict.IGNORE):
            return {}
        return {key: fingerprints(parsed.keys(key)) for key in dataset.unique_keys if reader.has(key)}

    def _commit(self, batch: Batch, reader: Reader, parsed: Parsed, prints: Prints) -> bool:
        dataset = self._datasets[batch.job.dataset].delimited_by(batch.job.delimiter)
        if prints:
            self._ledger.claim(batch, prints)
        with self._ledger.loading(batch, prints) as transaction:
            if transaction is None:
                return True  # another delivery of the same message was quicker
            placed = transaction.place(dataset, reader, parsed)
            counts, rejections = _books(parsed, placed)
            return transaction.book(counts, rejections)

    def _reader(self, batch: Batch) -> Reader:
        dataset = self._datasets.get(batch.job.dataset)
        if dataset is None or batch.job.columns is None:
            raise Terminal("unknown-dataset", f"this version has no dataset {batch.job.dataset}")
        dataset = dataset.delimited_by(batch.job.delimiter)
        return compile_reader(dataset, batch.job.columns, self._settings.max_record_bytes)


def _books(parsed: Parsed, placed: Placed) -> tuple[dict[str, int], list[Rejection]]:
    """The batch's counts and all its rejections in file order.

    Raises:
        Terminal: the counts do not add up to the records read (invariant I1).
    """
    refused = {row: refusal for row, refusal in placed.refusals.items() if not refusal.ignored}
    rejections = [*parsed.rejections, *(parsed.reject(row, refusal.errors) for row, refusal in refused.items())]
    rejections.sort(key=lambda rejection: rejection.record)
    counts = {
        "read": parsed.records,
        "inserted": placed.inserted,
        "updated": placed.updated,
        "unchanged": placed.unchanged,
        "ignored": placed.ignored + len(placed.refusals) - len(refused),
        "rejected": len(rejections),
    }
    if counts["read"] != sum(counts.values()) - counts["read"]:
        raise Terminal("unbalanced", f"the books of the batch do not balance: {counts}")
    return counts, rejections

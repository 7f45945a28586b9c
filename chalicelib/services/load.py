"""Load: one batch's bytes become rows, rejections and books, in one transaction."""

from uuid import UUID

from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import Rejection
from chalicelib.errors import Contended, FileRefused, Terminal
from chalicelib.services.finalise import Finalise
from chalicelib.services.ports import Batch, Datasets, Ledger, ObjectStore, Placed, Reason
from chalicelib.services.reading import dataset_of, read_batch

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
        dataset = dataset_of(batch.job, self._datasets)
        reader, parsed = read_batch(batch, dataset, self._objects, max_record_bytes=self._settings.max_record_bytes)
        for attempt in range(1, _TRIES + 1):
            try:
                return self._commit(batch, dataset, reader, parsed)
            except Contended:
                if attempt == _TRIES:
                    raise
        raise AssertionError("unreachable")

    def _commit(self, batch: Batch, dataset: Dataset, reader: Reader, parsed: Parsed) -> bool:
        with self._ledger.loading(batch) as transaction:
            if transaction is None:
                return True  # another delivery of the same message was quicker
            placed = transaction.place(dataset, reader, parsed)
            counts, rejections = _books(parsed, placed)
            last = transaction.book(counts, rejections)
            transaction.resolve(_resolved(parsed, placed))
            return last


def _resolved(parsed: Parsed, placed: Placed) -> list[int]:
    """The lines of the parent's file whose records are loaded now.

    A record that a later batch has outdone is as good as loaded; one that ``on_conflict: ignore`` passed over is not.
    """
    if not parsed.corrects:
        return []
    rows = (row for row in range(parsed.fast_rows + len(parsed.slow)) if row not in placed.refusals)
    lines = (parsed.corrects.get(parsed.where(row).record) for row in rows)
    return [line for line in lines if line is not None]


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

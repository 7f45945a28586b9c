"""Reads: a batch's bytes, checked by its dataset's rules; the same for whoever places or replays them."""

from typing import NamedTuple

from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset
from chalicelib.core.reader import Parsed, Reader, compile_reader
from chalicelib.core.rejection import Rejection
from chalicelib.errors import Terminal
from chalicelib.services.ports import Batch, Datasets, Job, ObjectStore, Placed


class Read(NamedTuple):
    """A batch as it was read: what ``place`` needs of it."""

    dataset: Dataset
    reader: Reader
    parsed: Parsed


class Reads:
    """Memory is a few times the batch's size."""

    def __init__(self, *, objects: ObjectStore, datasets: Datasets, settings: Settings) -> None:
        self._objects = objects
        self._datasets = datasets
        self._settings = settings

    def read(self, batch: Batch) -> Read:
        """Fetch and check a batch.

        Raises:
            FileRefused: the object was deleted or overwritten since it was announced.
            Terminal: its dataset is gone.
        """
        dataset = self.dataset(batch.job)
        if batch.job.columns is None:
            raise Terminal("no-header", "a batch of a file whose header was not read")
        reader = compile_reader(dataset, batch.job.columns, self._settings.max_record_bytes)
        if batch.cut.oversize:
            return Read(dataset, reader, reader.oversize(batch.cut))
        data = self._objects.read(batch.job.object, batch.cut.start, batch.cut.end)
        return Read(dataset, reader, reader.read(data, offset=batch.cut.start, first_line=batch.cut.first_line))

    def dataset(self, job: Job) -> Dataset:
        """The dataset of a job, in the dialect of its file. Raises Terminal where this version has none."""
        dataset = self._datasets.get(job.dataset)
        if dataset is None:
            raise Terminal("unknown-dataset", f"this version has no dataset {job.dataset}")
        return dataset.delimited_by(job.delimiter)


def refused_records(parsed: Parsed, placed: Placed) -> list[Rejection]:
    """The accepted records that the table did not take after all."""
    return [parsed.reject(row, refusal.errors) for row, refusal in placed.refusals.items() if not refusal.ignored]


def count_records(parsed: Parsed, placed: Placed) -> dict[str, int]:
    """What became of a batch's records.

    Raises:
        Terminal: the counts do not add up to the records read (invariant I1).
    """
    refused = sum(not refusal.ignored for refusal in placed.refusals.values())
    counts = {
        "read": parsed.records,
        "inserted": placed.inserted,
        "updated": placed.updated,
        "unchanged": placed.unchanged,
        "ignored": placed.ignored + len(placed.refusals) - refused,
        "rejected": len(parsed.rejections) + refused,
    }
    if counts["read"] != sum(counts.values()) - counts["read"]:
        raise Terminal("unbalanced", f"the books of the batch do not balance: {counts}")
    return counts

"""Reads: a batch's bytes, checked by its dataset's rules; the same for whoever places or replays them."""

from typing import NamedTuple

from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import Rejection
from chalicelib.errors import Terminal
from chalicelib.services.ports import Batch, Datasets, Job, ObjectStore, Placed
from chalicelib.services.reading import dataset_of, read_batch


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
        limit = self._settings.max_record_bytes
        return Read(dataset, *read_batch(batch, dataset, self._objects, max_record_bytes=limit))

    def dataset(self, job: Job) -> Dataset:
        """The dataset as a batch of this job is read by it. Raises Terminal where this version has none."""
        return dataset_of(job, self._datasets)


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


def resolved_lines(parsed: Parsed, placed: Placed) -> list[int]:
    """The lines of the parent's file whose records are loaded now.

    A record that a later batch has outdone is as good as loaded; one that ``on_conflict: ignore`` passed over is not.
    """
    if not parsed.corrects:
        return []
    rows = (row for row in range(parsed.fast_rows + len(parsed.slow)) if row not in placed.refusals)
    lines = (parsed.corrects.get(parsed.where(row).record) for row in rows)
    return [line for line in lines if line is not None]

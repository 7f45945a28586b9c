"""Reads: a batch's bytes, checked by its dataset's rules; the same for whoever places or replays them."""

from dataclasses import replace
from typing import NamedTuple

from chalicelib.config import Settings
from chalicelib.core.containers import JSONL
from chalicelib.core.correcting import compile_correction_reader
from chalicelib.core.dataset import Dataset
from chalicelib.core.jsoncorrections import compile_json_correction_reader
from chalicelib.core.jsonlines import compile_json_reader, read_as_json
from chalicelib.core.reader import Parsed, Reader, compile_reader
from chalicelib.core.rejection import Rejection
from chalicelib.errors import Terminal
from chalicelib.services.ports import Batch, Datasets, Job, ObjectStore, Placed
from chalicelib.services.telemetry import current


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
        return Read(dataset, *_read_batch(batch, dataset, self._objects, max_record_bytes=limit))

    def dataset(self, job: Job) -> Dataset:
        """The dataset as a batch of this job is read by it. Raises Terminal where this version has none."""
        return as_read(declared(job, self._datasets), job)


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


def as_read(dataset: Dataset, job: Job) -> Dataset:
    """The dataset with what the job's file was found to have."""
    if not job.keeps:
        dataset = replace(dataset, undo_days=None)  # as the descriptor was when the job was opened
    return read_as_json(dataset) if job.format == JSONL else dataset.delimited_by(job.delimiter)


def declared(job: Job, datasets: Datasets) -> Dataset:
    """The dataset of a job as its descriptor has it.

    Raises:
        Terminal: it has been removed while the job was under way.
    """
    dataset = datasets.get(job.dataset)
    if dataset is None:
        raise Terminal("unknown-dataset", f"this version has no dataset {job.dataset}")
    return dataset


def _read_batch(
    batch: Batch, dataset: Dataset, objects: ObjectStore, *, max_record_bytes: int
) -> tuple[Reader, Parsed]:
    """Fetch a batch's bytes and read them by the rules of ``dataset``, which is as ``as_read`` gives it.

    Raises:
        FileRefused: the bytes are not there any more.
    """
    job, cut = batch.job, batch.cut
    if job.columns is None:
        raise Terminal("not-started", f"job {job.id} has batches, but no columns")
    reader = _reader(job, dataset, job.columns, max_record_bytes)
    if cut.oversize:
        return reader, reader.oversize(cut)
    data = _data(batch, objects)
    current().lap("read")
    return reader, reader.read(data, offset=cut.start, first_line=cut.first_line)


def _reader(job: Job, dataset: Dataset, columns: tuple[str, ...], max_record_bytes: int) -> Reader:
    if job.labels is None:
        compiled = compile_json_reader if job.format == JSONL else compile_reader
        return compiled(dataset, columns, max_record_bytes)
    if job.format == JSONL:
        return compile_json_correction_reader(dataset, columns, max_record_bytes)
    return compile_correction_reader(dataset, job.labels, max_record_bytes)


def staging_key(job: Job, number: int) -> str:
    """The name of the object that holds the bytes of a staged job's batch."""
    return f"staging/{job.dataset}/job={job.id}/batch-{number:05}"


def _data(batch: Batch, objects: ObjectStore) -> bytes:
    job, cut = batch.job, batch.cut
    if not job.staged:
        return objects.read(job.object, cut.start, cut.end)
    data = objects.fetch(staging_key(job, batch.number))
    if len(data) != cut.end - cut.start:
        raise Terminal("staging-mismatch", f"batch {batch.number} of job {job.id} was staged with other bytes")
    return data

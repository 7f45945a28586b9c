"""How a job reads its data: its dataset, as the file turned out to be written, and the bytes of each batch."""

from chalicelib.core.containers import JSONL
from chalicelib.core.correcting import compile_correction_reader
from chalicelib.core.dataset import Dataset
from chalicelib.core.jsoncorrections import compile_json_correction_reader
from chalicelib.core.jsonlines import compile_json_reader, read_as_json
from chalicelib.core.reader import Parsed, Reader, compile_reader
from chalicelib.errors import Terminal
from chalicelib.services.ports import Batch, Datasets, Job, ObjectStore


def as_read(dataset: Dataset, job: Job) -> Dataset:
    """The dataset with what the job's file was found to have."""
    return read_as_json(dataset) if job.format == JSONL else dataset.delimited_by(job.delimiter)


def dataset_of(job: Job, datasets: Datasets) -> Dataset:
    """The dataset as a batch of this job is read by it.

    Raises:
        Terminal: it has been removed while the job was under way.
    """
    dataset = datasets.get(job.dataset)
    if dataset is None:
        raise Terminal("unknown-dataset", f"this version has no dataset {job.dataset}")
    return as_read(dataset, job)


def read_batch(batch: Batch, dataset: Dataset, objects: ObjectStore, *, max_record_bytes: int) -> tuple[Reader, Parsed]:
    """Fetch a batch's bytes and read them by the rules of ``dataset``, which is as ``dataset_of`` gives it.

    Raises:
        FileRefused: the bytes are not there any more.
    """
    job, cut = batch.job, batch.cut
    if job.columns is None:
        raise Terminal("not-started", f"job {job.id} has batches, but no columns")
    reader = _reader(job, dataset, job.columns, max_record_bytes)
    if cut.oversize:
        return reader, reader.oversize(cut)
    return reader, reader.read(_data(batch, objects), offset=cut.start, first_line=cut.first_line)


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

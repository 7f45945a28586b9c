"""Split: an object becomes a job, its header is checked, and its bytes are cut into batches."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from uuid import UUID

from chalicelib.config import MIB, Settings
from chalicelib.core.corrections import Place, first_places, longest_line
from chalicelib.core.cut import Cut, Cutter
from chalicelib.core.dataset import Dataset
from chalicelib.core.header import Layout, read_layout
from chalicelib.core.states import JobState, is_terminal
from chalicelib.errors import FileRefused
from chalicelib.services.finalise import Finalise
from chalicelib.services.ports import Datasets, Job, Ledger, ObjectStore, Queues, Reason, Remaining, StoredObject

_HAND_ON = 60.0  # seconds to spare when the rest of a split is handed to the next invocation
_MIN_BATCH = MIB  # below this a batch's fixed costs outweigh the parallelism that it brings
_SLACK = 64 * 1024  # batches end where records do, so equal shares would leave a tiny one over
_LOOKED_AT = 20  # records of a correction file, by which its parent is known
_GROUP = 10  # batches booked and sent together; also what one SQS request takes


class Split:
    """Read the object once, as a stream; book batches in the ledger first, send them after."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        objects: ObjectStore,
        queues: Queues,
        datasets: Datasets,
        settings: Settings,
        finalise: Finalise,
        new_id: Callable[[], UUID],
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._queues = queues
        self._datasets = datasets
        self._settings = settings
        self._finalise = finalise
        self._new_id = new_id

    def announced(self, stored: StoredObject, remaining: Remaining) -> None:
        """An object was created (perhaps announced before: then its job goes on where it stands)."""
        if stored.key.endswith("/") and stored.size == 0:
            return  # the console's folder markers are no files
        job = self.open(stored)
        if job.object.key == stored.key:
            self._go_on(job, remaining)
            return
        if not is_terminal(job.state):
            reason = Reason("bad-name", "the file's name has characters that no name may have", "file")
            self._ledger.end_split(job, reason)
        self._finalise.run(job.id)  # never read: the name that the ledger has may be another object's

    def resume(self, id: UUID, remaining: Remaining) -> None:
        """Go on with a split that was handed on, interrupted or swept up."""
        job = self._ledger.job(id)
        if job is not None:
            self._go_on(job, remaining)

    def open(self, stored: StoredObject) -> Job:
        """The job of this object, opened if it has none."""
        stored = replace(stored, key=printable_key(stored.key))
        share = stored.size // (2 * self._settings.workers)  # at least two batches a worker
        batch_bytes = min(self._settings.batch_bytes, max(share, _MIN_BATCH) + _SLACK)
        return self._ledger.open_job(self._new_id(), dataset_of(stored.key), stored, batch_bytes)

    def _go_on(self, job: Job, remaining: Remaining) -> None:
        if not is_terminal(job.state):
            if job.batches:
                # Booked before, and perhaps never sent: a message too many does no harm.
                self._queues.send_batches(job.id, self._ledger.pending(job))
            if job.state is JobState.CANCELLING:
                self._ledger.end_split(job, None)
            elif not job.split_done:
                try:
                    self._cut(job, remaining)
                except FileRefused as refused:
                    self._ledger.end_split(job, Reason(refused.code, refused.message, "file"))
        self._finalise.run(job.id)

    def _cut(self, job: Job, remaining: Remaining) -> None:
        dataset = self._dataset(job)
        chunks = self._objects.stream(job.object, job.split_offset, self._settings.chunk_bytes)
        if job.columns is None:
            layout, head, chunks = _read_header(chunks, dataset)
            first = head[layout.data_start :] or next(chunks, b"")
            job = self._ledger.start(job, layout, self._corrected(first, layout, job.dataset))
            chunks = chain([first], chunks)
        cutter = Cutter(
            dataset.delimited_by(job.delimiter).dialect,
            start=job.split_offset,
            line=job.split_line,
            batch_bytes=job.batch_bytes,
            max_record_bytes=longest_line(job.labels, self._settings.max_record_bytes),
        )
        began = cutter.offset  # an invocation that has cut nothing goes on: handing on must make headway
        waiting: list[Cut] = []
        group = 1  # the first batch goes at once, so that loading starts while cutting goes on
        for chunk in chunks:
            waiting += cutter.feed(chunk)
            if len(waiting) >= group:
                job = self._book(job, waiting, cutter)
                waiting, group = [], min(group * 2, _GROUP)
            if cutter.offset > began and remaining() < _HAND_ON:
                self._book(job, waiting, cutter)
                self._queues.send_split(job.id)
                return
        self._book(job, waiting + cutter.finish(), cutter, done=True)

    def _book(self, job: Job, cuts: list[Cut], cutter: Cutter, *, done: bool = False) -> Job:
        planned = self._ledger.plan(job, cuts, cutter.offset, cutter.line, done=done)
        self._queues.send_batches(job.id, range(job.batches, planned.batches))
        return planned

    def _corrected(self, data: bytes, layout: Layout, name: str) -> list[Place]:
        """What the first records of a correction file say of themselves."""
        if layout.labels is None:
            return []
        dialect = self._datasets[name].delimited_by(layout.delimiter).dialect
        return first_places(data, layout.labels, dialect, self._settings.max_record_bytes, _LOOKED_AT)

    def _dataset(self, job: Job) -> Dataset:
        dataset = self._datasets.get(job.dataset)
        if dataset is None:
            known = ", ".join(sorted(self._datasets)) or "none"
            raise FileRefused(
                "unknown-dataset", f"no dataset has the folder input/{job.dataset}; the datasets are: {known}"
            )
        limit = dataset.max_file_bytes
        if limit is not None and job.object.size > limit:
            raise FileRefused("byte-count", f"the file has {job.object.size} bytes; the dataset takes at most {limit}")
        return dataset


def printable_key(key: str) -> str:
    """A key as the ledger can hold it: NUL, which PostgreSQL's text has not, and surrogates become U+FFFD."""
    return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in key)


def dataset_of(key: str) -> str:
    """The dataset that a key belongs to (``input/<dataset>/...``), or "" where it names none."""
    parts = key.split("/", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "input" else ""


def _read_header(chunks: Iterator[bytes], dataset: Dataset) -> tuple[Layout, bytes, Iterator[bytes]]:
    """The layout, the bytes read so far, and the chunks that are left."""
    head = b""
    for chunk in chunks:
        head += chunk
        layout = read_layout(head, dataset, at_end=False)
        if layout is not None:
            return layout, head, chunks
    layout = read_layout(head, dataset, at_end=True)
    if layout is None:
        raise FileRefused("no-header", "the file has no header within its first bytes")
    return layout, head, iter(())

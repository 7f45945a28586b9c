"""Split: an object becomes a job, its header is checked, and its bytes are cut into batches."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain
from uuid import UUID

from chalicelib.config import MIB, Settings
from chalicelib.core.attempts import Attempts, attempts_of
from chalicelib.core.containers import CONVERTED, JSONL
from chalicelib.core.corrections import Place, first_places
from chalicelib.core.dataset import Dataset
from chalicelib.core.header import Layout, json_layout, read_layout
from chalicelib.core.jsoncorrections import first_json_places
from chalicelib.core.metadata import asks_for_again, asks_to_validate, sha256_of
from chalicelib.core.objectkeys import dataset_of, printable_key
from chalicelib.core.states import JobState, is_terminal
from chalicelib.core.window import Window
from chalicelib.errors import FileRefused
from chalicelib.services.clock import utc_now
from chalicelib.services.cutting import Cutting
from chalicelib.services.finalise import Finalise
from chalicelib.services.gather import may_gather
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.metrics import Metric
from chalicelib.services.ports import Datasets, Job, ObjectStore, Queues, Reason, Remaining, StoredObject, Terms
from chalicelib.services.replace import may_replace
from chalicelib.services.telemetry import SILENT, Meter, note
from chalicelib.services.trouble import noting
from chalicelib.services.unpack import Unpack

_MIN_BATCH = MIB  # below this a batch's fixed costs outweigh the parallelism that it brings
_SLACK = 64 * 1024  # batches end where records do, so equal shares would leave a tiny one over
_LOOKED_AT = 20  # records of a correction file, by which its parent is known

Cut = Callable[[Job, Remaining], None]
"""Cuts a job's data from where it stands; raises FileRefused where they cannot be read."""


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
        unpack: Unpack,
        cutting: Cutting,
        new_id: Callable[[], UUID],
        clock: Callable[[], datetime] = utc_now,
        meter: Meter = SILENT,
    ) -> None:
        self._meter = meter
        self._ledger = ledger
        self._objects = objects
        self._queues = queues
        self._datasets = datasets
        self._settings = settings
        self._finalise = finalise
        self._unpack = unpack
        self._cutting = cutting
        self._new_id = new_id
        self._clock = clock

    def announced(self, stored: StoredObject, remaining: Remaining) -> None:
        """An object was created (perhaps announced before: then its job goes on where it stands)."""
        job = self.booked(stored)
        if job is not None:
            with noting(self._ledger, job.id):
                self._go_on(job, remaining)

    def booked(self, stored: StoredObject) -> Job | None:
        """The job of an object that was created, opened if it has none; None where there is nothing to split."""
        if stored.key.endswith("/") and stored.size == 0:
            return None  # the console's folder markers are no files
        job = self._opened(stored)
        note(job=job.id, dataset=job.dataset, key=job.object.key)
        if job.state is JobState.DUPLICATE:
            self._meter.report("duplicate", {Metric.JOBS_DUPLICATE: 1}, dataset=job.dataset)
        if job.object.key == stored.key:
            return job
        if not is_terminal(job.state):
            reason = Reason("bad-name", "the file's name has characters that no name may have", "file")
            self._ledger.end_split(job, reason)
        self._finalise.run(job.id)  # never read: the name that the ledger has may be another object's
        return None

    def resume(self, id: UUID, remaining: Remaining, cut: Cut | None = None) -> None:
        """Go on with a split that was handed on, interrupted or swept up; ``cut`` is another way to cut its data."""
        job = self._ledger.job(id)
        if job is not None:
            note(dataset=job.dataset)
            with noting(self._ledger, id):
                self._go_on(job, remaining, cut)

    def open(self, stored: StoredObject, *, validate_only: bool, sha256: str | None = None, again: bool = False) -> Job:
        """The job of this object, opened if it has none."""
        stored = replace(stored, key=printable_key(stored.key))
        terms = self._terms(stored, validate_only=validate_only)
        return self._ledger.open_job(self._new_id(), stored, terms, sha256=sha256, again=again)

    def reopen(self, stored: StoredObject, *, validate_only: bool) -> Job:
        """Another job of an object that has one."""
        return self._ledger.reopen(self._new_id(), stored, self._terms(stored, validate_only=validate_only))

    def _terms(self, stored: StoredObject, *, validate_only: bool) -> Terms:
        name = dataset_of(stored.key)
        dataset = self._datasets.get(name)
        return Terms(name, self._batch_bytes(stored), validate_only, is_atomic(dataset), keeps_changes(dataset))

    def _batch_bytes(self, stored: StoredObject) -> int:
        share = stored.size // (2 * self._settings.workers)  # at least two batches a worker
        return min(self._settings.batch_bytes, max(share, _MIN_BATCH) + _SLACK)

    def _opened(self, stored: StoredObject) -> Job:
        """The job of an announced object, to be validated only if its uploader has asked for that."""
        if printable_key(stored.key) != stored.key:
            return self.open(stored, validate_only=False)
        try:
            metadata = self._objects.metadata(stored)
        except FileRefused:  # gone: a job that has begun goes on, and one that has not finds that out by itself
            return self.open(stored, validate_only=False)
        try:
            attempts = attempts_of(metadata)
            job = self.open(
                stored,
                validate_only=asks_to_validate(metadata),
                sha256=sha256_of(metadata),
                again=asks_for_again(metadata),
            )
            return self.limit(job, attempts)
        except FileRefused as refused:
            job = self.open(stored, validate_only=True)
            self._ledger.end_split(job, Reason(refused.code, refused.message, "file"))
            return self._ledger.job(job.id) or job

    def limit(self, job: Job, attempts: Attempts) -> Job:
        """The job, which has just been opened, with what its object says of attempts."""
        if attempts != Attempts():
            self._ledger.limit_attempts(job, attempts)
        return job

    def open_unasked(self, stored: StoredObject) -> Job:
        """The job of an object that cannot be asked what is wanted of it. It is asked before anything is done."""
        job = self.open(stored, validate_only=False)
        self._ledger.open_unasked(job)
        return job

    def _asked(self, job: Job) -> Job:
        """The job with what its uploader has asked for. Raises FileRefused where that cannot be asked for."""
        metadata = self._objects.metadata(job.object)
        self._ledger.ask(job, attempts_of(metadata), validate_only=asks_to_validate(metadata))
        return self._ledger.job(job.id) or job

    def _go_on(self, job: Job, remaining: Remaining, cut: Cut | None = None) -> None:
        if not is_terminal(job.state):
            if job.batches:
                # Booked before, and perhaps never sent: a message too many does no harm.
                self._queues.send_batches(job.id, self._ledger.pending(job))
            if job.state is JobState.CANCELLING:
                self._ledger.end_split(job, None)
            elif job.fetching:
                self._queues.send_fetch(job.id)
            elif not job.split_done:
                try:
                    if not job.asked:
                        job = self._asked(job)
                    if self._is_held_back(job):
                        return
                    (cut or self._cut)(job, remaining)
                except FileRefused as refused:
                    self._ledger.end_split(job, Reason(refused.code, refused.message, "file"))
        self._finalise.run(job.id)

    def _is_held_back(self, job: Job) -> bool:
        """Whether loading may not begin yet. The first one to find that out says until when."""
        if job.state is not JobState.PENDING:
            return False
        now = self._clock()
        if job.starts_at is None:
            window = self._window(job)
            if window is None or window.is_open(now):
                return False
            self._ledger.hold(job, window.opens(now))
            return True
        return job.starts_at > now

    def _window(self, job: Job) -> Window | None:
        dataset = self._datasets.get(job.dataset)
        return None if dataset is None else dataset.load_window

    def _cut(self, job: Job, remaining: Remaining) -> None:
        dataset = self._dataset(job)
        if job.columns is not None and not job.staged:
            chunks = self._objects.stream(job.object, job.split_offset, self._settings.chunk_bytes)
        else:
            source = self._unpack.open(job, dataset)
            if source.found.container in CONVERTED:
                self._queues.send_convert(job.id)
                return
            chunks = source.chunks
            if job.columns is None:
                layout, head, chunks = _read_header(chunks, dataset, source.found.format)
                head = head if len(head) > layout.data_start else head + next(chunks, b"")
                job = self._ledger.start(
                    job,
                    layout,
                    source.found,
                    corrected=self._corrected(head[layout.data_start :], layout, dataset, source.found.format),
                    replaces=may_replace(dataset, layout),
                    gathers=may_gather(dataset, layout, job, source.found),
                )
                self._meter.report("started", {Metric.JOBS_STARTED: 1}, dataset=job.dataset, bytes=job.object.size)
                chunks = chain([head if job.staged else head[layout.data_start :]], chunks)
        self._cutting.run(job, chunks, remaining, self._queues.send_split)

    def _corrected(self, data: bytes, layout: Layout, dataset: Dataset, form: str) -> list[Place]:
        """What the first records of a correction file say of themselves."""
        if layout.labels is None:
            return []
        if form == JSONL:
            return first_json_places(data, _LOOKED_AT)
        dialect = dataset.delimited_by(layout.delimiter).dialect
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


def is_atomic(dataset: Dataset | None) -> bool:
    """Whether its files are taken whole or not at all; one whose files replace each other has its own way of that."""
    return dataset is not None and dataset.atomic and dataset.on_conflict != "replace"


def keeps_changes(dataset: Dataset | None) -> bool:
    """Whether what its jobs change is noted, so that they can be undone."""
    return dataset is not None and dataset.undo_days is not None


def _read_header(chunks: Iterator[bytes], dataset: Dataset, form: str) -> tuple[Layout, bytes, Iterator[bytes]]:
    """The layout, the bytes read so far, and the chunks that are left."""
    read = json_layout if form == JSONL else read_layout
    head = b""
    for chunk in chunks:
        head += chunk
        layout = read(head, dataset, at_end=False)
        if layout is not None:
            return layout, head, chunks
    layout = read(head, dataset, at_end=True)
    if layout is None:
        raise FileRefused("no-header", "the file has no header within its first bytes")
    return layout, head, iter(())

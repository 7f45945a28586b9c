"""What the services need from the world, and the plain records that pass between them and it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.cut import Cut
from chalicelib.core.dataset import Dataset
from chalicelib.core.header import Layout
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import RecordError, Rejection
from chalicelib.core.states import JobState


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version of one object. ``version_id`` is None where the bucket keeps no versions."""

    bucket: str
    key: str
    version_id: str | None
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a job FAILED. ``kind`` says whose move it is: ``file`` (the caller's), ``transient``, ``terminal`` (ours)."""

    code: str
    message: str
    kind: str

    def as_json(self) -> dict[str, str]:
        """As the ledger keeps it, and as the API and the receipt show it."""
        return {"code": self.code, "message": self.message, "class": self.kind}


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the splitter, the loaders and the finaliser need it.

    ``columns`` is None until the header was read; ``delimiter`` and ``encoding`` where they were not detected in the
    file. ``container`` is what the data came in (gzip, zip, xlsx, parquet; None for a plain file), ``format`` what they
    are in it (csv, jsonl). Batches of a ``staged`` job are objects of their own. ``parent`` is another job's number.
    """

    number: int
    id: UUID
    dataset: str
    state: JobState
    object: StoredObject
    columns: tuple[str, ...] | None
    delimiter: str | None
    encoding: str | None
    container: str | None
    format: str
    staged: bool
    validate_only: bool
    parent: int | None
    data_start: int
    batch_bytes: int
    split_offset: int
    split_line: int
    split_done: bool
    batches: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A byte range of a job's object, to be loaded."""

    job: Job
    number: int
    cut: Cut


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a message: its queue's ARN, the handle to answer with, and how often it came."""

    queue: str
    receipt: str
    receives: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the table did not take an accepted row; ``ignored`` rows are counted, not handed back."""

    errors: tuple[RecordError, ...]
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a batch's accepted rows: counts, and the rows that the table refused.

    ``ignored`` are those that a later batch had outdone already; refusals that are ignored come on top.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    ignored: int = 0
    refusals: Mapping[int, Refusal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ending:
    """A job that has all its batches: what its finaliser decides and writes from. Counts are records."""

    job: Job
    reason: Reason | None
    counts: Mapping[str, int]
    cancelling: bool


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A rejection as the error file shows it: ``record`` counts from 1 in the whole file."""

    line: int
    record: int
    errors: tuple[RecordError, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """An email that is due: the job as the API shows it, and the first lines of each of its causes."""

    number: int
    job: Mapping[str, Any]
    audience: str
    lines: Mapping[tuple[str, str | None], Sequence[int]]


class LoadTransaction(Protocol):
    """One batch's transaction: rows, rejections and books commit together or not at all."""

    def place(self, dataset: Dataset, reader: Reader, parsed: Parsed) -> Placed:
        """Put the accepted rows into the dataset's table."""

    def book(self, counts: Mapping[str, int], rejections: Sequence[Rejection]) -> bool:
        """End the batch as succeeded. True when it was the last that its job waited for."""


class FinalTransaction(Protocol):
    """The one finaliser of a job, holding its row."""

    ending: Ending

    def rejections(self) -> Iterator[RejectedRecord]:
        """Every rejected record in file order, streamed."""

    def receipt(self) -> dict[str, Any]:
        """The manifest: counts, causes, ranges, timings."""

    def end(self, state: JobState, reason: Reason | None, audiences: Iterable[str]) -> None:
        """Make the job terminal and put a notice for each audience into the outbox."""


class Ledger(Protocol):
    """The books. Every method is one transaction."""

    def open_job(self, id: UUID, dataset: str, stored: StoredObject, batch_bytes: int) -> Job:
        """The job of this version of this object: a new one, or the one that it has."""

    def job(self, id: UUID) -> Job | None: ...

    def start(self, job: Job, layout: Layout) -> Job:
        """Remember the header: PENDING becomes RUNNING. Raises Contended when another splitter got there first."""

    def plan(self, job: Job, cuts: Sequence[Cut], split_to: int, line: int, *, done: bool) -> Job:
        """Append batches and move the split on. Raises Contended when another splitter got there first."""

    def pending(self, job: Job) -> list[int]:
        """Numbers of the batches that nobody has begun."""

    def end_split(self, job: Job, reason: Reason | None) -> None:
        """No more batches come; with a reason, the job will end FAILED for it."""

    def begin(self, id: UUID, number: int) -> Batch | None:
        """Take a batch in hand, or None where it has ended or its job does not want it any more."""

    def claim(self, batch: Batch, prints: "Prints") -> None:
        """Tell other batches what keys this one has (``core.claims``), before it is loaded."""

    def loading(self, batch: Batch, prints: "Prints") -> AbstractContextManager[LoadTransaction | None]:
        """The batch's transaction, or None where it has been booked meanwhile."""

    def fail(self, id: UUID, number: int, reason: Reason) -> None:
        """End a batch as failed; its job will end FAILED for this reason."""

    def finalising(self, id: UUID) -> AbstractContextManager[FinalTransaction | None]:
        """The finaliser's transaction, or None where batches are missing or the job has ended."""

    def unsent(self, id: UUID) -> bool:
        """Whether the outbox holds a notice of this job."""

    def stuck(self) -> list[tuple[Job, list[int]]]:
        """Open jobs at which nothing has happened for long, and their batches to send again.

        A job is not given again before the same time has passed.
        """

    def sending(self) -> AbstractContextManager[Notice | None]:
        """The next due notice, marked as sent when the block ends well; None when there is none."""

    def postpone(self, notice: Notice) -> None:
        """This notice could not be sent: it is due again later, and the next one is first."""


class ObjectStore(Protocol):
    """S3, as far as the services need it. All reads are of exactly the version asked for."""

    def stream(self, stored: StoredObject, start: int, chunk_bytes: int) -> Iterator[bytes]:
        """The bytes from ``start`` on. Raises FileRefused when the object is gone or was overwritten."""

    def read(self, stored: StoredObject, start: int, end: int) -> bytes:
        """The bytes of a range. Raises as ``stream``."""

    def write(self, key: str, chunks: Iterable[bytes], content_type: str) -> None:
        """An object in our bucket, whole or not at all; memory does not grow with its size."""


class Queues(Protocol):
    """The queues, by what they are for."""

    def send_batches(self, id: UUID, numbers: Sequence[int]) -> None: ...

    def send_split(self, id: UUID) -> None:
        """Ask for the rest of a split."""

    def send_notify(self) -> None: ...

    def hide(self, delivery: Delivery, seconds: int) -> None:
        """Deliver again after this time. Quiet where that cannot be: then the queue does it in its own time."""


class Mailer(Protocol):
    """Plain text mail."""

    def send(self, *, to: Sequence[str], subject: str, text: str, message_id: str) -> None: ...


class Views(Protocol):
    """What the API shows, in the API's shapes."""

    def job(self, id: UUID) -> dict[str, Any] | None: ...

    def jobs(self, **filters: Any) -> list[dict[str, Any]]: ...

    def rejections(self, id: UUID, after: tuple[int, int], limit: int) -> list[dict[str, Any]]: ...


Prints = Mapping[tuple[str, ...], bytes]
"""Fingerprints of the rows' keys, by the key's columns."""

Datasets = Mapping[str, Dataset]
Remaining = Callable[[], float]
"""Seconds that this invocation has left."""

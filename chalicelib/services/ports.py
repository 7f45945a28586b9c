"""What the services need from the world, and the plain records that pass between them and it."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.claims import KeyFacts
from chalicelib.core.containers import Found
from chalicelib.core.corrections import Place
from chalicelib.core.cut import Cut
from chalicelib.core.dataset import Dataset
from chalicelib.core.header import Layout
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import RecordError, Rejection
from chalicelib.core.schema import AfterLoad
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

    ``columns`` and ``encoding`` are None until the header was read, ``delimiter`` where it was not detected in the
    file. ``container`` is what the data came in (gzip, zip, xlsx, parquet; None for a plain file), ``format`` what they
    are in it (csv, jsonl). Batches of a ``staged`` job are objects of their own. Offsets are those of the data in
    UTF-8, out of their container. ``labels`` is a correction file's whole header, of which ``columns`` are its own;
    None for any other file. ``parent`` is another job's number. ``atomic`` is the dataset's word when the job was
    opened: all of its batches must go by one. A job that ``replaces`` the dataset's table loads into a shadow of it,
    which is made when it starts.
    """

    number: int
    id: UUID
    dataset: str
    state: JobState
    object: StoredObject
    columns: tuple[str, ...] | None
    labels: tuple[str, ...] | None
    delimiter: str | None
    encoding: str | None
    container: str | None
    format: str
    staged: bool
    validate_only: bool
    atomic: bool
    replaces: bool
    parent: int | None
    data_start: int
    batch_bytes: int
    split_offset: int
    split_line: int
    split_done: bool
    batches: int

    @property
    def held_back(self) -> bool:
        """Whether loaders only check its batches, and the finaliser places all records or tells what would become."""
        return self.validate_only or self.atomic


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
class Untidy:
    """A job that has loaded, and what is to become of its object: deleted or archived."""

    job: Job
    after_load: AfterLoad


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
        """Put the accepted rows into the dataset's table, or into the shadow of a job that replaces it."""

    def book(self, counts: Mapping[str, int], rejections: Sequence[Rejection], judge: "Judge") -> bool:
        """End the batch as succeeded. True when it was the last that its job waited for.

        With the first reason that ``judge`` gives the job is stopped: no batch of it that has not begun ever will.
        """

    def resolve(self, lines: Sequence[int]) -> None:
        """Mark what stood on these lines of the parent's file as loaded after all. Called last, after ``book``."""


class Replay(Protocol):
    """All batches of a job, placed one after the other in the finaliser's transaction."""

    batches: Sequence[Batch]

    def lock_table(self, dataset: Dataset) -> None:
        """Wait until nobody else writes to the table, and let nobody until the transaction ends."""

    def place(self, batch: Batch, dataset: Dataset, reader: Reader, parsed: Parsed) -> Placed:
        """As in ``LoadTransaction``, in file order."""

    def refuse(self, batch: Batch, refused: Sequence[Rejection]) -> bool:
        """Note records that the table did not take. False when there is no room for more of them."""

    def resolve(self, lines: Sequence[int]) -> None:
        """As in ``LoadTransaction``, where what was placed stays."""

    def keep(self) -> None:
        """What was placed stays."""

    def book(self, counts: Mapping[int, Mapping[str, int]]) -> None:
        """Book these counts of batches, by number, and what was noted as refused, in place of what is booked."""


class FinalTransaction(Protocol):
    """The one finaliser of a job, holding its row."""

    ending: Ending

    def replaying(self) -> AbstractContextManager[Replay]:
        """Place the job's records in this block; unless they are kept, the table is then as it was before.

        Books that are given in the block are written at its end, and ``ending`` has the counts of then. Raises
        Terminal when they are not of the records that were booked before.
        """

    def rejections(self) -> Iterator[RejectedRecord]:
        """Every rejected record in file order, streamed."""

    def receipt(self) -> dict[str, Any]:
        """The manifest: counts, causes, ranges, timings."""

    def outdone(self) -> bool:
        """Whether a later job has replaced the table. No other job replaces it before this transaction ends."""

    def discard(self) -> None:
        """Book the job's inserted records as ignored, since its shadow will not become the table."""

    def replace_table(self) -> Reason | None:
        """Make the shadow's rows the table's, for all who look after the commit; else why it cannot be done.

        Readers may have to wait from now on until the transaction ends.
        """

    def after_load(self, what: AfterLoad) -> None:
        """Note that the object of the job, and of its duplicates, is to be deleted or archived after the commit."""

    def end(self, state: JobState, reason: Reason | None, audiences: Iterable[str]) -> None:
        """Make the job terminal and put a notice for each audience into the outbox."""


class Ledger(Protocol):
    """The books. Every method is one transaction."""

    def open_job(
        self, id: UUID, dataset: str, stored: StoredObject, batch_bytes: int, *, validate_only: bool, atomic: bool
    ) -> Job:
        """The job of this version of this object: a new one, or the one that it has."""

    def job(self, id: UUID) -> Job | None: ...

    def start(
        self, job: Job, layout: Layout, found: Found, *, corrected: Sequence[Place] = (), replaces: bool = False
    ) -> Job:
        """Remember the header and what the file is: PENDING becomes RUNNING.

        The parent of a correction file is found by its key or by what its first records say of themselves.
        Raises Contended when another splitter got there first, FileRefused where the file corrects one that was to
        replace the table, and the table does not hold that.
        """

    def plan(self, job: Job, cuts: Sequence[Cut], split_to: int, line: int, *, done: bool) -> Job:
        """Append batches and move the split on. Raises Contended when another splitter got there first.

        A job that was stopped comes back as it is, with ``split_done``.
        """

    def pending(self, job: Job) -> list[int]:
        """Numbers of the batches that nobody has begun."""

    def end_split(self, job: Job, reason: Reason | None) -> None:
        """No more batches come; with a reason, the job will end FAILED for it."""

    def begin(self, id: UUID, number: int) -> Batch | None:
        """Take a batch in hand, or None where it has ended or its job does not want it any more."""

    def claim(self, batch: Batch, facts: KeyFacts) -> None:
        """Tell other batches what keys this one has (``core.claims``), before it is loaded."""

    def loading(self, batch: Batch, facts: KeyFacts) -> AbstractContextManager[LoadTransaction | None]:
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

    def drop_left_over(self) -> int:
        """Drop the shadows of jobs that have ended or are gone; their number. Jobs drop their own when they end.

        Forget what late workers of such jobs have claimed.
        """

    def untidy(self, id: UUID) -> Untidy | None:
        """The job, if it has ended and its object is still to be deleted or archived."""

    def all_untidy(self) -> list[Untidy]:
        """Such jobs that ended a minute ago or more. A job is not given again before the same time has passed."""

    def tidied(self, job: Job) -> None:
        """The job's object has been put away."""

    def sending(self) -> AbstractContextManager[Notice | None]:
        """The next due notice, marked as sent when the block ends well; None when there is none."""

    def postpone(self, notice: Notice) -> None:
        """This notice could not be sent: it is due again later, and the next one is first."""


class ObjectStore(Protocol):
    """S3, as far as the services need it. All reads are of exactly the version asked for."""

    def stream(self, stored: StoredObject, start: int, chunk_bytes: int) -> Iterator[bytes]:
        """The bytes from ``start`` on. Raises FileRefused when the object is gone or was overwritten."""

    def metadata(self, stored: StoredObject) -> Mapping[str, str]:
        """What the uploader said of the object, names in lower case. Raises as ``stream``."""

    def read(self, stored: StoredObject, start: int, end: int) -> bytes:
        """The bytes of a range. Raises as ``stream``."""

    def fetch(self, key: str) -> bytes:
        """All of an object that we wrote into our bucket ourselves. Raises FileRefused when it is gone."""

    def stat(self, key: str) -> StoredObject:
        """The newest version of an object of our bucket. Raises FileRefused when there is none."""

    def write(self, key: str, chunks: Iterable[bytes], content_type: str) -> None:
        """An object in our bucket, whole or not at all; memory does not grow with its size."""

    def delete(self, stored: StoredObject) -> None:
        """Delete exactly this version. Quiet where it is gone or was overwritten."""

    def archive(self, stored: StoredObject, key: str) -> None:
        """Copy exactly this version to ``key`` in our bucket, then delete it. Quiet as ``delete``."""

    def link(self, key: str, seconds: int) -> str:
        """A URL by which anyone may get an object of our bucket for this long."""


class Table(Protocol):
    """A table in a container that is no text: a sheet of a workbook, a Parquet file. ``columns`` are labels."""

    columns: tuple[str, ...]

    def lines(self, first: int) -> Iterator[bytes]:
        """Its rows from ``first`` on as JSON Lines, row n (from 1) on line n; an object's members are the columns.

        The same rows become the same bytes whenever that is done. Raises FileRefused where the file is damaged.
        """


class Tables(Protocol):
    """Opens tables."""

    def open(self, stored: StoredObject, container: str, dataset: Dataset) -> Table:
        """The table in this object, by a container of ``core.containers.CONVERTED``.

        Raises FileRefused where it cannot be read, is too large, or is none of this dataset's.
        """


class Queues(Protocol):
    """The queues, by what they are for."""

    def send_batches(self, id: UUID, numbers: Sequence[int]) -> None: ...

    def send_split(self, id: UUID) -> None:
        """Ask for the rest of a split."""

    def send_convert(self, id: UUID) -> None:
        """Ask for a table to be converted, or for the rest of it."""

    def send_notify(self) -> None: ...

    def send_export(self, id: UUID) -> None: ...

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


Datasets = Mapping[str, Dataset]
Judge = Callable[[int, int], Reason | None]
"""Of a job's records read and rejected so far: why it must stop, if it must."""
Remaining = Callable[[], float]
"""Seconds that this invocation has left."""


def unhurried() -> float:
    """Seconds that are left where nothing ends an invocation: in a process that nobody times."""
    return math.inf

"""What the services need from the world, and the plain records that pass between them and it."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.cut import Cut
from chalicelib.core.dataset import Dataset
from chalicelib.core.rejection import RecordError
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
class Terms:
    """What a job is opened with, and keeps: see ``Job``."""

    dataset: str
    batch_bytes: int
    validate_only: bool
    atomic: bool
    keeps: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the splitter, the loaders and the finaliser need it.

    ``columns`` and ``encoding`` are None until the header was read, ``delimiter`` where it was not detected in the
    file. ``container`` is what the data came in (gzip, zip, xlsx, parquet; None for a plain file), ``format`` what they
    are in it (csv, jsonl). Batches of a ``staged`` job are objects of their own. Offsets are those of the data in
    UTF-8, out of their container. ``labels`` is a correction file's whole header, of which ``columns`` are its own;
    None for any other file. ``parent`` is another job's number. ``atomic`` is the dataset's word when the job was
    opened: all of its batches must go by one. A job that ``replaces`` the dataset's table loads into a shadow of it,
    which is made when it starts. One that ``gathers`` has a table of its own, too, where batches wait to be added up.
    What one that ``keeps`` changes in the table is noted, so that it can be undone.
    A job that was not ``asked`` for has an object whose metadata nobody has read yet. It was tried ``attempts`` times
    and failed for a passing reason; ``max_attempts`` is None where its uploader did not say. Until ``starts_at`` a
    PENDING job is held back.
    While it is ``fetching`` its object is still to come, and of ``object`` only the key is known.
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
    gathers: bool
    parent: int | None
    data_start: int
    batch_bytes: int
    split_offset: int
    split_line: int
    split_done: bool
    batches: int
    asked: bool
    attempts: int
    max_attempts: int | None
    starts_at: datetime | None
    keeps: bool = False
    fetching: bool = False

    @property
    def held_back(self) -> bool:
        """Whether loaders only check its batches, and the finaliser places all records or tells what would become.

        What replaces the table is loaded beside it in any case.
        """
        return (self.validate_only or self.atomic) and not self.replaces


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
class RejectedBytes:
    """A rejection as the API shows it, and what is needed to show its record: its bytes, and how to read them.

    ``raw`` is None where there are none, or too many.
    """

    shown: dict[str, Any]
    raw: bytes | None
    dataset: str
    columns: tuple[str, ...]
    format: str
    delimiter: str | None


class ObjectStore(Protocol):
    """S3, as far as the services need it. All reads are of exactly the version asked for."""

    def stream(self, stored: StoredObject, start: int, chunk_bytes: int) -> Iterator[bytes]:
        """The bytes from ``start`` on. Raises FileRefused when the object is gone or was overwritten."""

    def metadata(self, stored: StoredObject) -> Mapping[str, str]:
        """What the uploader said of the object, names in lower case; S3's own SHA-256 where it has one.

        Raises as ``stream``.
        """

    def read(self, stored: StoredObject, start: int, end: int) -> bytes:
        """The bytes of a range. Raises as ``stream``."""

    def fetch(self, key: str) -> bytes:
        """All of an object that we wrote into our bucket ourselves. Raises FileRefused when it is gone."""

    def stat(self, key: str) -> StoredObject:
        """The newest version of an object of our bucket. Raises FileRefused when there is none."""

    def write(
        self, key: str, chunks: Iterable[bytes], content_type: str, metadata: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """An object in our bucket, whole or not at all; memory does not grow with its size."""

    def delete(self, stored: StoredObject) -> None:
        """Delete exactly this version. Quiet where it is gone or was overwritten."""

    def archive(self, stored: StoredObject, key: str) -> None:
        """Copy exactly this version to ``key`` in our bucket, then delete it. Quiet as ``delete``."""

    def link(self, key: str, seconds: int) -> str:
        """A URL by which anyone may get an object of our bucket for this long."""

    def origin(self) -> str:
        """Scheme, host and port of our bucket's URLs, as a browser compares them."""


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

    def send_notify(self, delay: int = 0) -> None:
        """Have the outbox looked at, perhaps only after some seconds (900 at most)."""

    def send_export(self, id: UUID) -> None: ...

    def send_erase(self, id: UUID) -> None:
        """Ask for the error files of an erasure to be written anew."""

    def send_undo(self, id: UUID) -> None:
        """Ask for a job to be undone, by who has a loader's time."""

    def send_fetch(self, id: UUID) -> None:
        """Ask for a job's object to be fetched."""

    def send_webhooks(self, delay: int = 0) -> None:
        """Ask for due deliveries to be made, in so many seconds: 900 at most."""

    def hide(self, delivery: Delivery, seconds: int) -> None:
        """Deliver again after this time. Quiet where that cannot be: then the queue does it in its own time."""


class Views(Protocol):
    """What the API shows, in the API's shapes."""

    def job(self, id: UUID) -> dict[str, Any] | None: ...

    def glance(self, id: UUID) -> tuple[Any, ...] | None:
        """What is different whenever a job's view is, and costs little to find out."""

    def jobs(self, **filters: Any) -> list[dict[str, Any]]: ...

    def rejections(self, id: UUID, after: tuple[int, int], limit: int) -> list[dict[str, Any]]: ...

    def rejected_records(self, id: UUID, after: tuple[int, int], limit: int, raw_bytes: int) -> list[RejectedBytes]:
        """The same with the bytes of each record that has at most ``raw_bytes``."""

    def batches(self, id: UUID, after: int, limit: int) -> list[dict[str, Any]]:
        """A job's batches in file order; ``after`` is a batch's number. Offsets are those of ``Job``."""


Datasets = Mapping[str, Dataset]
Judge = Callable[[int, int], Reason | None]
"""Of a job's records read and rejected so far: why it must stop, if it must."""
Remaining = Callable[[], float]
"""Seconds that this invocation has left."""


def unhurried() -> float:
    """Seconds that are left where nothing ends an invocation: in a process that nobody times."""
    return math.inf

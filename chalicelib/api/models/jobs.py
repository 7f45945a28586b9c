"""Jobs and their rejections."""

import base64
from typing import Annotated, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator

from chalicelib.api.models.common import Input, Moment, Name, Output, Page, Reason
from chalicelib.core.states import BatchState, JobState
from chalicelib.services.redrive import What


class JobsQuery(Input):
    """Exact filters, newest first."""

    dataset: Name | None = None
    state: JobState | None = None
    key: Name | None = None
    limit: Page = 50
    cursor: UUID | None = None


class JobQuery(Input):
    """``wait`` holds the answer back until the job changes, for at most that many seconds."""

    wait: int = Field(default=0, ge=0, le=20)


def _place(cursor: object) -> tuple[int, int]:
    try:
        batch, record = base64.urlsafe_b64decode(str(cursor).encode()).decode().split(".")
        place = int(batch), int(record)
    except ValueError:
        raise ValueError("not a cursor that we gave") from None
    if not (0 <= place[0] < 1 << 31 and 0 <= place[1] < 1 << 31):
        raise ValueError("not a cursor that we gave")
    return place


class RejectionsQuery(Input):
    """A page of rejections; with ``records`` of at most 100, with the records' cells."""

    limit: int = Field(default=100, ge=1, le=1000)
    cursor: Annotated[tuple[int, int], BeforeValidator(_place), Field(json_schema_extra={"type": "string"})] = (-1, 0)
    records: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.records and self.limit > 100:
            raise ValueError("limit: with records at most 100")
        return self


class BatchesQuery(Input):
    """A page of batches; the cursor is the one that a page before has given."""

    limit: int = Field(default=100, ge=1, le=1000)
    cursor: int = Field(default=-1, ge=-1, lt=1 << 31)


def rejections_cursor(place: tuple[int, int] | None) -> str | None:
    """The opaque cursor that leads past a (batch, record)."""
    return None if place is None else base64.urlsafe_b64encode(f"{place[0]}.{place[1]}".encode()).decode()


class RedriveRequest(Input):
    """Failed batches, rejected records, or all of the file; unless it is said, what there is of the first two."""

    what: What | None = None


class StoredObject(Output):
    """One version of one object."""

    bucket: str
    key: str
    version_id: str | None
    etag: str
    size: int


class Counts(Output):
    """Records; ``read`` is the sum of the others."""

    read: int
    inserted: int
    updated: int
    unchanged: int
    ignored: int
    rejected: int


class Batches(Output):
    """Batches by state."""

    pending: int
    running: int
    succeeded: int
    failed: int
    cancelled: int


class Progress(Output):
    """How far it is; ``bytes_total`` is null until a packed file has been unpacked."""

    bytes_done: int
    bytes_total: int | None
    batches: Batches


class Cause(Output):
    """Rejections of one kind."""

    code: str
    column: str | None
    count: int
    example_line: int


class Found(Output):
    """What the file was found to be; nulls until it has been read."""

    container: str | None
    format: str
    encoding: str | None
    delimiter: str | None


class UndoCounts(Output):
    """Rows by what becomes of them, and of its parents' rejected records how many are not resolved any more."""

    deleted: int
    restored: int
    subtracted: int
    changed: int
    held: int
    gone: int
    refused: int
    unresolved: int


class Refused(Output):
    """Why something was not done."""

    code: str
    message: str


class Undone(Output):
    """An undo that was asked for: what it did when it is finished, or why it did nothing."""

    asked_at: Moment
    finished_at: Moment | None
    counts: UndoCounts | None
    reason: Refused | None


class UndoRows(Output):
    """Rows by what becomes of them."""

    deleted: int
    restored: int
    subtracted: int
    changed: int
    held: int
    gone: int
    refused: int


class UndoPlan(Output):
    """What an undo would do now; ``token`` asks for just that. With a reason, nothing can be done."""

    job: UUID
    possible: bool
    reason: Refused | None
    rows: UndoRows
    unresolved: int
    token: str | None


class UndoRequest(Input):
    """The plan's token."""

    token: str = Field(max_length=100)


class JobLinks(Output):
    """Where to go on."""

    self: str
    rejections: str
    rejected: str
    result: str


class Job(Output):
    """One version of one object, loaded into one dataset.

    It failed for a passing reason ``attempts`` times, and is tried again at ``retry_at`` if that is not null. While it
    is PENDING for its dataset's load window, ``starts_at`` says until when.
    """

    id: UUID
    dataset: str
    state: JobState
    reason: Reason | None
    object: StoredObject
    counts: Counts
    balanced: bool
    progress: Progress
    causes: list[Cause]
    duplicate_of: UUID | None
    parent: UUID | None
    again_of: UUID | None
    undone: Undone | None
    children: list[UUID]
    resolved: int
    validate_only: bool
    found: Found
    attempts: int
    retry_at: Moment | None
    starts_at: Moment | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    source: str | None = Field(description="where its file was fetched from, but for the query")
    links: JobLinks


class JobPage(Output):
    """Jobs, newest first."""

    items: list[Job]
    next_cursor: UUID | None


class RecordError(Output):
    """What is wrong with a record; the column is null where the whole record is at fault."""

    column: str | None
    code: str
    message: str


class ShownCell(Output):
    """A column of a record; its text is null where the column is sensitive, and cut after 200 characters."""

    column: str
    text: str | None


class Rejection(Output):
    """A record that was not loaded; its number is null until all earlier batches have been read.

    ``cells`` are null unless they were asked for, and where the record's cells cannot be told apart surely.
    """

    record: int | None
    line: int
    errors: list[RecordError]
    cells: list[ShownCell] | None


class Batch(Output):
    """A byte range of a job's data, out of its container. Records are counted once it has succeeded."""

    number: int
    state: BatchState
    byte_start: int
    byte_end: int
    first_line: int
    attempts: int
    read: int
    rejected: int


class BatchPage(Output):
    """Batches in file order."""

    items: list[Batch]
    next_cursor: int | None


class RejectionPage(Output):
    """Causes, and rejected records in file order."""

    job: UUID
    causes: list[Cause]
    items: list[Rejection]
    next_cursor: str | None

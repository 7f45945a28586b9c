"""One batch's transaction: its rows, its rejections and its books, one commit."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import psycopg2.extras

from chalicelib.adapters.postgres.bulk import place_beside
from chalicelib.adapters.postgres.claims import Claims
from chalicelib.adapters.postgres.corrections import resolve
from chalicelib.adapters.postgres.database import Cursor, as_json
from chalicelib.adapters.postgres.gather import gather
from chalicelib.adapters.postgres.place import place
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.tables import table_of
from chalicelib.adapters.postgres.text import LineStream, copy_line
from chalicelib.adapters.postgres.work import spent
from chalicelib.core.claims import KeyFacts
from chalicelib.core.dataset import Dataset
from chalicelib.core.origin import origin_of
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import Cause, RecordError, Rejection, tally
from chalicelib.services.ports import Batch, Job, Judge, Placed
from chalicelib.services.telemetry import Worked

BATCHES = queries("batches")


class Loading:
    """Holds the batch's row until the transaction ends: a second delivery waits here and then finds it booked."""

    def __init__(self, cursor: Cursor, batch: Batch, facts: KeyFacts, memory_mb: int) -> None:
        self._cursor = cursor
        self._memory_mb = memory_mb
        self._batch = batch
        self._gathered = False
        self._claims = Claims(cursor, batch.job.number, batch.number, facts)

    def place(self, dataset: Dataset, reader: Reader, parsed: Parsed) -> Placed:
        job = self._batch.job
        if job.replaces:
            return place_beside(self._cursor, self._batch, dataset, reader, parsed)
        origin = origin_of(job.number, self._batch.number)
        if job.gathers and parsed.accepted and gather(self._cursor, dataset, job.number, reader, parsed, origin):
            self._gathered = True
            return Placed(updated=parsed.accepted)  # the finaliser finds out which of them make rows
        return place(self._cursor, dataset, table_of(job.dataset), reader, parsed, origin, self._claims)

    def book(
        self,
        counts: Mapping[str, int],
        rejections: Collection[Rejection],
        judge: Judge,
        *,
        worked: Worked | None = None,
    ) -> bool:
        here = {"job": self._batch.job.number, "batch": self._batch.number}
        self._cursor.execute(
            BATCHES["succeed"], {**counts, **here, **spent(worked, self._memory_mb), "gathered": self._gathered}
        )
        if rejections:
            self._cursor.copy_expert(BATCHES["copy_rejections"], LineStream(rejection_lines(self._batch, rejections)))
            psycopg2.extras.execute_values(
                self._cursor, BATCHES["insert_causes"], cause_rows(self._batch, tally(rejections))
            )
        self._claims.withdraw()  # late: who claims anew for this batch waits for us, and all who claim for him
        self._cursor.execute(BATCHES["add_to_job"], {**counts, **here})
        job = self._cursor.fetchone()
        reason = judge(job.read, job.rejected)
        if reason is None:
            return bool(job.complete)
        self._cursor.execute(BATCHES["stop"], {"job": here["job"], "reason": as_json(reason.as_json())})
        return bool(self._cursor.fetchone().complete)

    def resolve(self, lines: Sequence[int]) -> None:
        resolve_for(self._cursor, self._batch.job, lines)


def resolve_for(cursor: Cursor, job: Job, lines: Sequence[int]) -> None:
    """Mark what stood on these lines of the parent's file, if the job has one, as loaded by it."""
    if job.parent is not None and not job.validate_only:
        resolve(cursor, job.parent, lines, by=job.number)


def rejection_lines(batch: Batch, rejections: Iterable[Rejection]) -> Iterator[bytes]:
    """A batch's rejections as ``batches.sql: copy_rejections`` takes them."""
    here = f"{batch.job.number}\t{batch.number}"
    for rejection in rejections:
        record, line, offset, length, raw, errors, corrects = rejection
        place = "\\N" if corrects is None else corrects
        text = f"{here}\t{record}\t{line}\t{offset}\t{length}\t{_errors_cell(errors)}\t\\\\x{raw.hex()}\t{place}\n"
        yield text.encode()


@lru_cache(maxsize=1024)  # a batch has many bad records, but few ways to be bad
def _errors_cell(errors: tuple[RecordError, ...]) -> str:
    listed = [{"column": error.column, "code": error.code, "message": error.message} for error in errors]
    return copy_line([json.dumps(listed)])[:-1].decode()


def cause_rows(batch: Batch, causes: Iterable[Cause]) -> list[tuple[object, ...]]:
    """A batch's causes as ``batches.sql: insert_causes`` takes them."""
    here = (batch.job.number, batch.number)
    return [(*here, cause.code, cause.column or "", cause.count, cause.example_line) for cause in causes]

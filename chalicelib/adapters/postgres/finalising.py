"""The finaliser's transaction, which holds its job's row to the end."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any

import psycopg2.extras

from chalicelib.adapters.postgres import cancelling, gather, shadow, work
from chalicelib.adapters.postgres.contested import Contested
from chalicelib.adapters.postgres.database import Cursor, Database, as_json
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.replaying import Replaying
from chalicelib.adapters.postgres.telling import tell_of_job
from chalicelib.adapters.postgres.views import COUNTS, FOUND, causes, timestamp
from chalicelib.core.dataset import Dataset
from chalicelib.core.news import Event
from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import AfterLoad
from chalicelib.core.states import JobState, may_become
from chalicelib.errors import FileRefused, Terminal
from chalicelib.services.ports import Ending, Job, Reason, RejectedRecord
from chalicelib.services.telemetry import Worked

CLAIMS = queries("claims")
JOBS = queries("jobs")
MERGE = queries("merge")
OUTBOX = queries("outbox")
_SPOOL_BYTES = 8 * 1024 * 1024  # of a replay's refusals in memory; more of them go to a temporary file
_PAGE_ROWS = 2_000  # rejections fetched at once from the server's cursor, at most
_PAGE_BYTES = 4 * 1024 * 1024  # of raw records in them, at most; on their way they take several times that


class Finalising:
    """See ``services.ledger_ports.FinalTransaction``."""

    def __init__(self, cursor: Cursor, job: Job, row: Any, database: Database, memory_mb: int, *, topic: bool) -> None:
        self._topic = topic
        self._cursor = cursor
        self._memory_mb = memory_mb
        self._database = database
        self.ending = Ending(
            job=job,
            reason=reason_of(row),
            counts={name: getattr(row, name) for name in COUNTS},
            cancelling=job.state is JobState.CANCELLING,
        )

    @contextmanager
    def replaying(self) -> Iterator[Replaying]:
        with SpooledTemporaryFile(max_size=_SPOOL_BYTES) as refusals:
            replay = Replaying(self._cursor, self.ending.job, refusals, gathered=self.has_gathered())
            yield replay
            booked = replay.end()
        if booked is not None:
            self._count(booked)

    def has_gathered(self) -> bool:
        return gather.waiting(self._cursor, self.ending.job.number)

    def merge(self, dataset: Dataset, seconds: float, *, alone: bool) -> bool:
        booked = gather.merge(self._cursor, dataset, self.ending.job, seconds, alone=alone)
        if booked is not None:
            self._count(booked)
        return booked is not None

    def scatter(self) -> None:
        gather.scatter(self._cursor, self.ending.job.number)

    def drop_gathered(self) -> None:
        self._count(gather.give_up(self._cursor, self.ending.job.number))

    def unwanted(self) -> bool:
        return cancelling.asked(self._cursor, self.ending.job.number)

    def disown(self) -> None:
        self._count(gather.disown(self._cursor, self.ending.job.number))

    @contextmanager
    def contested(self, dataset: Dataset) -> Iterator[Contested]:
        contested = Contested(self._cursor, self.ending.job, dataset, self._database)
        try:
            yield contested
        except FileRefused:
            contested.take_back()
            raise
        finally:
            contested.wait()
        booked = contested.end()
        if booked is not None:
            self._count(booked)

    def rejections(self) -> Iterator[RejectedRecord]:
        return rejected_records(self._cursor, self.ending.job.number)

    def receipt(self, worked: Worked | None = None) -> dict[str, Any]:
        job = self.ending.job
        work.add(self._cursor, job.number, worked, self._memory_mb)
        found = work.receipt_of(self._cursor, job.id)
        assert found is not None, "the finaliser holds the job's row"
        self._cursor.execute(JOBS["batch_receipts"], {"number": job.number})
        batches = [{name: _plain(value) for name, value in row._asdict().items()} for row in self._cursor.fetchall()]
        return {
            "id": str(job.id),
            "dataset": job.dataset,
            "object": {
                "bucket": job.object.bucket,
                "key": job.object.key,
                "version_id": job.object.version_id,
                "etag": job.object.etag,
                "size": job.object.size,
            },
            "columns": job.columns,
            "found": {name: getattr(job, name) for name in FOUND},
            "counts": dict(self.ending.counts),
            "causes": causes(self._cursor, [job.number]).get(job.number, []),
            "receipt": found[1],
            "data_start": job.data_start,
            "batches": batches,
        }

    def outdone(self) -> bool:
        return shadow.outdone(self._cursor, self.ending.job.dataset, self.ending.job.number)

    def discard(self) -> None:
        shadow.ignore_inserted(self._cursor, self.ending.job.number)
        counts = self.ending.counts
        counts = {**counts, "inserted": 0, "ignored": counts["ignored"] + counts["inserted"]}
        self.ending = replace(self.ending, counts=counts)

    def replace_table(self) -> Reason | None:
        return shadow.take_place(self._cursor, self.ending.job.dataset, self.ending.job.number)

    def after_load(self, what: AfterLoad) -> None:
        self._cursor.execute(JOBS["after_load"], {"number": self.ending.job.number, "after_load": what})

    def tell(self, events: Sequence[Event]) -> None:
        job = self.ending.job
        tell_of_job(self._cursor, job.id, job.number, job.dataset, events)

    def count_attempt(self, retry_seconds: int | None) -> None:
        values = {"number": self.ending.job.number, "seconds": retry_seconds}
        self._cursor.execute(queries("schedule")["count_attempt"], values)
        self._topic = self._topic and retry_seconds is None  # else this is no end

    def end(self, state: JobState, reason: Reason | None, audiences: Iterable[str]) -> None:
        number, old = self.ending.job.number, self.ending.job.state
        if not may_become(old, state):
            raise Terminal("illegal-transition", f"a job that is {old} cannot become {state}")
        body = reason_json(reason)
        self._cursor.execute(JOBS["end"], {"number": number, "state": state, "reason": body})
        self._cursor.execute(MERGE["forget"], {"dataset": self.ending.job.dataset})
        if self.ending.job.replaces:
            shadow.drop(self._cursor, number)
        if self.ending.job.gathers:
            gather.drop(self._cursor, number)
        self._cursor.execute(CLAIMS["forget"], {"job": number})
        cancelling.forget(self._cursor, number)
        for audience in (*audiences, *(["topic"] if self._topic else [])):
            self._cursor.execute(OUTBOX["put"], {"job": number, "audience": audience})
        # What a cancelled job has loaded may be added up, or be in the way of the same records: a person decides.
        untouched = state is JobState.CANCELLED and not self.ending.counts["inserted"] + self.ending.counts["updated"]
        if untouched or (reason is not None and reason.kind != "file"):
            reopen_duplicate(self._cursor, number)

    def _count(self, row: Any) -> None:
        self.ending = replace(self.ending, counts={name: getattr(row, name) for name in COUNTS})


def reopen_duplicate(cursor: Cursor, number: int) -> None:
    """Same bytes were dropped again while this job was under way: then they are loaded by one of those jobs.

    The sweep starts it, as it does all that is open and stands still; but not while this job is to be tried again.
    """
    cursor.execute(JOBS["reopen_duplicate"], {"number": number})
    reopened = cursor.fetchone()
    if reopened is not None:
        cursor.execute(JOBS["forget_notice_of_duplicate"], {"reopened": reopened.number})
        cursor.execute(JOBS["pass_on_duplicates"], {"number": number, "reopened": reopened.number})


def rejected_records(cursor: Cursor, number: int, *, resolved: bool = True) -> Iterator[RejectedRecord]:
    """Every rejected record of a job in file order, streamed; without those ``resolved`` if so wished."""
    cursor.execute(JOBS["longest_rejection"], {"number": number})
    longest = cursor.fetchone().bytes or 1
    with cursor.connection.cursor("rejected", cursor_factory=type(cursor)) as named:
        named.itersize = max(1, min(_PAGE_ROWS, _PAGE_BYTES // longest))
        named.execute(JOBS["rejected_records"], {"number": number, "resolved": resolved})
        row: Any
        for row in named:
            errors = tuple(RecordError(e["column"], e["code"], e["message"]) for e in row.errors)
            yield RejectedRecord(line=row.line, record=int(row.record), errors=errors, raw=bytes(row.raw))


def reason_of(row: Any) -> Reason | None:
    """Why the job of this row failed."""
    return None if row.reason is None else Reason(row.reason["code"], row.reason["message"], row.reason["class"])


def reason_json(reason: Reason | None) -> psycopg2.extras.Json | None:
    """A reason as a parameter for its jsonb column."""
    return None if reason is None else as_json(reason.as_json())


def _plain(value: Any) -> Any:
    return timestamp(value) if isinstance(value, datetime) else value

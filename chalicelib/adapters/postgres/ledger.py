"""The ledger: jobs, batches and the outbox, each method one transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg2.extras

from chalicelib.adapters.postgres import cancelling, gather, shadow, work
from chalicelib.adapters.postgres.claims import claim
from chalicelib.adapters.postgres.corrections import find_parent, lacks_its_whole
from chalicelib.adapters.postgres.database import Cursor, Database, as_json
from chalicelib.adapters.postgres.finalising import Finalising, reason_json
from chalicelib.adapters.postgres.loading import Loading
from chalicelib.adapters.postgres.queries import queries
from chalicelib.core.attempts import Attempts
from chalicelib.core.claims import KeyFacts
from chalicelib.core.containers import Found
from chalicelib.core.corrections import Place
from chalicelib.core.cut import Cut
from chalicelib.core.header import Layout
from chalicelib.core.schema import AfterLoad
from chalicelib.core.states import JobState
from chalicelib.errors import Contended, FileRefused
from chalicelib.services.ports import Batch, Job, Reason, StoredObject, Terms, Untidy
from chalicelib.services.telemetry import Worked

CLAIMS = queries("claims")
JOBS = queries("jobs")
BATCHES = queries("batches")
OUTBOX = queries("outbox")
TELLING = queries("telling")
SCHEDULE = queries("schedule")

_UNTIDY = 100  # jobs whose objects are put away at once
_UNTIDY_SECONDS = 60  # the one who finished a job puts its object away; the sweep leaves it this time


class PostgresLedger:
    """See ``services.ledger_ports.Ledger`` for what each method promises.

    With ``topic`` each end of a job is put into the outbox for the topic, too.
    """

    def __init__(self, database: Database, memory_mb: int, *, topic: bool = False) -> None:
        self._database = database
        self._topic = topic
        self._memory_mb = memory_mb

    def open_job(
        self, id: UUID, stored: StoredObject, terms: Terms, *, sha256: str | None = None, again: bool = False
    ) -> Job:
        # Without versions, validating a file and loading it are told apart all the same.
        revision = revision_of(stored) + ":validate" * (terms.validate_only and stored.version_id is None)
        values = _opening(id, stored, revision, terms, sha256)
        with self._database.transaction() as cursor:
            cursor.execute(JOBS["lock_name"], values)
            cursor.execute(JOBS["adopt"], values)
            adopted = cursor.rowcount > 0
            if not adopted:
                cursor.execute(JOBS["insert"], values)
                if cursor.rowcount and not terms.validate_only and not again:
                    _mark_duplicate(cursor, values)
                    if self._topic:
                        cursor.execute(OUTBOX["put_duplicate"], values)
            cursor.execute(JOBS["by_revision"], values)
            return as_job(cursor.fetchone())

    def reopen(self, id: UUID, stored: StoredObject, terms: Terms) -> Job:
        revision = f"{revision_of(stored)}:again:{id}"
        values = _opening(id, stored, revision, terms)
        with self._database.transaction() as cursor:
            cursor.execute(JOBS["lock_name"], values)
            cursor.execute(JOBS["insert"], values)
            cursor.execute(JOBS["mark_again"], {**values, "first": revision_of(stored)})
            cursor.execute(JOBS["by_revision"], values)
            return as_job(cursor.fetchone())

    def job(self, id: UUID) -> Job | None:
        with self._database.transaction() as cursor:
            return _job(cursor, id)

    def limit_attempts(self, job: Job, attempts: Attempts) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(SCHEDULE["limit_attempts"], {"number": job.number, **attempts._asdict()})

    def open_unasked(self, job: Job) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(SCHEDULE["open_unasked"], {"number": job.number})

    def ask(self, job: Job, attempts: Attempts, *, validate_only: bool) -> None:
        values = {"number": job.number, "validate_only": validate_only, **attempts._asdict()}
        with self._database.transaction() as cursor:
            cursor.execute(SCHEDULE["ask"], values)

    def note_trouble(self, id: UUID, batch: int | None, reason: Reason) -> None:
        with self._database.transaction() as cursor:
            body = as_json({**reason.as_json(), "batch": batch})
            cursor.execute(SCHEDULE["note_trouble"], {"id": id, "reason": body})

    def trouble(self, id: UUID, batch: int | None) -> Reason | None:
        with self._database.transaction() as cursor:
            cursor.execute(SCHEDULE["trouble"], {"id": id})
            row = cursor.fetchone()
            found = None if row is None else row.trouble
            if found is None or found["batch"] != batch:
                return None
            return Reason(found["code"], found["message"], found["class"])

    def hold(self, job: Job, until: datetime) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(SCHEDULE["hold"], {"number": job.number, "until": until})

    def start(
        self,
        job: Job,
        layout: Layout,
        found: Found,
        *,
        corrected: Sequence[Place] = (),
        replaces: bool = False,
        gathers: bool = False,
    ) -> Job:
        with self._database.transaction() as cursor:
            parent = None if layout.labels is None else find_parent(cursor, job, layout.columns, corrected)
            gathers = gathers and gather.fits(cursor, job.dataset)
            if parent is not None and lacks_its_whole(cursor, parent):
                raise FileRefused("parent-not-loaded", "the table does not hold the file that this one corrects")
            cursor.execute(
                JOBS["start"],
                {
                    "number": job.number,
                    "columns": list(layout.columns),
                    "labels": None if layout.labels is None else list(layout.labels),
                    "parent": parent,
                    "delimiter": layout.delimiter,
                    "data_start": layout.data_start,
                    "first_line": layout.first_line,
                    "replaces": replaces,
                    "gathers": gathers,
                    "container": found.container,
                    "format": found.format,
                    "encoding": found.encoding,
                    "staged": found.staged,
                },
            )
            if not cursor.rowcount:
                raise Contended("split-elsewhere", f"job {job.id} is being split by another worker, or was ended")
            if replaces:
                shadow.make(cursor, job.dataset, job.number)
            if gathers:
                gather.make(cursor, job.dataset, job.number)
            return _sure(cursor, job)

    def plan(
        self, job: Job, cuts: Sequence[Cut], split_to: int, line: int, *, done: bool, worked: Worked | None = None
    ) -> Job:
        with self._database.transaction() as cursor:
            work.add(cursor, job.number, worked, self._memory_mb)
            cursor.execute(
                JOBS["advance_split"],
                {
                    "number": job.number,
                    "split_from": job.split_offset,
                    "split_to": split_to,
                    "line": line,
                    "batches": job.batches,
                    "planned": len(cuts),
                    "done": done,
                },
            )
            if not cursor.rowcount:
                return _stopped(cursor, job)
            rows = [
                (job.number, number, cut.start, cut.end, cut.first_line, cut.oversize)
                for number, cut in enumerate(cuts, job.batches)
            ]
            if rows:
                psycopg2.extras.execute_values(cursor, BATCHES["insert"], rows)
            return _sure(cursor, job)

    def pending(self, job: Job) -> list[int]:
        with self._database.transaction() as cursor:
            return pending(cursor, job)

    def end_split(self, job: Job, reason: Reason | None) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(JOBS["end_split"], {"number": job.number, "reason": reason_json(reason)})

    def begin(self, id: UUID, number: int) -> Batch | None:
        with self._database.transaction() as cursor:
            cursor.execute(BATCHES["begin"], {"id": id, "batch": number})
            row = cursor.fetchone()
            if row is None:
                return None
            if row.batch_state == "cancelled":
                cursor.execute(BATCHES["cancel_in_job"], {"number": row.number})
                return None
            cut = Cut(start=row.byte_start, end=row.byte_end, first_line=row.first_line, oversize=row.oversize)
            return Batch(job=as_job(row), number=number, cut=cut)

    def claim(self, batch: Batch, facts: KeyFacts) -> None:
        with self._database.transaction() as cursor:
            claim(cursor, batch, facts)

    @contextmanager
    def loading(self, batch: Batch, facts: KeyFacts) -> Iterator[Loading | None]:
        with self._database.transaction() as cursor:
            here = {"job": batch.job.number, "batch": batch.number}
            cursor.execute(BATCHES["lock"], here)
            row = cursor.fetchone()
            if row is not None and row.unwanted:
                cursor.execute(BATCHES["cancel"], here)
                cursor.execute(BATCHES["cancel_in_job"], {"number": batch.job.number})
            yield Loading(cursor, batch, facts, self._memory_mb) if row is not None and not row.unwanted else None

    def worked(self, job: Job, worked: Worked, batch: int | None = None) -> None:
        with self._database.transaction() as cursor:
            if batch is None:
                work.add(cursor, job.number, worked, self._memory_mb)
            else:
                here = {"job": job.number, "batch": batch}
                cursor.execute(work.WORK["add_to_batch"], {**here, **work.spent(worked, self._memory_mb)})

    def fail(self, id: UUID, number: int, reason: Reason) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(BATCHES["fail"], {"id": id, "batch": number})
            row = cursor.fetchone()
            if row is not None:
                cursor.execute(BATCHES["fail_job"], {"number": row.number, "reason": reason_json(reason)})
            return row is not None

    @contextmanager
    def finalising(self, id: UUID) -> Iterator[Finalising | None]:
        with self._database.transaction() as cursor:
            cursor.execute(JOBS["lock_complete"], {"id": id})
            row = cursor.fetchone()
            if row is not None and cancelling.asked(cursor, row.number):
                cancelling.stop(cursor, row.number)
                cursor.execute(JOBS["by_id"], {"id": id})
                row = cursor.fetchone()
            if row is None:
                yield None
            else:
                yield Finalising(cursor, as_job(row), row, self._database, self._memory_mb, topic=self._topic)

    def unsent(self, id: UUID) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(OUTBOX["unsent"], {"id": id})
            return bool(cursor.rowcount)

    def untold(self, id: UUID) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(TELLING["untold"], {"id": id})
            return bool(cursor.rowcount)

    def drop_left_over(self) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(CLAIMS["forget_left_over"])
            cursor.execute(queries("fetch")["forget"], {"number": None})
            return shadow.drop_left_over(cursor) + gather.drop_left_over(cursor)

    def untidy(self, id: UUID) -> Untidy | None:
        with self._database.transaction() as cursor:
            cursor.execute(JOBS["untidy"], {"id": id})
            row = cursor.fetchone()
            return None if row is None else Untidy(as_job(row), AfterLoad(row.after_load))

    def all_untidy(self) -> list[Untidy]:
        with self._database.transaction() as cursor:
            cursor.execute(JOBS["take_untidy"], {"idle_seconds": _UNTIDY_SECONDS, "limit": _UNTIDY})
            return [Untidy(as_job(row), AfterLoad(row.after_load)) for row in cursor.fetchall()]

    def tidied(self, job: Job) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(JOBS["tidied"], {"number": job.number})


def revision_of(stored: StoredObject) -> str:
    """What tells this version of an object from others of its name."""
    return stored.version_id or f"etag:{stored.etag}"


def as_job(row: Any) -> Job:
    """The job of a row that has all columns of ``dropload.job``."""
    return Job(
        number=row.number,
        id=row.id,
        dataset=row.dataset,
        state=JobState(row.state),
        object=StoredObject(row.bucket, row.key, row.version_id, row.etag, row.size),
        columns=None if row.columns is None else tuple(row.columns),
        labels=None if row.labels is None else tuple(row.labels),
        delimiter=row.delimiter,
        encoding=row.encoding,
        container=row.container,
        format=row.format,
        staged=row.staged,
        validate_only=row.validate_only,
        atomic=row.atomic,
        replaces=row.replaces,
        gathers=row.gathers,
        parent=row.parent,
        data_start=row.data_start,
        batch_bytes=row.batch_bytes,
        split_offset=row.split_offset,
        split_line=row.split_line,
        split_done=row.split_done,
        batches=row.batches,
        fetching=row.fetching,
        asked=row.asked,
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        starts_at=row.starts_at,
        keeps=row.keeps,
    )


def _opening(id: UUID, stored: StoredObject, revision: str, terms: Terms, sha256: str | None = None) -> dict[str, Any]:
    return {
        **asdict(terms),
        "id": id,
        "bucket": stored.bucket,
        "key": stored.key,
        "revision": revision,
        "version_id": stored.version_id,
        "etag": stored.etag,
        "size": stored.size,
        "sha256": sha256,
    }


def _mark_duplicate(cursor: Cursor, values: dict[str, Any]) -> None:
    cursor.execute(JOBS["find_same_bytes"], values)
    earlier = cursor.fetchone()
    if earlier is not None:
        cursor.execute(JOBS["mark_duplicate"], {**values, "earlier": earlier.number})


def _job(cursor: Cursor, id: UUID) -> Job | None:
    cursor.execute(JOBS["by_id"], {"id": id})
    row = cursor.fetchone()
    return None if row is None else as_job(row)


def _sure(cursor: Cursor, job: Job) -> Job:
    """The job as it is now, inside a transaction that has just changed it."""
    fresh = _job(cursor, job.id)
    if fresh is None:
        raise Contended("job-gone", f"job {job.id} was removed while it was split")
    return fresh


def _stopped(cursor: Cursor, job: Job) -> Job:
    """The job whose split cannot go on because it was stopped. Raises Contended where that is not why."""
    if cancelling.asked(cursor, job.number):
        cancelling.stop(cursor, job.number)
    cursor.execute(JOBS["by_id"], {"id": job.id})
    row = cursor.fetchone()
    if row is None or not row.stopped:
        raise Contended("split-elsewhere", f"job {job.id} is being split by another worker, or was ended")
    return as_job(row)


def pending(cursor: Cursor, job: Job) -> list[int]:
    """Numbers of the batches that have not ended."""
    cursor.execute(BATCHES["pending"], {"number": job.number})
    return [row.number for row in cursor.fetchall()]

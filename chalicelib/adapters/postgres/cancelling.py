"""Cancellations: asked for in a row of their own, which everybody looks at who is at work on a job."""

from uuid import UUID

import psycopg2.errors

from chalicelib.adapters.postgres.attempt import attempt
from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.core.states import JobState

CANCELLING = queries("cancelling")


class PostgresCancellations:
    """See ``services.cancel.Cancellations``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cancel(self, id: UUID) -> JobState | None:
        with self._database.transaction() as cursor:
            cursor.execute(CANCELLING["ask"], {"id": id})
            cursor.execute(CANCELLING["number_of"], {"id": id})
            job = cursor.fetchone()
            if job is None:
                return None
            cursor.execute(CANCELLING["be_brief"])
            with attempt(cursor) as stopping:
                try:
                    stop(cursor, job.number)
                except psycopg2.errors.LockNotAvailable:
                    return JobState.CANCELLING
                stopping.keep()
            cursor.execute(CANCELLING["number_of"], {"id": id})
            return JobState(cursor.fetchone().state)


def asked(cursor: Cursor, job: int) -> bool:
    """Whether somebody has called this job off."""
    cursor.execute(CANCELLING["asked"], {"job": job})
    return bool(cursor.fetchone().found)


def stop(cursor: Cursor, job: int) -> None:
    """Make an open job CANCELLING: no batch that has not begun ever will, and none is cut any more."""
    cursor.execute(CANCELLING["hold"], {"job": job})
    if cursor.rowcount:
        cursor.execute(CANCELLING["stop"], {"job": job})


def forget(cursor: Cursor, job: int) -> None:
    """The job has ended, or begins anew."""
    cursor.execute(CANCELLING["forget"], {"job": job})

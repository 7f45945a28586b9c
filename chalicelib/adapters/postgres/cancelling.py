"""Cancellations: asked for in a row of their own, which everybody looks at who is at work on a job."""

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries

CANCELLING = queries("cancelling")


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

"""Shadows: where the rows of a job that replaces its dataset's table wait, and how they take the table's place."""

import time

import psycopg2.errors
from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.refusals import REFUSED
from chalicelib.adapters.postgres.tables import table_of
from chalicelib.services.ports import Reason

SHADOW = queries("shadow")
_TRIES = 4  # of a swap, each of a second at most
_PAUSE = 0.5  # seconds between them, in which those who waited behind us get their turn
_FOREIGN_KEY = "23503"


def shadow_of(job: int) -> sql.Identifier:
    """Where the rows of this job are until it ends."""
    return sql.Identifier("dropload", f"shadow_{job}")


def make(cursor: Cursor, dataset: str, job: int) -> None:
    """Make a job's shadow, which refuses what the dataset's table refuses; keys only where that is not ``bulk``'s."""
    _run(cursor, "make", dataset, job)


def hold(cursor: Cursor, dataset: str) -> None:
    """Keep the sequence of the table's ids from being exchanged in this transaction."""
    cursor.execute(SHADOW["hold"], {"dataset": dataset})


def outdone(cursor: Cursor, dataset: str, job: int) -> bool:
    """Whether a later job has replaced the table; nobody else replaces it before this transaction ends."""
    cursor.execute(SHADOW["newest"], {"dataset": dataset})
    return bool(cursor.fetchone().job > job)


def ignore_inserted(cursor: Cursor, job: int) -> None:
    """Book what the job has put into its shadow as ignored."""
    cursor.execute(SHADOW["ignore_inserted"], {"job": job})


def drop(cursor: Cursor, job: int) -> None:
    """Drop a job's shadow, if there is one."""
    cursor.execute(sql.SQL(SHADOW["drop"]).format(shadow=shadow_of(job)), {"job": job})


def drop_left_over(cursor: Cursor) -> int:
    """Drop the shadows of jobs that have ended; how many there were."""
    cursor.execute(SHADOW["left_over"])
    jobs = [row.job for row in cursor.fetchall()]
    for job in jobs:
        drop(cursor, job)
    return len(jobs)


def take_place(cursor: Cursor, dataset: str, job: int) -> Reason | None:
    """Make the shadow's rows the table's rows at the end of this transaction; else why the database refused them.

    Where nothing knows the table but by its name, the shadow becomes the table. Else, or where somebody would have to
    wait too long or would see the half of it, its rows are copied, which takes longer and keeps no reader waiting.
    """
    refused = None if _swap(cursor, dataset, job) else _copy(cursor, dataset, job)
    if refused is None:
        cursor.execute(SHADOW["replaced_by"], {"dataset": dataset, "job": job})
    return refused


def may_swap(cursor: Cursor, dataset: str, job: int) -> bool:
    """Whether, as things are now, the shadow may become the table."""
    _run(cursor, "may_swap", dataset, job)
    return bool(cursor.fetchone().found)


def _swap(cursor: Cursor, dataset: str, job: int) -> bool:
    if not may_swap(cursor, dataset, job):
        return False
    cursor.execute(SHADOW["savepoint"])
    try:
        _run(cursor, "prepare", dataset, job)
    except REFUSED:  # by a unique index that the table has been given since
        cursor.execute(SHADOW["roll_back"])
        return False
    cursor.execute(SHADOW["release"])
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE)
        cursor.execute(SHADOW["savepoint"])
        try:
            _run(cursor, "lock", dataset, job)
            _run(cursor, "ready", dataset, job)
            ready = cursor.fetchone()
            if ready.free and not ready.watched:
                _run(cursor, "swap", dataset, job)
                return True
        except psycopg2.errors.LockNotAvailable:
            ready = None
        cursor.execute(SHADOW["roll_back"])
        if ready is not None and not ready.free:
            break
    return False


def _copy(cursor: Cursor, dataset: str, job: int) -> Reason | None:
    _run(cursor, "reached_by_deletes", dataset, job)
    key = cursor.fetchone()
    if key is not None:
        rule = f"the foreign key {key.conname} of another table forbids to delete its rows, or would lose its own"
        return Reason("not-replaced", f"{rule}; make it ON DELETE NO ACTION", "terminal")
    cursor.execute(SHADOW["savepoint"])
    try:
        _run(cursor, "copy", dataset, job)
    except REFUSED as error:
        cursor.execute(SHADOW["roll_back"])
        return _refusal(error)
    cursor.execute(SHADOW["release"])
    return None


def _refusal(error: psycopg2.Error) -> Reason:
    rule = error.diag.constraint_name or f"SQLSTATE {error.pgcode}"
    if error.pgcode == _FOREIGN_KEY:
        message = f"rows of another table refer to records that the file does not have ({rule}); nothing was replaced"
        return Reason("foreign-key", message, "file")
    return Reason("not-replaced", f"the database refused the new rows as a whole ({rule})", "terminal")


def _run(cursor: Cursor, query: str, dataset: str, job: int) -> None:
    target, shadow = table_of(dataset), shadow_of(job)
    statement = sql.SQL(SHADOW[query]).format(
        table=target,
        shadow=shadow,
        target=sql.Literal(target.as_string(cursor)),
        shadow_name=sql.Literal(shadow.as_string(cursor)),
    )
    cursor.execute(statement, {"dataset": dataset, "job": job})

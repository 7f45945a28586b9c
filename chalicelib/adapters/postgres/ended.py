"""A job that was to be tried again is not: this is its end, and what was kept back until now is told."""

from collections.abc import Iterable
from typing import Any

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.telling import tell_of_job
from chalicelib.core.news import news_of
from chalicelib.core.states import JobState

OUTBOX = queries("outbox")


def tell_of_end(cursor: Cursor, row: Any, audiences: Iterable[str] = (), *, topic: bool) -> None:
    """Put in all that there is to tell of a job that stays FAILED: ``row`` is as the queries that stop it return it.

    To be called in their transaction, once the job is as it stays.
    """
    for audience in (*audiences, *(["topic"] if topic else [])):
        cursor.execute(OUTBOX["put"], {"job": row.number, "audience": audience})
    events = news_of(JobState.FAILED, row.changed, validate_only=row.validate_only)
    tell_of_job(cursor, row.id, row.number, row.dataset, events)

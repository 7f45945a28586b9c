"""What there is to tell webhooks is put into the ledger by the transaction in which it happens."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.tables import table_of
from chalicelib.adapters.postgres.views import job_view
from chalicelib.core.news import Event, render
from chalicelib.core.origin import origin_of
from chalicelib.services.webhook_ports import Changed

TELLING = queries("telling")

_RECORD_EVENTS = 500  # taken at once
_WINDOW = 200_000  # ids looked at by one statement
_WINDOWS = 10  # for one page
_MOST_BATCHES = 1 << 23


def tell_of_job(cursor: Cursor, id: UUID, number: int, dataset: str, events: Sequence[Event]) -> None:
    """Put in what somebody wants to know of a job that has just ended, as the API shows it from now on."""
    news = wanted(cursor, dataset, events)
    if not news:
        return
    cursor.execute(TELLING["now"])
    at = cursor.fetchone().at
    view = job_view(cursor, id) if any(event is not Event.RECORDS_CHANGED for event in news) else None
    for event in events:
        if event in news:
            body = None if event is Event.RECORDS_CHANGED or view is None else render(event, at, view)
            put(cursor, event, dataset, body, job=number)


def wanted(cursor: Cursor, dataset: str, events: Sequence[str]) -> set[str]:
    """Which of these events of a dataset anybody wants to be told."""
    if not events:
        return set()
    cursor.execute(TELLING["wanted"], {"dataset": dataset, "events": list(events)})
    return {row.event for row in cursor.fetchall()}


def put(
    cursor: Cursor, event: str, dataset: str, body: str | None, *, job: int | None = None, at: datetime | None = None
) -> None:
    """Put a message in; without a body it is to be looked up what rows its job has changed."""
    cursor.execute(TELLING["put"], {"event": event, "dataset": dataset, "job": job, "payload": body, "at": at})


def collect(cursor: Cursor, most_ids: int) -> bool:
    """See ``services.webhook_ports.Outgoing.collect``: what follows one another and is alike is told at once."""
    cursor.execute(TELLING["take_record_events"], {"limit": _RECORD_EVENTS})
    rows = cursor.fetchall()
    for run in _alike(rows):
        first = run[0]
        if wanted(cursor, first.dataset, [first.event]):
            for ids in _pages(run, most_ids):
                body = render(first.event, first.created_at, {"dataset": first.dataset, "ids": ids})
                put(cursor, first.event, first.dataset, body, at=first.created_at)
    cursor.execute(TELLING["told_record_events"], {"numbers": [row.number for row in rows]})
    return bool(rows)


@contextmanager
def changed(cursor: Cursor) -> Iterator[tuple[Changed, Callable[[str], None]] | None]:
    """See ``services.webhook_ports.Outgoing.changed``."""
    cursor.execute(TELLING["take_changes"])
    row = cursor.fetchone()
    if row is None:
        yield None
        return
    change = Changed(row.number, row.job_id, row.dataset, row.at)
    yield change, lambda body: put(cursor, Event.RECORDS_CHANGED, row.dataset, body, job=row.job, at=row.at)
    cursor.execute(TELLING["drop_message"], {"number": row.number})


def _alike(rows: Sequence[Any]) -> list[list[Any]]:
    return [list(run) for _, run in groupby(rows, lambda row: (row.dataset, row.event, row.ids is None))]


def _pages(run: Sequence[Any], most_ids: int) -> Iterator[list[int] | None]:
    """None for all the rows that there were."""
    if run[0].ids is None:
        yield None
        return
    ids = list(dict.fromkeys(id for row in run for id in row.ids))
    for start in range(0, len(ids), most_ids):
        yield ids[start : start + most_ids]


class PostgresChanges:
    """See ``services.webhook_ports.Changes``. Rows are found by their origin, which no index has: so by windows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ids(self, job: UUID, dataset: str, below: int | None, limit: int) -> tuple[list[int], int | None]:
        name = {"table": table_of(dataset)}
        with self._database.transaction() as cursor:
            cursor.execute(TELLING["job_number"], {"id": job})
            number = cursor.fetchone().number
            range_of = {"first": origin_of(number, 0), "last": origin_of(number, _MOST_BATCHES - 1)}
            found: list[int] = []
            for _ in range(_WINDOWS):
                cursor.execute(sql.SQL(TELLING["top"]).format(**name), {"below": below})
                top = cursor.fetchone().id
                if top is None:
                    return found, None
                window: Mapping[str, Any] = {**range_of, "top": top, "window": _WINDOW, "limit": limit - len(found)}
                cursor.execute(sql.SQL(TELLING["changed_ids"]).format(**name), window)
                found += [row.id for row in cursor.fetchall()]
                if len(found) == limit:
                    return found, found[-1]
                below = top - _WINDOW + 1
            return found, below

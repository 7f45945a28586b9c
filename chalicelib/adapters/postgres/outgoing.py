"""Deliveries to webhooks in the ledger: what is due, who delivers it, what became of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.adapters.postgres import telling
from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.core.news import RECORD_EVENTS
from chalicelib.services.webhook_ports import Changed, Due, Outcome

DELIVERIES = queries("deliveries")

_SPREAD = 10  # messages at once: each may have as many deliveries as there are webhooks
_FORGOTTEN = 1_000  # messages at once


class PostgresOutgoing:
    """See ``services.webhook_ports.Outgoing``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self, most_ids: int) -> bool:
        with self._database.transaction() as cursor:
            return telling.collect(cursor, most_ids)

    @contextmanager
    def changed(self) -> Iterator[tuple[Changed, Callable[[str], None]] | None]:
        with self._database.transaction() as cursor, telling.changed(cursor) as change:
            yield change

    def spread(self, now: datetime) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(telling.TELLING["spread"], {"limit": _SPREAD, "now": now})
            return bool(cursor.rowcount)

    def claim(self, lease: UUID, most: int, seconds: float, now: datetime) -> list[Due]:
        with self._database.transaction() as cursor:
            cursor.execute(DELIVERIES["lease"], {"lease": lease, "limit": most, "seconds": seconds, "now": now})
            leased = {row.number for row in cursor.fetchall()}
            if not leased:
                return []
            cursor.execute(DELIVERIES["first_due"], {"webhooks": list(leased), "now": now})
            due = [_due(row) for row in cursor.fetchall()]
            idle = leased - {each.webhook for each in due}
            if idle:
                cursor.execute(DELIVERIES["release"], {"webhooks": list(idle), "lease": lease})
            return due

    def book(self, lease: UUID, outcomes: Sequence[Outcome], now: datetime) -> None:
        webhooks = [outcome.due.webhook for outcome in outcomes]
        with self._database.transaction() as cursor:
            cursor.execute(DELIVERIES["lock"], {"webhooks": webhooks})
            for outcome in outcomes:
                _book(cursor, outcome, now)
            cursor.execute(DELIVERIES["release"], {"webhooks": webhooks, "lease": lease})

    def wake_at(self, now: datetime, latest: datetime) -> datetime | None:
        with self._database.transaction() as cursor:
            cursor.execute(DELIVERIES["next_due"])
            at = cursor.fetchone().at
            if at is None:
                return None
            cursor.execute(DELIVERIES["wake"], {"at": min(max(at, now), latest), "now": now})
            row = cursor.fetchone()
            return None if row is None else row.at

    def wake_for_records(self, now: datetime, at: datetime) -> bool:
        values = {"now": now, "at": at, "events": list(RECORD_EVENTS)}
        with self._database.transaction() as cursor:
            cursor.execute(DELIVERIES["wake_for_records"], values)
            return bool(cursor.rowcount)

    def forget(self, now: datetime, days: int) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(DELIVERIES["forget_payloads"], {"limit": _FORGOTTEN})
            cursor.execute(DELIVERIES["forget_messages"], {"limit": _FORGOTTEN, "now": now, "days": days})


def _due(row: Any) -> Due:
    return Due(
        number=row.number,
        id=row.id,
        event=row.event,
        payload=row.payload,
        attempts=row.attempts,
        first_at=row.first_at,
        webhook=row.webhook,
        webhook_id=row.webhook_id,
        url=row.url,
        salts=tuple(bytes(salt) for salt in (row.salt, row.old_salt) if salt is not None),
        failures=row.failures,
        failing_since=row.failing_since,
    )


def _book(cursor: Cursor, outcome: Outcome, now: datetime) -> None:
    attempt = outcome.attempt
    values = {
        "delivery": outcome.due.number,
        "webhook": outcome.due.webhook,
        "at": attempt.at,
        "status": attempt.status,
        "error": attempt.error,
        "milliseconds": attempt.milliseconds,
        "state": outcome.state,
        "due_at": outcome.due_at,
        "paused_until": outcome.paused_until,
        "reason": outcome.disabled,
        "now": now,
    }
    cursor.execute(DELIVERIES["attempt"], values)
    cursor.execute(DELIVERIES["book"], values)
    cursor.execute(DELIVERIES["succeeded" if attempt.error is None else "failed"], values)
    if outcome.back:
        cursor.execute(DELIVERIES["hurry"], values)
    if outcome.disabled is not None:
        cursor.execute(DELIVERIES["disable"], values)
        cursor.execute(DELIVERIES["cancel"], values)

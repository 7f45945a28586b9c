"""Webhooks and the log of their deliveries, in the API's shapes."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.views import timestamp
from chalicelib.services.webhook_ports import Wish

WEBHOOKS = queries("webhooks")
_ATTEMPTS = 20  # shown of a delivery, the last


class PostgresWebhooks:
    """See ``services.webhook_ports.WebhookStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, id: UUID, wish: Wish, salt: bytes, most: int) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(WEBHOOKS["lock"])
            cursor.execute(WEBHOOKS["count"])
            if cursor.fetchone().webhooks >= most:
                return False
            cursor.execute(WEBHOOKS["insert"], {**_values(id, wish), "salt": salt})
            return True

    def views(
        self, *, id: UUID | None = None, before: UUID | None = None, datasets: Collection[str] | None, limit: int
    ) -> list[dict[str, Any]]:
        limits = {"datasets": None if datasets is None else list(datasets), "limit": limit}
        with self._database.transaction() as cursor:
            cursor.execute(WEBHOOKS["list"], {"id": id, "before": before, **limits})
            return [_view(row) for row in cursor.fetchall()]

    def change(self, id: UUID, wish: Wish) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(WEBHOOKS["change"], _values(id, wish))
            row = cursor.fetchone()
            if row is not None:
                cursor.execute(WEBHOOKS["cancel_unwanted"], {"number": row.number})
            return row is not None

    def remove(self, id: UUID) -> bool:
        return self._done("delete", {"id": id})

    def rotate(self, id: UUID, salt: bytes, seconds: int) -> bool:
        return self._done("rotate", {"id": id, "salt": salt, "seconds": seconds})

    def enable(self, id: UUID) -> bool:
        return self._done("enable", {"id": id})

    def put_test(self, id: UUID, delivery: UUID, event: str, payload: str) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(WEBHOOKS["unpause"], {"id": id})
            row = cursor.fetchone()
            if row is not None:
                values = {"number": row.number, "delivery": delivery, "event": event, "payload": payload}
                cursor.execute(WEBHOOKS["put_test"], values)
            return row is not None

    def deliveries(
        self, webhook: UUID, *, id: UUID | None = None, before: UUID | None = None, limit: int
    ) -> list[dict[str, Any]]:
        with self._database.transaction() as cursor:
            cursor.execute(WEBHOOKS["deliveries"], {"webhook": webhook, "id": id, "before": before, "limit": limit})
            rows = cursor.fetchall()
            attempts = _attempts(cursor, [row.number for row in rows])
        return [_delivery(row, attempts[row.number]) for row in rows]

    def _done(self, query: str, values: dict[str, Any]) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(WEBHOOKS[query], values)
            return bool(cursor.rowcount)


def _values(id: UUID, wish: Wish) -> dict[str, Any]:
    return {
        "id": id,
        "url": wish.url,
        "description": wish.description,
        "datasets": None if wish.datasets is None else list(wish.datasets),
        "events": list(wish.events),
    }


def _attempts(cursor: Cursor, deliveries: list[int]) -> dict[int, list[dict[str, Any]]]:
    cursor.execute(WEBHOOKS["attempts"], {"deliveries": deliveries, "limit": _ATTEMPTS})
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in cursor.fetchall():
        attempt = {"at": timestamp(row.at), "status": row.status, "milliseconds": row.milliseconds, "error": row.error}
        found[row.delivery].append(attempt)
    return found


def _view(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "url": row.url,
        "description": row.description,
        "datasets": row.datasets,
        "events": row.events,
        "state": row.state,
        "reason": row.reason,
        "failing_since": timestamp(row.failing_since),
        "old_secret_until": timestamp(row.old_until),
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
        "links": {"self": f"/v1/webhooks/{row.id}", "deliveries": f"/v1/webhooks/{row.id}/deliveries"},
    }


def _delivery(row: Any, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "event": row.event,
        "dataset": row.dataset,
        "job": None if row.job is None else str(row.job),
        "state": row.state,
        "due_at": timestamp(row.due_at) if row.state == "pending" else None,
        "attempts": attempts,
        "created_at": timestamp(row.created_at),
        "ended_at": timestamp(row.ended_at),
    }

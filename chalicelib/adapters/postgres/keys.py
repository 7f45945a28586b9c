"""API keys' hashes."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.views import timestamp
from chalicelib.core.access import Caller, Scope, scopes_of

KEYS = queries("keys")


class PostgresKeyStore:
    """See ``services.keys.KeyStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, id: UUID, name: str, hash: bytes, scopes: Collection[Scope], datasets: Collection[str] | None
    ) -> None:
        parameters = {
            "id": id,
            "name": name,
            "hash": hash,
            "scopes": sorted(scopes),
            "datasets": None if datasets is None else sorted(datasets),
        }
        with self._database.transaction() as cursor:
            cursor.execute(KEYS["insert"], parameters)

    def find(self, hash: bytes) -> Caller | None:
        with self._database.transaction() as cursor:
            cursor.execute(KEYS["find"], {"hash": hash})
            row = cursor.fetchone()
            if row is None:
                return None
            if row.is_stale:
                cursor.execute(KEYS["used"], {"id": row.id})
            datasets = None if row.datasets is None else frozenset(row.datasets)
            return Caller(str(row.id), row.name, scopes_of(row.scopes), datasets)

    def page(self, limit: int, before: UUID | None, datasets: Collection[str] | None) -> list[dict[str, Any]]:
        within = None if datasets is None else sorted(datasets)
        with self._database.transaction() as cursor:
            cursor.execute(KEYS["list"], {"limit": limit, "before": before, "datasets": within})
            return [_view(row) for row in cursor.fetchall()]

    def get(self, id: UUID) -> dict[str, Any] | None:
        with self._database.transaction() as cursor:
            cursor.execute(KEYS["get"], {"id": id})
            row = cursor.fetchone()
            return None if row is None else _view(row)

    def revoke(self, id: UUID) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(KEYS["revoke"], {"id": id})


def _view(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "scopes": row.scopes,
        "datasets": row.datasets,
        "created_at": timestamp(row.created_at),
        "last_used_at": timestamp(row.last_used_at),
        "revoked_at": timestamp(row.revoked_at),
    }

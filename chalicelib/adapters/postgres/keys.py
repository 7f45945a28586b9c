"""API keys' hashes."""

from collections.abc import Sequence
from uuid import UUID

from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.queries import queries

KEYS = queries("keys")


class PostgresKeyStore:
    """See ``services.keys.KeyStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, id: UUID, name: str, hash: bytes, scopes: Sequence[str]) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(KEYS["insert"], {"id": id, "name": name, "hash": hash, "scopes": list(scopes)})

    def scopes(self, hash: bytes) -> tuple[str, tuple[str, ...]] | None:
        with self._database.transaction() as cursor:
            cursor.execute(KEYS["scopes"], {"hash": hash})
            row = cursor.fetchone()
            return None if row is None else (str(row.id), tuple(row.scopes))

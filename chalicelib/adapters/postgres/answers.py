"""Answers that are kept by Idempotency-Key."""

from chalicelib.adapters.postgres.database import Cursor, Database, as_json
from chalicelib.adapters.postgres.queries import queries
from chalicelib.errors import Transient
from chalicelib.services.idempotency import Asked, Given

ANSWERS = queries("answers")
KEEP_SECONDS = 24 * 3600
SERVED_SECONDS = 60  # no request takes that long: API Gateway gives up after 29


class PostgresAnswers:
    """See ``services.idempotency.Answers``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, asked: Asked) -> Given | None:
        with self._database.transaction() as cursor:
            cursor.execute(ANSWERS["forget"], {"keep_seconds": KEEP_SECONDS})
            cursor.execute(ANSWERS["begin"], {**_parameters(asked), "served_seconds": SERVED_SECONDS})
            if cursor.fetchone() is not None:
                return None
            cursor.execute(ANSWERS["find"], _parameters(asked))
            row = cursor.fetchone()
            return Given(bytes(row.request), row.status, row.headers or {}, row.body)

    def keep(self, asked: Asked, given: Given) -> None:
        parameters = {"status": given.status, "headers": as_json(dict(given.headers)), "body": given.body}
        with self._database.transaction() as cursor:
            cursor.execute(ANSWERS["keep"], {**_parameters(asked), **parameters})

    def give_up(self, asked: Asked) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(ANSWERS["give_up"], _parameters(asked))


def mark_done(cursor: Cursor, asked: Asked | None) -> None:
    """Note in the transaction that does it that a request was done: it is not served again, answered or not.

    Raises Transient where it is not ours to serve any more; what it has done must be rolled back then.
    """
    if asked is None:
        return
    cursor.execute(ANSWERS["done"], _parameters(asked))
    if not cursor.rowcount:
        raise Transient("served-elsewhere", "another request with this Idempotency-Key is served instead")


def _parameters(asked: Asked) -> dict[str, object]:
    return {"caller": asked.caller, "key": asked.key, "request": asked.request, "dataset": asked.dataset}

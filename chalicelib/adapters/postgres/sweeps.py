"""What stands still in the ledger, and what of a listing it does not know."""

from collections.abc import Sequence

from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.ledger import as_job, pending, revision_of
from chalicelib.adapters.postgres.queries import queries
from chalicelib.core.objectkeys import printable_key
from chalicelib.services.ports import Job
from chalicelib.services.sweep_ports import Listed, TakenBack

SWEEP = queries("sweep")

_IDLE_SECONDS = 900  # a Lambda may run this long: a job without news for longer has nobody at work on it
_FINISH_SECONDS = 120  # whoever ends a job's last batch finishes it at once, and holds its row while he does
_LIVES_SECONDS = 960  # as above, with a minute for clocks and for being ended
_AT_ONCE = 100  # jobs swept in one transaction
_RESENT = 1_000  # batches of one job sent again at once


class PostgresSweeps:
    """See ``services.sweep_ports.Sweeps``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def place(self) -> str:
        with self._database.transaction() as cursor:
            cursor.execute(SWEEP["place"])
            return bytes(cursor.fetchone().place).decode(errors="surrogatepass")

    def keep_place(self, after: str) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(SWEEP["keep_place"], {"place": after.encode(errors="surrogatepass")})

    def missed(self, listed: Sequence[Listed]) -> list[Listed]:
        if not listed:
            return []
        values = {
            "bucket": listed[0].stored.bucket,
            "keys": [printable_key(each.stored.key) for each in listed],
            "revisions": [revision_of(each.stored) for each in listed],
            "modified": [each.modified for each in listed],
        }
        with self._database.transaction() as cursor:
            cursor.execute(SWEEP["missed"], values)
            return [listed[row.at - 1] for row in cursor.fetchall()]

    def take_back(self) -> list[TakenBack]:
        with self._database.transaction() as cursor:
            cursor.execute(SWEEP["take_back"], {"idle_seconds": _LIVES_SECONDS, "limit": _RESENT})
            return [TakenBack(row.id, row.number, row.attempts) for row in cursor.fetchall()]

    def stuck(self) -> list[tuple[Job, list[int]]]:
        times = {"idle_seconds": _IDLE_SECONDS, "finish_seconds": _FINISH_SECONDS}
        with self._database.transaction() as cursor:
            cursor.execute(SWEEP["take_stuck"], {**times, "limit": _AT_ONCE})
            jobs = [as_job(row) for row in cursor.fetchall()]
            return [(job, pending(cursor, job)[:_RESENT]) for job in jobs]

    def due_notices(self) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(SWEEP["due_notices"])
            return int(cursor.fetchone().due)

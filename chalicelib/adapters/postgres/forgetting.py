"""What is old goes out of the ledger."""

from collections.abc import Mapping

from chalicelib.adapters.postgres.answers import KEEP_SECONDS
from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.core.origin import origin_of

FORGETTING = queries("forgetting")
_JOBS = 100  # in one transaction
_ROWS = 50_000
_WRITERS = 1000  # looked at by one transaction
_WRITES = 50  # each of up to a thousand rows


class PostgresMemory:
    """See ``services.forget.Memory``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def expire_undo(self, days: Mapping[str, int]) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(FORGETTING["datasets_that_keep"])
            for row in cursor.fetchall():
                cursor.execute(FORGETTING["expire_undo"], {"dataset": row.dataset, "days": days.get(row.dataset, 0)})

    def forget_changes(self) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(FORGETTING["expiring"])
            job = cursor.fetchone()
            if job is None:
                return _forget_writes(cursor)
            span = {"first": origin_of(job.number, 0), "beyond": origin_of(job.number + 1, 0)}
            cursor.execute(FORGETTING["delete_before"], {**span, "limit": _ROWS})
            deleted = cursor.rowcount
            if deleted < _ROWS:
                cursor.execute(FORGETTING["expired"], {"number": job.number})
            return deleted or 1  # perhaps another job has some

    def forget_jobs(self, days: int) -> tuple[int, int]:
        with self._database.transaction() as cursor:
            cursor.execute(FORGETTING["due"], {"days": days, "limit": _JOBS})
            jobs = [row.number for row in cursor.fetchall()]
            if not jobs:
                return 0, 0
            cursor.execute(FORGETTING["delete_rejections"], {"jobs": jobs, "limit": _ROWS})
            deleted = cursor.rowcount
            if deleted == _ROWS:
                return 0, deleted
            cursor.execute(FORGETTING["delete_jobs"], {"jobs": jobs})
            return len(jobs), deleted

    def forget_events(self, days: int) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(FORGETTING["delete_events"], {"days": days, "limit": _ROWS})
            return cursor.rowcount

    def forget_answers(self) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(FORGETTING["delete_answers"], {"seconds": KEEP_SECONDS, "limit": _ROWS})
            return cursor.rowcount

    def forget_exports(self, days: int) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(FORGETTING["delete_exports"], {"days": days, "limit": _JOBS})
            return cursor.rowcount


def _forget_writes(cursor: Cursor) -> int:
    """Look at some of those who have changed rows, from where the last one has stopped, and then from the first on."""
    cursor.execute(FORGETTING["hold_place"])
    cursor.execute(FORGETTING["writers"], {"place": cursor.fetchone().place, "limit": _WRITERS})
    writers = cursor.fetchall()
    idle = [writer.number for writer in writers if writer.idle][:_WRITES]
    last = -1  # the last that there is
    if len(idle) == _WRITES:
        last = idle[-1]
    elif len(writers) == _WRITERS:
        last = writers[-1].number
    cursor.execute(FORGETTING["move_place"], {"place": origin_of(last + 1, 0)})
    cursor.execute(FORGETTING["delete_writes"], {"numbers": idle})
    return cursor.rowcount

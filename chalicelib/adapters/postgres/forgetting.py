"""What is old goes out of the ledger."""

from collections.abc import Mapping

from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.core.origin import origin_of

FORGETTING = queries("forgetting")
_JOBS = 100  # in one transaction
_ROWS = 50_000


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
                cursor.execute(FORGETTING["delete_writes"], {"limit": _ROWS})
                return cursor.rowcount
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

    def forget_exports(self, days: int) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(FORGETTING["delete_exports"], {"days": days, "limit": _JOBS})
            return cursor.rowcount

"""What waits for its time in the ledger."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.ended import tell_of_end
from chalicelib.adapters.postgres.finalising import reason_json, reopen_duplicate
from chalicelib.adapters.postgres.ledger import as_job
from chalicelib.adapters.postgres.queries import queries
from chalicelib.services.ports import Job, Reason

SCHEDULE = queries("schedule")

_AT_ONCE = 100  # jobs in one transaction


class PostgresSchedules:
    """See ``services.schedule.Waiting``. With ``topic`` the topic is told of jobs that are given up, too."""

    def __init__(self, database: Database, *, topic: bool = False) -> None:
        self._database = database
        self._topic = topic

    def retries(self) -> Sequence[UUID]:
        with self._database.transaction() as cursor:
            cursor.execute(SCHEDULE["take_retries"], {"limit": _AT_ONCE})
            return [row.id for row in cursor.fetchall()]

    def give_up(self, id: UUID, reason: Reason, *, tell: bool) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(SCHEDULE["give_up"], {"id": id, "reason": reason_json(reason)})
            row = cursor.fetchone()
            if row is None:
                return
            reopen_duplicate(cursor, row.number)
            tell_of_end(cursor, row, ["engineers"] if tell else [], topic=self._topic)

    def held(self, now: datetime) -> Sequence[Job]:
        with self._database.transaction() as cursor:
            cursor.execute(SCHEDULE["held"], {"now": now, "limit": _AT_ONCE})
            return [as_job(row) for row in cursor.fetchall()]

    def hold_on(self, job: Job, until: datetime) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(SCHEDULE["hold_on"], {"number": job.number, "until": until})

    def release(self, id: UUID, now: datetime) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(SCHEDULE["release"], {"id": id, "now": now})
            return bool(cursor.rowcount)

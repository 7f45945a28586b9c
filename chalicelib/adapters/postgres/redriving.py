"""A job that is held while it is decided what of it is done again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from chalicelib.adapters.postgres import cancelling, gather
from chalicelib.adapters.postgres.corrections import lacks_its_whole
from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.ended import tell_of_end
from chalicelib.adapters.postgres.finalising import reason_json, reason_of, rejected_records
from chalicelib.adapters.postgres.ledger import JOBS, as_job
from chalicelib.adapters.postgres.queries import queries
from chalicelib.core.states import JobState, may_become
from chalicelib.errors import Terminal
from chalicelib.services.ports import Reason, RejectedRecord
from chalicelib.services.redrive import Restarted, Unresolved

REDRIVING = queries("redriving")
SCHEDULE = queries("schedule")


class PostgresRedrives:
    """See ``services.redrive.Redrives``. With ``topic`` the topic is told of jobs that end by it, too."""

    def __init__(self, database: Database, *, topic: bool = False) -> None:
        self._database = database
        self._topic = topic

    @contextmanager
    def holding(self, id: UUID) -> Iterator["Held | None"]:
        with self._database.transaction() as cursor:
            cursor.execute(REDRIVING["name_of"], {"id": id})
            name = cursor.fetchone()
            if name is None:
                yield None
                return
            # Whoever drops the same bytes again meanwhile finds a job that failed, or one that is under way.
            cursor.execute(JOBS["lock_name"], name._asdict())
            cursor.execute(REDRIVING["hold"], {"id": id})
            yield Held(cursor, cursor.fetchone(), topic=self._topic)


class Held:
    """See ``services.redrive.HeldJob``."""

    def __init__(self, cursor: Cursor, row: Any, *, topic: bool) -> None:
        self._topic = topic
        self._cursor = cursor
        self._row = row
        self.job = as_job(row)
        self.reason = reason_of(row)
        self.rejected: int = row.rejected
        self.failed: int = row.batches_failed
        self.redrives: int = row.redrives
        self.loaded: int = row.inserted + row.updated
        self.resolved: int = row.resolved
        self.undone: bool = row.undone_at is not None

    def was_stopped(self) -> bool:
        self._cursor.execute(REDRIVING["was_stopped"], {"number": self.job.number})
        return bool(self._cursor.fetchone().found)

    def repeated_by(self) -> UUID | None:
        self._cursor.execute(REDRIVING["repeated_by"], self._row._asdict())
        later = self._cursor.fetchone()
        return None if later is None else later.id

    def same_bytes(self) -> UUID | None:
        self._cursor.execute(JOBS["find_same_bytes"], self._row._asdict())
        other = self._cursor.fetchone()
        return None if other is None else other.id

    def dropped(self, keys: Sequence[str]) -> tuple[set[str], UUID | None]:
        here = {"number": self.job.number, "bucket": self.job.object.bucket}
        self._cursor.execute(REDRIVING["under_way"], {**here, "keys": list(keys)})
        rows = self._cursor.fetchall()
        return {row.key for row in rows}, next((row.id for row in rows if row.open), None)

    def lacks_its_whole(self) -> bool:
        return lacks_its_whole(self._cursor, self.job.number)

    def unresolved(self) -> Unresolved:
        self._cursor.execute(REDRIVING["unresolved"], {"number": self.job.number})
        found = self._cursor.fetchone()
        return Unresolved(records=found.records, bytes=found.bytes)

    def rejections(self) -> Iterator[RejectedRecord]:
        return rejected_records(self._cursor, self.job.number, resolved=False)

    def count_redrive(self, redrives: int) -> None:
        self._cursor.execute(REDRIVING["count_redrive"], {"number": self.job.number, "redrives": redrives})

    def again(self, id: UUID, *, atomic: bool, keeps: bool) -> None:
        here = {"number": self.job.number, "id": id, "atomic": atomic, "keeps": keeps}
        self._cursor.execute(REDRIVING["again"], here)
        message = f"we could not load this; somebody had the whole file loaded again, which job {id} does"
        reason = Reason("loaded-elsewhere", message, "transient")
        self._cursor.execute(REDRIVING["stop_trying"], {**here, "reason": reason_json(reason)})
        stopped = self._cursor.fetchone()
        if stopped is not None:
            tell_of_end(self._cursor, stopped, topic=self._topic)

    def restart(self) -> Restarted:
        if not may_become(self.job.state, JobState.RUNNING):
            raise Terminal("illegal-transition", f"a job that is {self.job.state} cannot run again")
        here = {"number": self.job.number, "state": JobState.RUNNING}
        self._cursor.execute(REDRIVING["restart_batches"], here)
        batches = sorted(row.number for row in self._cursor.fetchall())
        self._cursor.execute(REDRIVING["restart_job"], {**here, "batches": len(batches)})
        split_done = self._cursor.fetchone().split_done
        if self.job.gathers:
            gather.make(self._cursor, self.job.dataset, self.job.number)
        cancelling.forget(self._cursor, self.job.number)  # asked for too late, the last time
        # How it ends this time is news.
        self._cursor.execute(REDRIVING["forget_notices"], here)
        return Restarted(batches=batches, split_done=split_done)

    def begin_again(self) -> None:
        if not may_become(self.job.state, JobState.PENDING):
            raise Terminal("illegal-transition", f"a job that is {self.job.state} cannot begin again")
        here = {"number": self.job.number, "state": JobState.PENDING}
        self._cursor.execute(SCHEDULE["forget_batches"], here)
        self._cursor.execute(SCHEDULE["begin_again"], here)
        cancelling.forget(self._cursor, self.job.number)
        self._cursor.execute(REDRIVING["forget_notices"], here)

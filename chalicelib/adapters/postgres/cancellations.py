"""A job is called off by a person."""

from uuid import UUID

import psycopg2.errors

from chalicelib.adapters.postgres import cancelling
from chalicelib.adapters.postgres.attempt import attempt
from chalicelib.adapters.postgres.cancelling import CANCELLING
from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.ended import tell_of_end
from chalicelib.adapters.postgres.finalising import reason_json, reopen_duplicate
from chalicelib.core.states import JobState, is_terminal
from chalicelib.services.ports import Reason

_CALLED_OFF = Reason("called-off", "we could not load this, and somebody called off what was to be tried", "transient")


class PostgresCancellations:
    """See ``services.cancel.Cancellations``. With ``topic`` the topic is told of jobs that end by it, too."""

    def __init__(self, database: Database, *, topic: bool = False) -> None:
        self._database = database
        self._topic = topic

    def cancel(self, id: UUID) -> JobState | None:
        with self._database.transaction() as cursor:
            cursor.execute(CANCELLING["ask"], {"id": id})
            cursor.execute(CANCELLING["number_of"], {"id": id})
            job = cursor.fetchone()
            if job is None:
                return None
            cursor.execute(CANCELLING["be_brief"])
            cursor.execute(CANCELLING["stop_trying"], {"job": job.number, "reason": reason_json(_CALLED_OFF)})
            waiting = cursor.fetchone()
            if waiting is not None:
                if not waiting.changed:
                    reopen_duplicate(cursor, job.number)
                tell_of_end(cursor, waiting, topic=self._topic)
                return JobState.CANCELLED
            with attempt(cursor) as stopping:
                try:
                    cancelling.stop(cursor, job.number)
                except psycopg2.errors.LockNotAvailable:
                    return JobState.CANCELLING
                stopping.keep()
            cursor.execute(CANCELLING["number_of"], {"id": id})
            found = cursor.fetchone()
            if is_terminal(JobState(found.state)):
                cancelling.forget(cursor, job.number)  # asked for while it ended, so whoever ended it did not see it
            return JobState.CANCELLED if found.called_off else JobState(found.state)

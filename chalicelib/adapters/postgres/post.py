"""The outbox: notices, the letters that they go into, and the ends of jobs for the topic."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from chalicelib.adapters.postgres import reports
from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.views import job_view
from chalicelib.services.post_ports import JobEvent, OpenLetter, Outgoing

POST = queries("post")


class PostgresPost:
    """See ``services.post_ports.Post`` and ``Watched`` for what each method promises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def gathering(self) -> Iterator["Gathering"]:
        with self._database.transaction() as cursor:
            cursor.execute(POST["lock"])
            cursor.execute(POST["open_letters"])
            cursor.execute(POST["join_letters"])
            cursor.execute(POST["open"])
            yield Gathering(cursor, [OpenLetter(**row._asdict()) for row in cursor.fetchall()])

    @contextmanager
    def sending(self, now: datetime) -> Iterator[Outgoing | None]:
        with self._database.transaction() as cursor:
            cursor.execute(POST["take"], {"now": now})
            row = cursor.fetchone()
            if row is None:
                yield None
                return
            yield Outgoing(
                number=row.number,
                id=row.id,
                audience=row.audience,
                dataset=row.dataset,
                attempts=row.attempts,
                content=reports.content(cursor, row),
            )
            cursor.execute(POST["sent"], {"number": row.number, "now": now})
            cursor.execute(POST["notices_sent"], {"number": row.number, "now": now})

    @contextmanager
    def publishing(self, now: datetime) -> Iterator[JobEvent | None]:
        with self._database.transaction() as cursor:
            cursor.execute(POST["take_event"], {"now": now})
            row = cursor.fetchone()
            if row is None:
                yield None
                return
            view = job_view(cursor, row.id)
            assert view is not None, "the outbox refers to its job"
            yield JobEvent(number=row.number, job=view, attempts=row.attempts)
            cursor.execute(POST["event_sent"], {"number": row.number, "now": now})

    def give_up_events(self, now: datetime) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(POST["give_up_events"], {"now": now})

    def postpone(self, what: Outgoing | JobEvent, now: datetime, *, given_up: bool) -> None:
        values = {"number": what.number, "now": now, "given_up": given_up}
        with self._database.transaction() as cursor:
            if isinstance(what, JobEvent):
                cursor.execute(POST["postpone_event"], values)
                return
            cursor.execute(POST["postpone"], values)
            if given_up:
                cursor.execute(POST["notices_given_up"], values)

    def active(self, start: datetime, end: datetime) -> list[str]:
        with self._database.transaction() as cursor:
            return reports.active(cursor, start, end)

    def ours(self, start: datetime, end: datetime) -> bool:
        with self._database.transaction() as cursor:
            return reports.ours_failed(cursor, start, end)

    def expected_since(self, dataset: str, expected: str, now: datetime) -> datetime:
        with self._database.transaction() as cursor:
            return reports.expected_since(cursor, dataset, expected, now)

    def came(self, dataset: str, start: datetime, end: datetime) -> bool:
        with self._database.transaction() as cursor:
            return reports.came(cursor, dataset, start, end)

    def add(self, kind: str, audience: str, dataset: str, about: str) -> bool:
        values = {"kind": kind, "audience": audience, "dataset": dataset, "about": about}
        with self._database.transaction() as cursor:
            cursor.execute(POST["add"], values)
            return bool(cursor.rowcount)

    def forget(self, before: datetime) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(POST["forget"], {"before": before})
            return int(cursor.rowcount)


class Gathering:
    """See ``services.post_ports.Gathering``."""

    def __init__(self, cursor: Cursor, letters: Sequence[OpenLetter]) -> None:
        self._cursor: Any = cursor
        self.letters = letters

    def close(self, letter: OpenLetter, now: datetime) -> None:
        self._cursor.execute(POST["close"], {"number": letter.number, "now": now})

    def wake(self, letter: OpenLetter, at: datetime) -> None:
        self._cursor.execute(POST["wake"], {"number": letter.number, "at": at})

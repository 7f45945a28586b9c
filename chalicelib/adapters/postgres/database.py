"""Connections and transactions, and which of PostgreSQL's errors will pass."""

import json
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
from psycopg2.sql import Composable

from chalicelib.adapters.postgres.queries import queries
from chalicelib.errors import Contended, Terminal, Transient
from chalicelib.services.deadline import seconds_left

Connection = psycopg2.extensions.connection

_STATEMENT_SECONDS = 600
_TO_SPARE = 2.0  # seconds of an invocation in which it learns of a statement that took too long, and says so

# Every session of ours: one time zone, UTF-8, no wait without an end, memory for the merge's sort and staging.
_SESSION = {
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "statement_timeout": f"{_STATEMENT_SECONDS}s",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "900s",
    "work_mem": "64MB",
    "temp_buffers": "32MB",
    "client_min_messages": "warning",
    "jit": "off",  # compiling takes longer than what it speeds up: statements about one batch
}

# A peer that is gone without a word is noticed within a minute or so, and a server that does not answer sooner.
_NETWORK: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "tcp_user_timeout": 60_000,
}

_COPIED_AT_ONCE = 1 << 18  # bytes; psycopg2 hands over 8 KiB at a time by itself
_TRUSTED_SECONDS = 5.0  # a connection that has been idle for longer is asked whether it still is one

# Errors that a later try may not meet again: connection trouble, too many connections, shutdown, disk full,
# lock timeouts, deadlocks, serialisation failures; and a server that has become a replica, or ended a transaction that
# slept for too long. https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = ("08", "40", "53", "55", "57", "58")
_PASSING_STATES = ("25006", "25P03")


psycopg2.extras.register_uuid()  # type: ignore[no-untyped-call]


class Cursor(psycopg2.extras.NamedTupleCursor):
    """Rows come as named tuples, with the columns' names."""

    def execute(self, query: str | bytes | Composable, vars: Any = None) -> None:
        super().execute(query, vars)  # type: ignore[no-untyped-call]

    def copy_expert(self, sql: str | bytes | Composable, file: Any, size: int = _COPIED_AT_ONCE) -> None:
        super().copy_expert(sql, file, size)

    def fetchone(self) -> Any:
        return super().fetchone()

    def fetchall(self) -> list[Any]:
        return super().fetchall()


class Database:
    """A pool of connections that grows as threads ask and keeps what they give back."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._idle: queue.LifoQueue[tuple[Connection, float]] = queue.LifoQueue()

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor in one transaction: committed at the end of the block, rolled back on any error.

        Raises:
            Contended: a deadlock or a serialisation failure; the same transaction may be tried again at once.
            Transient: the database cannot be reached, or refused for a reason that passes. Whether a commit that
                was under way took effect is not known then; callers find out from the ledger when tried again.
            Terminal: the database refused for any other reason. No value of a row is in the message.
        """
        connection = self._take()
        try:
            with connection, connection.cursor(cursor_factory=Cursor) as cursor:
                _limit_time(cursor)
                yield cursor
        except psycopg2.Error as error:
            raise translate(error) from None
        finally:
            if not connection.closed:  # psycopg2 marks a connection that broke as closed
                self._idle.put((connection, time.monotonic()))

    def _take(self) -> Connection:
        while not self._idle.empty():
            try:
                connection, since = self._idle.get_nowait()
            except queue.Empty:
                break
            if time.monotonic() - since < _TRUSTED_SECONDS or _answers(connection):
                return connection
            connection.close()
        options = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
        try:
            opened: Connection = psycopg2.connect(self._url(), application_name="dropload", options=options, **_NETWORK)
        except psycopg2.Error:
            # libpq's message names host and user: not for logs.
            raise Transient("database-unavailable", "cannot connect to the database") from None
        return opened

    def close(self) -> None:
        """Close the idle connections."""
        while not self._idle.empty():
            self._idle.get_nowait()[0].close()


def _limit_time(cursor: Cursor) -> None:
    """No statement of this transaction outlasts our invocation. Raises Transient where nothing is left of that."""
    left = seconds_left() - _TO_SPARE
    if left <= 0:
        raise Transient("out-of-time", "there is no time left to ask the database")
    if left < _STATEMENT_SECONDS:
        cursor.execute(queries("attempt")["limit_time"], {"milliseconds": str(round(1000 * left) or 1)})


def _answers(connection: Connection) -> bool:
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("select 1")
    except psycopg2.Error:
        return False
    return True


def translate(error: psycopg2.Error) -> Transient | Terminal:
    """Our error for PostgreSQL's, without its detail line, which quotes values."""
    state = error.pgcode or ""
    name = type(error).__name__
    if state[:2] == "40":
        return Contended("contention", f"another transaction was in the way ({name})")
    if (
        isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
        or state[:2] in _PASSING
        or state in _PASSING_STATES
    ):
        return Transient("database-trouble", f"the database did not answer as it should ({name} {state})".rstrip())
    return Terminal("database-refused", f"the database refused a statement ({name} {state})".rstrip())


def as_json(value: Any) -> psycopg2.extras.Json:
    """A parameter for a jsonb column."""
    return psycopg2.extras.Json(value, dumps=lambda data: json.dumps(data, ensure_ascii=False))

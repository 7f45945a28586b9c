"""Statements that have some seconds together, since somebody waits for what comes of all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import Any

import psycopg2.errors
from psycopg2.extensions import TRANSACTION_STATUS_INERROR
from psycopg2.sql import Composable

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.errors import RequestRefused, Transient
from chalicelib.services.deadline import seconds_left

_TO_SPARE = 2.0  # as for any transaction of ours
_LATE = 0.1  # before the end; PostgreSQL's clock is another one


class OutOfTime(Transient):
    """Nothing is left of the seconds."""


class HurriedCursor(Cursor):
    """Each statement may take what those before it have left. Raises OutOfTime, or PostgreSQL's QueryCanceled."""

    ends_at = inf

    def execute(self, query: str | bytes | Composable, vars: Any = None) -> None:
        self.limit()
        super().execute(query, vars)

    def limit(self) -> None:
        """The same for what is done next by another cursor of the transaction."""
        left = self.ends_at - monotonic()
        if left <= 0:
            raise OutOfTime("out-of-time", "it could not be done in the time that there is")
        if self.connection.info.transaction_status != TRANSACTION_STATUS_INERROR:  # else it can only be rolled back
            super().execute(queries("attempt")["limit_time"], {"milliseconds": str(round(1000 * left) or 1)})


@contextmanager
def hurried(cursor: Cursor, seconds: float, refusal: str | None = None) -> Iterator[HurriedCursor]:
    """Another cursor of the same transaction, for a block that takes so long at most.

    Raises:
        RequestRefused: 409, too-large, with the message ``refusal``, where there is one: that was not enough.
        Transient: it was not, or our invocation has less left.
    """
    allowed = min(seconds, seconds_left() - _TO_SPARE)
    with cursor.connection.cursor(cursor_factory=HurriedCursor) as own:
        own.ends_at = monotonic() + allowed
        try:
            yield own
        except (OutOfTime, psycopg2.errors.QueryCanceled):
            if refusal is None or allowed < seconds or monotonic() < own.ends_at - _LATE:
                raise
            raise RequestRefused(409, "too-large", refusal) from None

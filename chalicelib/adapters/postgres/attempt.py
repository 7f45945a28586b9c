"""Statements that may be taken back without ending their transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries

ATTEMPT = queries("attempt")


class Attempt:
    """A savepoint that is rolled back at the end of its block unless it is kept."""

    def __init__(self) -> None:
        self.kept = False

    def keep(self) -> None:
        self.kept = True


@contextmanager
def attempt(cursor: Cursor) -> Iterator[Attempt]:
    """Statements that count only if ``keep`` is called. An error that leaves the block is none of its business."""
    found = Attempt()
    cursor.execute(ATTEMPT["savepoint"])
    yield found
    if not found.kept:
        cursor.execute(ATTEMPT["roll_back"])
    cursor.execute(ATTEMPT["release"])

"""Early: indexes of a shadow that another session makes while the finaliser looks at its keys.

Each is there for everybody as soon as it is made, and whoever dies meanwhile leaves nothing but indexes that the next
one finds. What is not made, for whatever reason, the finaliser makes itself, and meets the reason there.
"""

from collections.abc import Sequence
from contextlib import suppress
from threading import Thread

from chalicelib.adapters.postgres.bulk import BULK
from chalicelib.adapters.postgres.database import Database
from chalicelib.errors import Terminal, Transient


class Early:
    """Makes indexes from now on; nobody may write to their table before the end of ``wait``."""

    def __init__(self, database: Database, statements: Sequence[str]) -> None:
        self._database = database
        self._statements = statements
        self._thread = Thread(target=self._make)
        if statements:
            self._thread.start()

    def wait(self) -> None:
        """Until all are made, or cannot be."""
        if self._statements:
            self._thread.join()

    def _make(self) -> None:
        for statement in self._statements:
            with suppress(Transient, Terminal), self._database.transaction() as cursor:
                cursor.execute(BULK["hurry"])
                cursor.execute(statement)

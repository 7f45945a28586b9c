"""A replay: all batches of a job go through the table in its finaliser's transaction, and perhaps out of it again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import IO, Any

import psycopg2.extras
from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.loading import cause_rows, rejection_lines, resolve_for
from chalicelib.adapters.postgres.place import place
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.tables import table_of
from chalicelib.core.cut import Cut
from chalicelib.core.dataset import Dataset
from chalicelib.core.origin import origin_of
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import Rejection, tally
from chalicelib.errors import Terminal
from chalicelib.services.ports import Batch, Job, Placed

BATCHES = queries("batches")
REPLAY = queries("replay")
_ROOM = 384 * 1024 * 1024  # bytes of refusals in the file, of a Lambda's 512 MiB of temporary files
_AT_ONCE = 1_000  # batches booked with one statement


class Replaying:
    """See ``services.ledger_ports.Replay``.

    Refusals must outlast the savepoint that takes the rows back, so they wait in a file.
    """

    def __init__(self, cursor: Cursor, job: Job, refusals: IO[bytes], *, gathered: bool = False) -> None:
        self._cursor = cursor
        self._job = job
        self._kept = False
        self._counts: Mapping[int, Mapping[str, int]] | None = None
        self._refusals = refusals
        self._resolved: list[int] = []
        self._refused: Counter[int] = Counter()
        self._causes: list[tuple[object, ...]] = []
        cursor.execute(REPLAY["batches"], {"job": job.number, "gathered": gathered})
        self.batches: Sequence[Batch] = [
            Batch(job, row.number, Cut(row.byte_start, row.byte_end, row.first_line, row.oversize))
            for row in cursor.fetchall()
        ]
        cursor.execute(REPLAY["savepoint"])

    def lock_table(self, dataset: Dataset) -> None:
        self._cursor.execute(sql.SQL(REPLAY["lock_table"]).format(table=table_of(self._job.dataset)))

    def place(self, batch: Batch, dataset: Dataset, reader: Reader, parsed: Parsed) -> Placed:
        origin = origin_of(batch.job.number, batch.number)
        target = table_of(self._job.dataset)
        placed = place(self._cursor, dataset, target, reader, parsed, origin, passing=True)
        self._cursor.execute(REPLAY["has_staged"])
        if self._cursor.fetchone().found:
            self._cursor.execute(REPLAY["drop_stage"])
        return placed

    def refuse(self, batch: Batch, refused: Sequence[Rejection]) -> bool:
        self._refused[batch.number] += len(refused)
        self._causes += cause_rows(batch, tally(refused))
        for line in rejection_lines(batch, refused):
            self._refusals.write(line)
        return self._refusals.tell() < _ROOM

    def resolve(self, lines: Sequence[int]) -> None:
        self._resolved += lines

    def keep(self) -> None:
        self._kept = True

    def book(self, counts: Mapping[int, Mapping[str, int]]) -> None:
        self._counts = counts

    def end(self) -> Any:
        """Take the rows back unless they are kept, and write the books; the job's row, None where nothing is booked."""
        if not self._kept:
            self._cursor.execute(REPLAY["roll_back"])
        if self._counts is None:
            return None
        if self._causes:
            self._refusals.seek(0)
            self._cursor.copy_expert(BATCHES["copy_rejections"], self._refusals)
            psycopg2.extras.execute_values(self._cursor, REPLAY["add_causes"], self._causes)
        self._book(self._counts)
        self._cursor.execute(REPLAY["add_up"], {"job": self._job.number})
        job = self._cursor.fetchone()
        if self._kept:
            resolve_for(self._cursor, self._job, self._resolved)
        return job

    def _book(self, counts: Mapping[int, Mapping[str, int]]) -> None:
        names = ("read", "inserted", "updated", "unchanged", "ignored", "rejected")
        rows = [
            (self._job.number, number, *(booked[name] for name in names), self._refused[number])
            for number, booked in counts.items()
        ]
        for start in range(0, len(rows), _AT_ONCE):
            page = rows[start : start + _AT_ONCE]
            psycopg2.extras.execute_values(self._cursor, REPLAY["book"], page, page_size=_AT_ONCE)
            if self._cursor.rowcount != len(page):
                raise Terminal("replay-differs", "a batch is not what it was when it was checked")

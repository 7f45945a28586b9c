"""Contested: which rows of a shadow without indexes must go, since an earlier record of the file has a key of theirs.

As if each row came alone, in file order: a row that is refused claims none of its keys. First the unique indexes are
tried, which is no loss where they hold. Only the rows that share a key that does not hold are then looked at, in
temporary tables; what is in memory is a page of them, and the batch that is being read.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg2.errors
import psycopg2.extras
from psycopg2 import sql

from chalicelib.adapters.postgres import shadow
from chalicelib.adapters.postgres.bulk import BULK, is_keyed, run
from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.early import Early
from chalicelib.adapters.postgres.loading import cause_rows, rejection_lines
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.refusals import ELSEWHERE, in_file
from chalicelib.adapters.postgres.text import LineStream, copy_line
from chalicelib.core.cut import Cut
from chalicelib.core.dataset import Dataset
from chalicelib.core.parsed import Parsed
from chalicelib.core.rejection import Rejection, tally
from chalicelib.errors import Terminal
from chalicelib.services.ports import Batch, Job

BATCHES = queries("batches")
REPLAY = queries("replay")
_PAGE = 2_000  # rows at a time


class Contested:
    """See ``services.ledger_ports.Contested``."""

    def __init__(self, cursor: Cursor, job: Job, dataset: Dataset, database: Database) -> None:
        self._cursor = cursor
        self._job = job
        self._dataset = dataset
        self._refused = 0
        self._read: dict[int, int] = {}
        self.batches: Sequence[Batch] = []
        self._lost = 0
        self._early = Early(database, [])
        cursor.execute(BULK["savepoint"])
        if not is_keyed(cursor, job):
            if not job.validate_only and shadow.may_swap(cursor, job.dataset, job.number):
                run(cursor, "early", job)
                self._early = Early(database, [row.statement for row in cursor.fetchall()])
            try:
                self._find(self._duplicated())
            except BaseException:
                self._early.wait()
                raise

    def refuse(self, batch: Batch, parsed: Parsed) -> None:
        if parsed.records != self._read[batch.number]:
            raise Terminal("batch-differs", "a batch is not what it was when it was loaded")
        here = {"batch": batch.number}
        for winners in self._pages("winners", here):
            lines = ((row.record, parsed.where(parsed.row_of(row.record)).line) for row in winners)
            text = (copy_line((str(batch.number), str(record), str(line))) for record, line in lines)
            self._cursor.copy_expert(BULK["copy_lines"], LineStream(text))
        for losers in self._pages("losers", here):
            rejections = [self._rejection(parsed, row) for row in losers]
            self._cursor.copy_expert(BATCHES["copy_rejections"], LineStream(rejection_lines(batch, rejections)))
            causes = cause_rows(batch, tally(rejections))
            psycopg2.extras.execute_values(self._cursor, REPLAY["add_causes"], causes)
            self._refused += len(rejections)

    def wait(self) -> None:
        """Until nobody else is at work on the shadow."""
        self._early.wait()

    def take_back(self) -> None:
        """Leave the books as they were."""
        self._cursor.execute(BULK["roll_back"])

    def end(self) -> Any:
        """The job's row with the books as they are now, None where nothing was refused."""
        if self._lost:
            run(self._cursor, "remove", self._job)
            if not self._cursor.rowcount == self._lost == self._refused:
                raise Terminal("unbalanced", f"{self._lost} rows were to go, and {self._refused} records are rejected")
        self._cursor.execute(BULK["release"])
        if not self._lost:
            return None
        run(self._cursor, "book", self._job)
        self._cursor.execute(BULK["tidy"])
        self._cursor.execute(REPLAY["add_up"], {"job": self._job.number})
        return self._cursor.fetchone()

    def _duplicated(self) -> list[tuple[str, ...]]:
        """Make the unique indexes; the columns of those that rows forbid."""
        run(self._cursor, "keys", self._job)
        return [tuple(row.columns) for row in self._cursor.fetchall() if not self._may_be_made(row.statement)]

    def _may_be_made(self, statement: str) -> bool:
        violated = False
        self._cursor.execute(BULK["savepoint"])
        try:
            self._cursor.execute(statement)
        except (psycopg2.errors.UniqueViolation, psycopg2.errors.UndefinedColumn) as error:
            # The table may have been given a column since the job began: then the rows will be copied into it.
            violated = isinstance(error, psycopg2.errors.UniqueViolation)
            self._cursor.execute(BULK["roll_back"])
        self._cursor.execute(BULK["release"])
        return not violated

    def _find(self, keys: list[tuple[str, ...]]) -> None:
        """Find the rows that lose one of these keys."""
        if not keys:
            return
        self._cursor.execute(BULK["begin_contested"])
        for key in keys:
            run(self._cursor, "contest", self._job, {"columns": list(key)})
        columns = dict.fromkeys(name for key in keys for name in key)
        alias = {name: sql.Identifier(f"k{number}") for number, name in enumerate(columns)}
        named = [sql.SQL("shadow.{} as {}").format(sql.Identifier(name), alias[name]) for name in columns]
        run(self._cursor, "take_apart", self._job, values=sql.SQL(", ").join(named))
        if self._cursor.fetchone().missing:
            raise Terminal("unknown-ids", "rows have other ids than were drawn for their batch")
        for key in keys:
            run(self._cursor, "keep_apart", self._job, columns=sql.SQL(", ").join(alias[name] for name in key))
        self._cursor.execute(BULK["decide"])
        for number, key in enumerate(self._dataset.unique_keys):
            if any(set(key) == set(duplicated) for duplicated in keys):
                same = [sql.SQL("lost.{0} = kept.{0}").format(alias[name]) for name in key]
                run(self._cursor, "meet", self._job, {"key": number}, same=sql.SQL(" and ").join(same))
        self._cursor.execute(BULK["index_met"])
        self._lost = self._cursor.fetchone().records
        run(self._cursor, "concerned", self._job)
        concerned = self._cursor.fetchall()
        self._read = {row.number: row.read for row in concerned}
        self.batches = [
            Batch(self._job, row.number, Cut(row.byte_start, row.byte_end, row.first_line, row.oversize))
            for row in concerned
        ]

    def _rejection(self, parsed: Parsed, row: Any) -> Rejection:
        keys = self._dataset.unique_keys
        lines = {keys[key]: line for key, line in zip(row.keys, row.lines, strict=True)}
        return parsed.reject(parsed.row_of(row.record), in_file(lines) or (ELSEWHERE,))

    def _pages(self, query: str, values: Mapping[str, object]) -> Iterator[list[Any]]:
        with self._cursor.connection.cursor(query, cursor_factory=type(self._cursor)) as named:
            named.execute(BULK[query], values)
            while page := named.fetchmany(_PAGE):
                yield page

"""Staging: a temporary table with the file's own columns, from which rows are inserted where they belong.

It has the file's columns in the file's order, so that the accepted bytes go to COPY unchanged. Rows are numbered
as ``core.reader.Parsed`` numbers them; ``_row`` in the table is one more.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import psycopg2.errors
from psycopg2 import sql

from chalicelib.adapters.postgres.attempt import attempt
from chalicelib.adapters.postgres.copying import all_columns, copy_as_it_is, copy_rows
from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.tables import ORIGIN, column_type, names, table_of
from chalicelib.core.dataset import Dataset
from chalicelib.core.origin import job_and_batch
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.schema import ForeignKey
from chalicelib.errors import Terminal

STAGING = queries("staging")
MERGE = queries("merge")

Key = tuple[str, ...]


class Staging:
    """A batch's accepted rows, in the database but not yet in ``target``: the dataset's table, or a job's shadow."""

    def __init__(
        self,
        cursor: Cursor,
        dataset: Dataset,
        target: sql.Identifier,
        reader: Reader,
        parsed: Parsed,
        origin: int,
        *,
        passing: bool = False,
        ids: Sequence[int] | None = None,
    ) -> None:
        self.cursor = cursor
        self.dataset = dataset
        self.target = target
        self.origin = origin
        self.passing: set[int] = set()  # ids, among those that ``taken`` has found, of rows that will not stay
        self._own_job = job_and_batch(origin)[0] if passing else None
        self.types = {name: column_type(dataset.field(name)) for name in reader.slow_columns}
        self._ids = ids  # of the batch's records, where they are drawn already: then they are staged, too
        self.added = {} if ids is None else {"_origin": "bigint", "id": "bigint"}
        self.types |= self.added
        cursor.execute(STAGING["set_origin"], {"setting": ORIGIN, "origin": str(origin)})
        # The rules accept nothing that its type refuses. Should they ever be at odds with PostgreSQL, plain text
        # lets the odd rows be found one by one, instead of losing their whole batch.
        self.typed = self._fill(reader, parsed, self.types)
        if not self.typed and not self._fill(reader, parsed, {}):
            raise Terminal("copy-refused", "the database did not take a batch even as plain text")

    def holds(self, key: Key) -> bool:
        """Whether the file has every column of a key; where it has not, the key is null and meets nothing."""
        return self.types.keys() >= set(key)

    def remove(self, rows: Collection[int]) -> None:
        """Forget these rows."""
        if rows:
            self.cursor.execute(STAGING["remove"], {"rows": [row + 1 for row in rows]})

    def insert(self, *, only: Collection[int] | None = None, but: Collection[int] = ()) -> int:
        """Insert all rows, or ``only`` some, or all ``but`` some, of those whose keys are free; the number inserted.

        In the order of the first key: writers of overlapping keys then wait for each other instead of deadlocking.
        """
        ordered = next((key for key in self.dataset.unique_keys if self.holds(key)), ())
        query = "insert" if only is None and not but else "insert_only" if only is not None else "insert_but"
        statement = sql.SQL(STAGING[query]).format(
            table=self.target, columns=names(self.types), order=names([*ordered, "_row"])
        )
        self.cursor.execute(statement, {"rows": [row + 1 for row in (only if only is not None else but)]})
        return self.cursor.rowcount

    def insert_singly(self, order: Sequence[int]) -> dict[int, tuple[str, str, list[str]] | None]:
        """Insert the rows one by one, in this order; those that were refused.

        Each with (SQLSTATE, constraint, its columns), or None where a key of it was taken.
        """
        self.cursor.execute(STAGING["index_rows"])
        self.cursor.execute(
            STAGING["insert_singly"],
            {
                "target": self.target.as_string(self.cursor),
                "columns": list(self.types),
                "types": list(self.types.values()),
                "rows": [row + 1 for row in order],
            },
        )
        return {
            row.row_number - 1: None
            if row.refusal_state is None
            else (row.refusal_state, row.refusal_constraint, row.columns)
            for row in self.cursor.fetchall()
        }

    def merge_singly(self, order: Sequence[int], **statements: str) -> list[Any]:
        """Merge the rows one by one, in this order; see ``merge.sql: merge_singly`` for what comes back."""
        self.cursor.execute(STAGING["index_rows"])
        target = self.target.as_string(self.cursor)
        values = {"target": target, "rows": [row + 1 for row in order], **statements}
        self.cursor.execute(MERGE["merge_singly"], values)
        return self.cursor.fetchall()

    def taken(self, rows: Collection[int] | None = None, *, by_anyone: bool = False) -> dict[int, dict[Key, int]]:
        """Which of the staged rows (all, or these) meet keys in the table: for each key, the id of the row there.

        Rows that this batch has inserted do not count unless ``by_anyone``.
        """
        found: dict[int, dict[Key, int]] = {}
        for key in self.dataset.unique_keys:
            if self.holds(key):
                for row, id in self._taken(key, rows, by_anyone):
                    found.setdefault(row, {})[key] = id
        return found

    def dangling(self, link: ForeignKey) -> set[int]:
        """Which of the staged rows refer to a row that the table of ``link`` does not have; nulls refer to none.

        A dataset that refers to itself does so where its rows go.
        """
        itself = link.dataset == self.dataset.name
        pairs = zip(link.fields, link.keys, strict=True)
        equal = sql.SQL("stage.{name}::{type} = parent.{key}")
        same = [
            equal.format(name=sql.Identifier(name), type=sql.SQL(self.types[name]), key=sql.Identifier(key))
            for name, key in pairs
        ]
        query = sql.SQL(STAGING["dangling"]).format(
            columns=names(link.fields),
            target=self.target if itself else table_of(link.dataset),
            same=sql.SQL(" and ").join(same),
        )
        self.cursor.execute(query)
        return {row.row_number - 1 for row in self.cursor.fetchall()}

    def _taken(self, key: Key, rows: Collection[int] | None, by_anyone: bool) -> Iterator[tuple[int, int]]:
        equal = sql.SQL("stage.{name}::{type} = kept.{name}")
        same = [equal.format(name=sql.Identifier(name), type=sql.SQL(self.types[name])) for name in key]
        query = sql.SQL(STAGING["taken" if rows is None else "taken_of"])
        self.cursor.execute(
            query.format(table=self.target, same=sql.SQL(" and ").join(same)),
            {"rows": [row + 1 for row in rows or ()], "own_origin": None if by_anyone else self.origin},
        )
        for row in self.cursor.fetchall():
            if row.origin is not None and job_and_batch(row.origin)[0] == self._own_job:
                self.passing.add(row.id)
            yield row.row_number - 1, row.id

    def _fill(self, reader: Reader, parsed: Parsed, types: Mapping[str, str]) -> bool:
        """Make and fill the table with these types (text where none is given); False where a value did not fit."""
        with attempt(self.cursor) as filling:
            try:
                self._create_and_copy(reader, parsed, types)
            except psycopg2.errors.DataError:
                return False
            filling.keep()
        return True

    def _create_and_copy(self, reader: Reader, parsed: Parsed, types: Mapping[str, str]) -> None:
        columns = all_columns(reader)
        staged = columns if self._ids is None else [*columns, "_origin", "id"]
        definitions = [
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types.get(name, "text"))) for name in staged
        ]
        self.cursor.execute(sql.SQL(STAGING["create"]).format(columns=sql.SQL(", ").join(definitions)))
        stage = sql.Identifier("pg_temp", "_stage")
        if self._ids is None:
            copy_as_it_is(self.cursor, stage, self.dataset, reader, parsed)
        else:
            copy_rows(self.cursor, stage, self.dataset, reader, parsed, self.origin, ids=self._ids)

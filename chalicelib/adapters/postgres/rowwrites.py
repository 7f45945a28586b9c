"""One transaction that changes rows of a dataset's table: the statements that it is made of, and why one is refused."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import psycopg2.errors
from psycopg2 import sql

from chalicelib.adapters.postgres.attempt import attempt
from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.refusals import REFUSED, a_moment_ago, database_error, in_table, no_such_row
from chalicelib.adapters.postgres.rowreads import RECORDS, read_one, typed
from chalicelib.adapters.postgres.tables import table, table_of
from chalicelib.core.dataset import Dataset
from chalicelib.core.lines import Row
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import RecordError

Key = tuple[str, ...]
Values = Mapping[str, str | None]


class Patience(NamedTuple):
    """How long to wait for what others hold, and for a statement as a whole, in seconds."""

    lock: float = 5
    statement: float = 20  # API Gateway waits for 29


USUAL = Patience()


class RowWrites:
    """Statements about one dataset, in one transaction that waits for nobody for long."""

    def __init__(self, cursor: Cursor, dataset: Dataset, patience: Patience) -> None:
        self._cursor = cursor
        self._dataset = dataset
        cursor.execute(RECORDS["patience"], {name: f"{seconds}s" for name, seconds in patience._asdict().items()})

    def fill(self, query: str, **parts: sql.Composable) -> sql.Composed:
        """A query of ``records.sql`` about the dataset's table."""
        here = table(self._dataset)
        fixed = {"table": here, "target": sql.Literal(here.as_string(self._cursor))}
        return sql.SQL(RECORDS[query]).format(**{**fixed, **parts})

    def draw_number(self) -> int:
        """What tells this write from all others; it grows, and jobs have theirs from the same sequence."""
        self._cursor.execute(RECORDS["draw_number"])
        return int(self._cursor.fetchone().number)

    def draw_ids(self, count: int) -> list[int]:
        """Ids for this many rows, which nobody else gets."""
        self._cursor.execute(self.fill("hold_table"))
        self._cursor.execute(self.fill("draw_ids"), {"count": count})
        return [row.id for row in self._cursor.fetchall()]

    def hold(self, id: int) -> Row | None:
        """A row that nobody else changes before this transaction ends."""
        self._cursor.execute(self.fill("hold_row"), {"_id": id})
        return read_one(self._cursor, self._dataset, id) if self._cursor.rowcount else None

    def announce(self, number: int, event: str, ids: Iterable[int] | None) -> None:
        """Book what has become of these rows, or of all that there were (None)."""
        listed = None if ids is None else sorted(ids)
        if listed != []:
            values = {"dataset": self._dataset.name, "event": event, "ids": listed, "write": number}
            self._cursor.execute(RECORDS["announce"], values)

    def change(self, id: int, values: Values, origin: int) -> tuple[RecordError, ...]:
        """Give a row these values, as of this origin; why not, looked at in the order of a file's records."""
        errors = self._dangling(id, values) or self._taken(id, values)
        if errors:
            return errors
        assignments = (
            sql.SQL("{} = {}").format(sql.Identifier(name), self._value(name, id, values)) for name in values
        )
        statement = self.fill("change", assignments=sql.SQL(", ").join(assignments))
        return self.attempt(statement, {**values, "_id": id, "_origin": origin})

    def attempt(self, statement: sql.Composed, values: Mapping[str, object] | None = None) -> tuple[RecordError, ...]:
        """Run a statement; why the database refuses what it does, if it does."""
        with attempt(self._cursor) as trying:
            try:
                self._cursor.execute(statement, values)
                trying.keep()
                return ()
            except psycopg2.errors.UniqueViolation:
                return (a_moment_ago(self._dataset.unique_keys),)
            except REFUSED as error:
                state, constraint = error.pgcode or "", error.diag.constraint_name or ""
        self._cursor.execute(self.fill("columns_of"), {"constraint": constraint})
        columns = self._cursor.fetchone().columns
        return (database_error(state, constraint, columns, self._dataset.foreign_keys),)

    def holders(self, key: Key, reader: Reader, parsed: Parsed, rows: Collection[int]) -> dict[int, tuple[int, int]]:
        """For each of these accepted records whose key a row has, that row's id and origin."""
        places = [reader.slow_columns.index(name) for name in key]
        keyed = [(row, [parsed.slow[row][place] for place in places]) for row in rows]
        whole = [(row, values) for row, values in keyed if None not in values]
        if not whole:
            return {}
        columns = [f"k{nth}" for nth in range(len(key))]
        same = (
            sql.SQL("kept.{} = {}").format(
                sql.Identifier(name), typed(self._dataset, name, sql.Identifier("wanted", column))
            )
            for name, column in zip(key, columns, strict=True)
        )
        query = self.fill(
            "by_key",
            lists=sql.SQL(", ").join(sql.SQL("{}::text[]").format(sql.Placeholder(column)) for column in columns),
            names=sql.SQL(", ").join(map(sql.Identifier, columns)),
            same=sql.SQL(" and ").join(same),
        )
        lists = {column: [values[nth] for _, values in whole] for nth, column in enumerate(columns)}
        self._cursor.execute(query, lists)
        return {whole[found.place - 1][0]: (found.id, found.origin) for found in self._cursor.fetchall()}

    def _dangling(self, id: int, values: Values) -> tuple[RecordError, ...]:
        """References to what is not there; those to the dataset itself are left to its constraint."""
        errors = []
        for link in self._dataset.foreign_keys:
            if link.dataset == self._dataset.name or not set(link.fields) & values.keys():
                continue
            given = [self._value(name, id, values) for name in link.fields]
            same = (
                sql.SQL("{} = {}").format(sql.Identifier(key), value)
                for key, value in zip(link.keys, given, strict=True)
            )
            query = self.fill(
                "dangling",
                values=sql.SQL(", ").join(given),
                parent=table_of(link.dataset),
                same=sql.SQL(" and ").join(same),
            )
            self._cursor.execute(query, dict(values))
            if self._cursor.fetchone().dangling:
                errors.append(no_such_row(link))
        return tuple(errors)

    def _taken(self, id: int, values: Values) -> tuple[RecordError, ...]:
        """Keys that other rows have."""
        holders = {}
        for key in self._dataset.unique_keys:
            if set(key) & values.keys():
                same = (sql.SQL("{} = {}").format(sql.Identifier(name), self._value(name, id, values)) for name in key)
                self._cursor.execute(self.fill("others", same=sql.SQL(" and ").join(same)), {**values, "_id": id})
                row = self._cursor.fetchone()
                if row is not None:
                    holders[key] = int(row.id)
        return in_table(holders)

    def _value(self, name: str, id: int, values: Values) -> sql.Composed:
        """What a field of a row will be: a new value, or the one that it has."""
        if name in values:
            return typed(self._dataset, name, sql.Placeholder(name))
        own = sql.SQL("(select {} from {} where id = {})")
        return own.format(sql.Identifier(name), table(self._dataset), sql.Literal(id))

"""Datasets' tables: what a descriptor becomes in PostgreSQL."""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.queries import migrations, queries
from chalicelib.core.dataset import Dataset, Field
from chalicelib.core.fasttypes import whole_range
from chalicelib.core.formats import UUID
from chalicelib.core.values import BIGINT
from chalicelib.errors import Terminal

SCHEMA = queries("schema")
ORIGIN = "dropload.origin"
"""The session setting that each row's ``_origin`` comes from (0 where a row does not come from a file)."""

_TYPES = {
    "string": "text",
    "any": "text",
    "integer": "bigint",
    "number": "numeric",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp with time zone",
    "time": "time without time zone",
    "year": "integer",
    "yearmonth": "text",
    "duration": "interval",
    "object": "jsonb",
    "array": "jsonb",
    # Not point, which has no equality, so that no key and no comparison of rows could hold it; nor is it exact.
    "geopoint": "numeric[]",
}
_SMALL = range(-(2**31), 2**31)


def column_type(field: Field) -> str:
    """A field's type, as PostgreSQL spells it."""
    if field.measure:
        return _TYPES[field.type]  # bounds are for each record; sums go beyond
    if field.type == "integer":
        allowed = whole_range(field.constraints, BIGINT)
        return "integer" if allowed and allowed[0] in _SMALL and allowed[-1] in _SMALL else "bigint"
    if field.format == UUID:
        return UUID
    return _TYPES[field.type]


def table(dataset: Dataset) -> sql.Identifier:
    """Where a dataset's rows are, whatever the search path."""
    return table_of(dataset.name)


def table_of(name: str) -> sql.Identifier:
    """As ``table``, for the dataset of this name."""
    return sql.Identifier("public", name)


class Schema:
    """Brings the database to what this version and its datasets need; doing it again changes nothing."""

    def __init__(self, database: Database, datasets: Mapping[str, Dataset]) -> None:
        self._database = database
        self._datasets = datasets

    def plan(self) -> list[str]:
        """What ``apply`` would do, a line each."""
        with self._database.transaction() as cursor:
            steps = [what for what, _ in self._steps(cursor)]
            cursor.connection.rollback()
            return steps

    def apply(self) -> list[str]:
        """Bring the ledger and the tables up to date, in one transaction; what was done, a line each.

        Raises:
            Terminal: a table exists whose columns are not the descriptor's; nothing was changed.
        """
        with self._database.transaction() as cursor:
            done = []
            for what, statement in self._steps(cursor):
                cursor.execute(statement)
                done.append(what)
            return done

    def _steps(self, cursor: Cursor) -> Iterable[tuple[str, str | sql.Composable]]:
        cursor.execute(SCHEMA["prepare"])
        cursor.execute(SCHEMA["applied"])
        applied = {row.version for row in cursor.fetchall()}
        for version, statements in migrations():
            if version not in applied:
                yield f"ledger: {version}", statements
                cursor.execute(SCHEMA["record"], {"version": version})
        for dataset in self._datasets.values():
            found = _columns(cursor, dataset)
            if not found:
                for statement in create_table(dataset):
                    yield statement.as_string(cursor), statement
            elif found != _expected(dataset):
                raise Terminal(
                    "table-differs",
                    f"the table {dataset.name} is not what its descriptor says ({_difference(found, dataset)}); "
                    "change the table or the descriptor",
                )


def create_table(dataset: Dataset) -> list[sql.Composed]:
    """The statements that make a dataset's table and the indexes that it asks for."""
    name = table(dataset)
    columns: list[sql.Composable] = [sql.SQL("id bigint generated always as identity primary key")]
    columns += [_column(dataset, field) for field in dataset.fields]
    columns.append(
        sql.SQL("_origin bigint not null default coalesce(nullif(current_setting({}, true), ''), '0')::bigint").format(
            sql.Literal(ORIGIN)
        )
    )
    statements = [sql.SQL("create table {} (\n    {}\n)").format(name, sql.SQL(",\n    ").join(columns))]
    covered = set()
    for key in dataset.unique_keys:
        covered.add(key[0])
        statements.append(sql.SQL("create unique index on {} ({})").format(name, names(key)))
    for filtered in dataset.filters:
        if filtered not in covered:
            statements.append(sql.SQL("create index on {} ({})").format(name, names((filtered,))))
    return [sql.Composed([statement]) for statement in statements]


def _column(dataset: Dataset, field: Field) -> sql.Composed:
    # Byte order compares keys several times faster than a language's order, and equality is the same.
    keyed = field.name in dataset.filters or any(field.name in key for key in dataset.unique_keys)
    collation = ' collate "C"' if keyed and column_type(field) == "text" else ""
    null = " not null" if field.constraints.required else ""
    return sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(column_type(field) + collation + null))


def names(of: Iterable[str]) -> sql.Composed:
    """Identifiers, separated by commas."""
    return sql.SQL(", ").join(map(sql.Identifier, of))


def _columns(cursor: Cursor, dataset: Dataset) -> dict[str, str]:
    cursor.execute(SCHEMA["columns"], {"table": table(dataset).as_string(cursor)})
    return {row.name: row.type for row in cursor.fetchall()}


def _expected(dataset: Dataset) -> dict[str, str]:
    return {"id": "bigint", **{field.name: column_type(field) for field in dataset.fields}, "_origin": "bigint"}


def _difference(found: Mapping[str, Any], dataset: Dataset) -> str:
    expected = _expected(dataset)
    parts = [f"{name} is missing" for name in expected if name not in found]
    parts += [f"{name} is not declared" for name in found if name not in expected]
    parts += [
        f"{name} is {found[name]}, not {kind}" for name, kind in expected.items() if found.get(name, kind) != kind
    ]
    return ", ".join(parts) or "the order of the columns"

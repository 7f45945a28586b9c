"""Datasets' tables: what a descriptor becomes in PostgreSQL."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from psycopg2 import sql

from chalicelib.core.dataset import Dataset, Field
from chalicelib.core.fasttypes import whole_range
from chalicelib.core.formats import UUID
from chalicelib.core.values import BIGINT

ORIGIN = "dropload.origin"
"""The session setting that each row's ``_origin`` comes from (0 where a row does not come from a file)."""
BYTE_ORDER = "C"
MADE_BY_US = "made by dropload"
"""The comment on indexes and constraints that a descriptor asks for: others are left alone."""

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


def create_table(dataset: Dataset) -> list[sql.Composed]:
    """The statements that make a dataset's table and the indexes that it asks for."""
    name = table(dataset)
    columns: list[sql.Composable] = [sql.SQL("id bigint generated always as identity primary key")]
    columns += [column(dataset, field) for field in dataset.fields]
    columns.append(
        sql.SQL("_origin bigint not null default coalesce(nullif(current_setting({}, true), ''), '0')::bigint").format(
            sql.Literal(ORIGIN)
        )
    )
    statement = sql.SQL("create table {} (\n    {}\n)").format(name, sql.SQL(",\n    ").join(columns))
    return [sql.Composed([statement]), *(create_index(dataset, index) for index in indexes(dataset))]


@dataclass(frozen=True, slots=True)
class Index:
    """An index that a dataset asks for."""

    columns: tuple[str, ...]
    unique: bool


def indexes(dataset: Dataset) -> list[Index]:
    """The indexes that a dataset asks for: its keys', and those for filters and references that no other one serves."""
    wanted = [Index(key, True) for key in dataset.unique_keys]
    # Without one, removing a row that is referred to would read the whole table.
    for columns in [link.fields for link in dataset.foreign_keys] + [(name,) for name in dataset.filters]:
        if not any(index.columns[: len(columns)] == columns for index in wanted):
            wanted.append(Index(columns, False))
    return wanted


def create_index(dataset: Dataset, index: Index) -> sql.Composed:
    """The statements that make an index, and mark it as one that may be dropped when nothing asks for it."""
    name = made_name(dataset, "key" if index.unique else "idx", *index.columns)
    kind = sql.SQL("unique index" if index.unique else "index")
    create = sql.SQL("create {} {} on {} ({})").format(kind, sql.Identifier(name), table(dataset), names(index.columns))
    comment = sql.SQL("comment on index {} is {}").format(sql.Identifier("public", name), sql.Literal(MADE_BY_US))
    return sql.Composed([create, sql.SQL(";\n"), comment])


def made_name(dataset: Dataset, kind: str, *parts: str) -> str:
    """A name of at most 63 characters that no other index or constraint of any dataset has, and that can be read."""
    digest = hashlib.sha256("\0".join((dataset.name, kind, *parts)).encode()).hexdigest()[:8]
    return f"{'_'.join((dataset.name, *parts))[:48]}_{kind}_{digest}"


def column(dataset: Dataset, field: Field) -> sql.Composed:
    """A column's definition: name, type, collation and whether it may be null."""
    collation = f' collate "{BYTE_ORDER}"' if in_byte_order(dataset, field) else ""
    null = " not null" if field.constraints.required else ""
    return sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(column_type(field) + collation + null))


def in_byte_order(dataset: Dataset, field: Field) -> bool:
    """Whether a column's text is compared byte by byte, as what is indexed is."""
    # Byte order compares keys several times faster than a language's order, and equality is the same.
    keyed = field.name in dataset.filters or any(field.name in key for key in dataset.unique_keys)
    keyed = keyed or any(field.name in link.fields for link in dataset.foreign_keys)
    return keyed and column_type(field) == "text"


def names(of: Iterable[str]) -> sql.Composed:
    """Identifiers, separated by commas."""
    return sql.SQL(", ").join(map(sql.Identifier, of))

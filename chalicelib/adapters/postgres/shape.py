"""What a table in the database is like, as far as descriptors have a say in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.tables import MADE_BY_US, table
from chalicelib.core.dataset import Dataset

SCHEMA = queries("schema")
_TABLES = ("r", "p")


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column: its type as PostgreSQL spells it, the name of its collation, None where it has none."""

    type: str
    required: bool
    collation: str | None = None


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """An index; ``ours`` if a descriptor has asked for it. ``needed_by`` names foreign keys that are not ours."""

    name: str
    columns: tuple[str, ...]
    unique: bool
    ours: bool
    needed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A foreign key: ``fields`` refer to ``keys`` of ``target``, a table of the schema public (None: of another)."""

    name: str
    fields: tuple[str, ...]
    target: str | None
    keys: tuple[str, ...]
    ours: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """A table (or, if ``other``, something else of that name) with all that is found in it."""

    columns: Mapping[str, FoundColumn]
    indexes: tuple[FoundIndex, ...] = ()
    links: tuple[FoundLink, ...] = ()
    empty: bool = False
    other: bool = False


def find_shape(cursor: Cursor, dataset: Dataset) -> Shape | None:
    """What a dataset's table is like; None where there is none."""
    where = {"table": table(dataset).as_string(cursor), "ours": MADE_BY_US}
    cursor.execute(SCHEMA["kind"], where)
    found = cursor.fetchone()
    if found is None:
        return None
    if found.kind not in _TABLES:
        return Shape({}, other=True)
    cursor.execute(SCHEMA["columns"], where)
    columns = {row.name: FoundColumn(row.type, row.required, row.collation) for row in cursor.fetchall()}
    cursor.execute(SCHEMA["indexes"], where)
    indexes = tuple(
        FoundIndex(row.name, tuple(row.columns), row.unique, row.ours, tuple(row.needed_by))
        for row in cursor.fetchall()
    )
    cursor.execute(SCHEMA["links"], where)
    links = tuple(
        FoundLink(
            row.name,
            tuple(row.fields),
            row.target if row.target_schema == "public" else None,
            tuple(row.keys),
            row.ours,
        )
        for row in cursor.fetchall()
    )
    cursor.execute(sql.SQL(SCHEMA["empty"]).format(table=table(dataset)))
    return Shape(columns, indexes, links, empty=cursor.fetchone().empty)

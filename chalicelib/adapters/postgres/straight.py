"""Straight: rows whose keys nobody else has go by COPY into the dataset's table, in the order of its first key.

Nearly all rows are such rows. They need no staging and no ON CONFLICT: the table is asked for all keys of the batch
at once beforehand. What shares a key with the table, with the batch itself or with a batch that is being loaded at the
same time is left to the exact way (``place``), which comes after.
"""

from array import array
from collections.abc import Mapping, Sequence
from itertools import filterfalse

from psycopg2 import sql

from chalicelib.adapters.postgres.attempt import attempt
from chalicelib.adapters.postgres.claims import Claims
from chalicelib.adapters.postgres.copying import Miscounted, copy_rows, has_all_columns
from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.refusals import REFUSED
from chalicelib.adapters.postgres.tables import column_type
from chalicelib.core.claims import AT_ONCE, KeyFacts, Ordered, key_facts
from chalicelib.core.dataset import Dataset
from chalicelib.core.duplicates import Key
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.schema import OnConflict

STRAIGHT = queries("straight")
_LOOKED_UP = {"text", "integer", "bigint", "numeric", "date", "timestamp with time zone", "uuid", "boolean"}
_TOO_MANY = 0.5  # the share of rows that are left above which all are


def go_straight(
    cursor: Cursor,
    dataset: Dataset,
    target: sql.Identifier,
    reader: Reader,
    parsed: Parsed,
    origin: int,
    claims: Claims | None,
) -> Sequence[int] | None:
    """Insert every row that is free; the rows that are left, in row order, or None where all are.

    What is left may be placed at once: batches that have a key of it, and came first, have ended.
    """
    keys = [key for key in dataset.unique_keys if reader.has(key)]
    if not _may(cursor, dataset, target, reader, keys):
        return None
    facts = key_facts(keys, parsed.keys) if claims is None else claims.facts
    left = set(facts.rivals)
    if claims is not None:
        left |= claims.shared()
    with attempt(cursor) as straight:
        try:
            left |= _taken(cursor, dataset, target, {key: facts.ordered[key] for key in keys})
            if len(left) > parsed.accepted * _TOO_MANY:
                return None
            copy_rows(cursor, target, dataset, reader, parsed, origin, rows=_order(parsed, keys, facts, left))
        except (*REFUSED, Miscounted):
            return None
        straight.keep()
    if claims is not None:
        claims.wait()
    return sorted(left)


def _may(cursor: Cursor, dataset: Dataset, target: sql.Identifier, reader: Reader, keys: Sequence[Key]) -> bool:
    """Whether rows of this dataset are independent of each other but for keys that can be looked up."""
    types = {column_type(dataset.field(name)) for key in keys for name in key}
    return (
        dataset.on_conflict is not OnConflict.SUM
        and not dataset.foreign_keys
        and has_all_columns(reader)
        and types <= _LOOKED_UP
        and set(map(frozenset, keys)) <= _indexed(cursor, target)
    )


def _indexed(cursor: Cursor, target: sql.Identifier) -> set[frozenset[str]]:
    query = sql.SQL(STRAIGHT["indexed"]).format(target=sql.Literal(target.as_string(cursor)))
    cursor.execute(query)
    return {frozenset(row.columns) for row in cursor.fetchall()}


def _taken(cursor: Cursor, dataset: Dataset, target: sql.Identifier, ordered: Mapping[Key, Ordered]) -> set[int]:
    """The rows with a value of one of these keys that some row of the table has."""
    found: set[int] = set()
    cursor.execute(STRAIGHT["look_up"])
    for key, values in ordered.items():
        same = (sql.SQL("kept.{name} = wanted.{name}").format(name=sql.Identifier(name)) for name in key)
        lists = (_list(dataset, name, nth) for nth, name in enumerate(key))
        query = sql.SQL(STRAIGHT["taken"]).format(
            lists=sql.SQL(", ").join(lists), table=target, same=sql.SQL(" and ").join(same)
        )
        for slice, texts in enumerate(values.texts):
            rows = values.rows[AT_ONCE * slice : AT_ONCE * (slice + 1)]
            arrays = {f"list{nth}": _as_array(text) for nth, text in enumerate(texts)}
            cursor.execute(query, {**arrays, "length": len(rows)})
            found.update(rows[row.place - 1] for row in cursor.fetchall())
    cursor.execute(STRAIGHT["copy_next"])
    return found


def _list(dataset: Dataset, name: str, nth: int) -> sql.Composed:
    kind = sql.SQL(column_type(dataset.field(name)))
    return sql.SQL("unnest({}::{}[]) as {}").format(sql.Placeholder(f"list{nth}"), kind, sql.Identifier(name))


def _as_array(texts: str) -> str:
    """Texts with NUL between them as PostgreSQL writes an array."""
    escaped = texts.replace("\\", "\\\\").replace('"', '\\"') if "\\" in texts or '"' in texts else texts
    return '{"' + escaped.replace("\0", '","') + '"}'


def _order(parsed: Parsed, keys: Sequence[Key], facts: KeyFacts, left: set[int]) -> Sequence[int] | None:
    """The free rows in the order of the first key, nulls last: neighbours in an index are changed one after another."""
    if not keys:
        return None
    first = facts.ordered[keys[0]].rows
    order = array("I", filterfalse(left.__contains__, first))
    if len(first) < parsed.accepted:
        order.extend(sorted(set(range(parsed.accepted)).difference(first, left)))
    return order

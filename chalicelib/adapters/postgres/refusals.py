"""Why a row stays out of the table, in words that hold none of its values."""

from collections.abc import Collection, Mapping, Sequence

import psycopg2.errors

from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import ForeignKey

Key = tuple[str, ...]

REFUSED = (psycopg2.errors.IntegrityError, psycopg2.errors.DataError, psycopg2.errors.RaiseException)
"""What PostgreSQL raises where it does not take a row."""

ELSEWHERE = RecordError(None, "unique-error", "a key of this record is taken in the table")
"""The error of a row kept out by we cannot tell what: a row that is gone again, an index that no descriptor knows."""

_FOREIGN_KEY = "23503"
_DATA_EXCEPTION = "22"


def in_table(ids: Mapping[Key, int], passing: Collection[int] = ()) -> tuple[RecordError, ...]:
    """The errors of a row whose keys these rows of the table have, by id.

    ``passing`` are ids of rows that an earlier record of the same file has made, and that will not stay.
    """
    return tuple(
        _unique_error(
            key,
            "an earlier record of this file" if id in passing else f"a row that is in the table already, with id {id}",
        )
        for key, id in ids.items()
    )


def in_file(lines: Mapping[Key, int]) -> tuple[RecordError, ...]:
    """The errors of a row whose keys the records on these lines of its own file have."""
    return tuple(_unique_error(key, f"the record on line {line} of this file") for key, line in lines.items())


def a_moment_ago(keys: Sequence[Key]) -> RecordError:
    """The error of a row kept out by one of these keys, of a row that has it no more, or by an unknown unique index."""
    return _unique_error(keys[0], "a row that was in the table a moment ago") if keys else ELSEWHERE


def _unique_error(key: Key, holder: str) -> RecordError:
    return RecordError(",".join(key) or None, "unique-error", f"the same {' and '.join(key) or 'values'} as {holder}")


def no_such_row(link: ForeignKey) -> RecordError:
    """The error of a row that refers to one that is not there."""
    fields = ",".join(link.fields)
    return RecordError(fields, "foreign-key", f"no row of {link.dataset} has this {' and '.join(link.keys)}")


def database_error(
    state: str, constraint: str, columns: Collection[str], links: Collection[ForeignKey] = ()
) -> RecordError:
    """What the database said of one row of a table with these foreign keys. Its own message quotes values."""
    column = ",".join(columns) or None
    if state == _FOREIGN_KEY:
        declared = [link for link in links if set(link.fields) == set(columns)]
        if len(declared) == 1:
            return no_such_row(declared[0])
        what = "refers to a row that does not exist" if columns else "changes what rows of another table refer to"
        return RecordError(column, "foreign-key", f"{what} ({constraint})")
    if state.startswith(_DATA_EXCEPTION):
        return RecordError(column, "type-error", f"the database cannot store a value of this record (SQLSTATE {state})")
    rule = f"the constraint {constraint}" if constraint else f"a rule (SQLSTATE {state})"
    return RecordError(column, "constraint-error", f"the database refuses this record by {rule}")

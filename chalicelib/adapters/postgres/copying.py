"""COPY: a batch's accepted rows straight into a table, the good records' own bytes among them.

Each row also gets what no file has: its origin, and an id where the caller has drawn ids for the batch.
"""

import io
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.tables import names
from chalicelib.adapters.postgres.text import LineStream, copy_line
from chalicelib.core.dataset import Dataset
from chalicelib.core.reader import Parsed, Reader
from chalicelib.errors import Terminal

COPY = queries("copying")
_AT_ONCE = 4_096  # lines that are made at a time: what is sent is never in memory as a whole


class Miscounted(Terminal):
    """Something in the database keeps rows out without a word: a trigger, say."""


def has_all_columns(reader: Reader) -> bool:
    """Whether a table has every column of the file, as ``copy_rows`` must have it."""
    return None not in reader.fast_columns


def all_columns(reader: Reader) -> list[str]:
    """Names for the columns of ``Parsed.fast``, those that are not declared among them."""
    return [name or f"_extra_{number}" for number, name in enumerate(reader.fast_columns)]


def copy_rows(
    cursor: Cursor,
    table: sql.Composable,
    dataset: Dataset,
    reader: Reader,
    parsed: Parsed,
    origin: int,
    *,
    rows: Sequence[int] | None = None,
    ids: Sequence[int] | None = None,
) -> int:
    """COPY accepted rows, all of them or these in this order, into columns named as the dataset's and ``_origin``.

    With ``ids`` the batch's ``n``-th record gets the id ``ids[n]``. Returns how many rows there were.

    Raises:
        psycopg2.Error: a value that does not fit, a key that is taken ...; nothing of the statement stays.
        Miscounted: COPY took another number of rows than were sent.
    """
    added = ["_origin"] if ids is None else ["_origin", "id"]
    fast, slow = _parted(parsed, rows)
    dialect = dataset.dialect
    delimiter = dialect.delimiter.encode()
    end = b"%b%d" % (delimiter, origin)
    if ids is None:
        payload = _lines(parsed, fast if rows is not None else None, end + b"\n")
    else:
        payload = _numbered_lines(parsed, fast if rows is not None else None, ids, end + delimiter)
    csv = sql.SQL(COPY["csv"]).format(
        table=table,
        columns=names([*all_columns(reader), *added]),
        delimiter=sql.Literal(dialect.delimiter),
        quote=sql.Literal(dialect.quote_char),
    )
    _copy(cursor, csv, LineStream(payload), len(fast))

    def row_as_text(row: int) -> bytes:
        id = () if ids is None else (str(ids[parsed.where(row).record]),)
        return copy_line((*parsed.slow[row - parsed.fast_rows], str(origin), *id))

    text = sql.SQL(COPY["text"]).format(table=table, columns=names([*reader.slow_columns, *added]))
    _copy(cursor, text, LineStream(map(row_as_text, slow)), len(slow))
    return len(fast) + len(slow)


def copy_as_it_is(cursor: Cursor, table: sql.Composable, dataset: Dataset, reader: Reader, parsed: Parsed) -> None:
    """COPY all accepted rows into columns named as ``all_columns``, and nothing else. Raises as ``copy_rows``."""
    dialect = dataset.dialect
    csv = sql.SQL(COPY["csv"]).format(
        table=table,
        columns=names(all_columns(reader)),
        delimiter=sql.Literal(dialect.delimiter),
        quote=sql.Literal(dialect.quote_char),
    )
    _copy(cursor, csv, io.BytesIO(parsed.fast), parsed.fast_rows)
    text = sql.SQL(COPY["text"]).format(table=table, columns=names(reader.slow_columns))
    _copy(cursor, text, LineStream(map(copy_line, parsed.slow)), len(parsed.slow))


def _parted(parsed: Parsed, rows: Sequence[int] | None) -> tuple[Sequence[int], Sequence[int]]:
    """The rows of the payload and the others."""
    if rows is None:
        return range(parsed.fast_rows), range(parsed.fast_rows, parsed.accepted)
    if not parsed.slow:
        return rows, ()
    return array("I", filter(parsed.fast_rows.__gt__, rows)), array("I", filter(parsed.fast_rows.__le__, rows))


def _lines(parsed: Parsed, rows: Sequence[int] | None, end: bytes) -> Iterator[bytes]:
    """Lines of the payload, all of them or these, with this end, thousands at a time."""
    if rows is None:
        yield from (end.join((*lines, b"")) for lines in parsed.all_fast_lines())
        return
    for start in range(0, len(rows), _AT_ONCE):
        yield end.join((*parsed.fast_lines(rows[start : start + _AT_ONCE]), b""))


def _numbered_lines(parsed: Parsed, rows: Sequence[int] | None, ids: Sequence[int], middle: bytes) -> Iterator[bytes]:
    """Lines of the payload, all of them or these, with this before their ids, thousands at a time."""
    line: Callable[[tuple[bytes, int]], bytes] = (b"%%b%b%%d\n" % middle.replace(b"%", b"%%")).__mod__
    if rows is None:
        numbers = chain.from_iterable(ids[run.start : run.stop] for run in parsed.fast_runs())
        for lines in parsed.all_fast_lines():
            yield b"".join(map(line, zip(lines, numbers, strict=False)))  # lines first: no number is taken too much
        return
    for start in range(0, len(rows), _AT_ONCE):
        chosen = rows[start : start + _AT_ONCE]
        chosen_ids = map(ids.__getitem__, parsed.fast_records(chosen))
        yield b"".join(map(line, zip(parsed.fast_lines(chosen), chosen_ids, strict=True)))


def _copy(cursor: Cursor, statement: sql.Composed, data: io.RawIOBase | io.BytesIO, rows: int) -> None:
    if not rows:
        return
    cursor.copy_expert(statement, data)
    if cursor.rowcount != rows:
        raise Miscounted("copy-miscounted", f"COPY took {cursor.rowcount} rows of {rows}")

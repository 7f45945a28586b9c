"""COPY: a batch's accepted rows straight into a table, the good records' own bytes among them.

Each row also gets what no file has: its origin, and an id where the caller has drawn ids for the batch.
"""

import io
from array import array
from collections.abc import Callable, Iterator, Sequence

from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.tables import names
from chalicelib.adapters.postgres.text import LineStream, copy_line
from chalicelib.core.dataset import Dataset
from chalicelib.core.reader import Parsed, Reader
from chalicelib.errors import Terminal

COPY = queries("copying")
_BUFFER = 1 << 18
_AT_ONCE = 4_096  # lines that are made at a time: what is sent is never in memory as a whole


class Miscounted(Terminal):
    """Something in the database keeps rows out without a word: a trigger, say."""


def has_all_columns(reader: Reader) -> bool:
    """Whether a table has every column of the file, as ``copy_rows`` must have it."""
    return None not in reader.fast_columns


def copy_rows(
    cursor: Cursor,
    table: sql.Composable,
    dataset: Dataset,
    reader: Reader,
    parsed: Parsed,
    origin: int,
    *,
    rows: Sequence[int] | None = None,
    first_id: int | None = None,
) -> int:
    """COPY accepted rows, all of them or these in this order, into columns named as the dataset's and ``_origin``.

    With ``first_id`` the batch's ``n``-th record gets the id ``first_id + n - 1``. Returns how many rows there were.

    Raises:
        psycopg2.Error: a value that does not fit, a key that is taken ...; nothing of the statement stays.
        Miscounted: COPY took another number of rows than were sent.
    """
    added = ["_origin"] if first_id is None else ["_origin", "id"]
    fast, slow = _parted(parsed, rows)
    dialect = dataset.dialect
    delimiter = dialect.delimiter.encode()
    end = b"%b%d" % (delimiter, origin)
    if first_id is None:
        payload = _lines(parsed, fast, end + b"\n")
    else:
        payload = _numbered_lines(parsed, fast, first_id, end + delimiter)
    csv = sql.SQL(COPY["csv"]).format(
        table=table,
        columns=names([*(name for name in reader.fast_columns if name), *added]),
        delimiter=sql.Literal(dialect.delimiter),
        quote=sql.Literal(dialect.quote_char),
    )
    _copy(cursor, csv, LineStream(payload), len(fast))

    def row_as_text(row: int) -> bytes:
        ids = () if first_id is None else (str(first_id + parsed.where(row).record - 1),)
        return copy_line((*parsed.slow[row - parsed.fast_rows], str(origin), *ids))

    text = sql.SQL(COPY["text"]).format(table=table, columns=names([*reader.slow_columns, *added]))
    _copy(cursor, text, LineStream(map(row_as_text, slow)), len(slow))
    return len(fast) + len(slow)


def _parted(parsed: Parsed, rows: Sequence[int] | None) -> tuple[Sequence[int], Sequence[int]]:
    """The rows of the payload and the others."""
    if rows is None:
        return range(parsed.fast_rows), range(parsed.fast_rows, parsed.accepted)
    if not parsed.slow:
        return rows, ()
    return array("I", filter(parsed.fast_rows.__gt__, rows)), array("I", filter(parsed.fast_rows.__le__, rows))


def _lines(parsed: Parsed, rows: Sequence[int], end: bytes) -> Iterator[bytes]:
    """Lines of the payload with this end, thousands at a time."""
    for start in range(0, len(rows), _AT_ONCE):
        yield end.join((*parsed.fast_lines(rows[start : start + _AT_ONCE]), b""))


def _numbered_lines(parsed: Parsed, rows: Sequence[int], first_id: int, middle: bytes) -> Iterator[bytes]:
    line: Callable[[tuple[bytes, int]], bytes] = (b"%%b%b%%d\n" % middle.replace(b"%", b"%%")).__mod__
    for start in range(0, len(rows), _AT_ONCE):
        chosen = rows[start : start + _AT_ONCE]
        ids = map((first_id - 1).__add__, parsed.fast_records(chosen))
        yield b"".join(map(line, zip(parsed.fast_lines(chosen), ids, strict=True)))


def _copy(cursor: Cursor, statement: sql.Composed, data: io.RawIOBase, rows: int) -> None:
    if not rows:
        return
    cursor.copy_expert(statement, data, _BUFFER)
    if cursor.rowcount != rows:
        raise Miscounted("copy-miscounted", f"COPY took {cursor.rowcount} rows of {rows}")

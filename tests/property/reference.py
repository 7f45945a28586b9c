"""The rules of records once more, byte by byte and as plainly as can be, to hold the fast ones to."""

from typing import NamedTuple

from chalicelib.core.schema import Dialect


class Record(NamedTuple):
    """A stretch of bytes from one record's start to the next one's; ``whole`` unless it is malformed."""

    start: int
    end: int
    whole: bool


def records_of(data: bytes, dialect: Dialect, max_record_bytes: int) -> list[Record]:
    """Every record and blank line of ``data``, which tile it."""
    found, start = [], 0
    while start < len(data):
        end = _end(data, start, dialect)
        whole = end is not None and end - start <= max_record_bytes
        if end is None or not whole:
            end = _line_end(data, start)
        found.append(Record(start, end, whole))
        start = end
    return found


def _line_end(data: bytes, start: int) -> int:
    newline = data.find(b"\n", start)
    return len(data) if newline < 0 else newline + 1


def is_no_record(data: bytes, record: Record, dialect: Dialect) -> bool:
    """Whether the stretch is a blank line or a comment."""
    text = data[record.start : record.end]
    comment = bool(dialect.comment) and text.startswith(dialect.comment.encode())
    return record.whole and (comment or text in (b"\n", b"\r\n", b"\r"))


def _end(data: bytes, start: int, dialect: Dialect) -> int | None:
    """Where the record ends if nothing limits it, or None where a quote stays open."""
    if dialect.comment and data.startswith(dialect.comment.encode(), start):
        return _line_end(data, start)
    delimiter, quote, newline = ord(dialect.delimiter), ord(dialect.quote_char), ord("\n")
    state, escaped = "field start", False
    for position in range(start, len(data)):
        byte = data[position]
        if escaped and (byte != newline or state == "quoted"):
            escaped = False
        elif dialect.escape and byte == ord(dialect.escape):
            escaped = True
            state = "quoted" if state == "quoted" else "in field"
        elif state == "quoted":
            state = "quote in quoted" if byte == quote else "quoted"
        elif byte == quote and (state == "field start" or (state == "quote in quoted" and dialect.double_quote)):
            state = "quoted"
        elif byte == newline:
            return position + 1
        elif not (state == "field start" and dialect.skip_initial_space and byte == ord(" ")):
            state = "field start" if byte == delimiter else "in field"
    return None if state == "quoted" else len(data)


def copy_csv(payload: bytes, dialect: Dialect) -> list[list[str | None]]:
    """What PostgreSQL's COPY ... (FORMAT csv) makes of a payload: a quote anywhere is a toggle, empty is null."""
    delimiter, quote, newline = ord(dialect.delimiter), ord(dialect.quote_char), ord("\n")
    rows: list[list[str | None]] = []
    row: list[str | None] = []
    value, quoted, was_quoted = bytearray(), False, False
    position = 0
    while position < len(payload):
        byte = payload[position]
        position += 1
        if quoted and byte == quote and payload[position : position + 1] == dialect.quote_char.encode():
            value.append(quote)
            position += 1
        elif byte == quote:
            quoted, was_quoted = not quoted, True
        elif quoted or byte not in (delimiter, newline):
            value.append(byte)
        else:
            row.append(value.decode() if value or was_quoted else None)
            value, was_quoted = bytearray(), False
            if byte == newline:
                assert payload[position - 2 : position] != b"\r\n", "mixed line ends would be refused"
                assert row != ["\\."], "the end of the data to COPY"
                rows.append(row)
                row = []
    assert not quoted
    assert not row
    assert not value
    return rows

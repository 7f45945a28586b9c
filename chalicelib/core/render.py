"""rejected.csv: the error columns, then each record as it came, so that it can be mended and dropped again.

A record that is no well-formed CSV, or no text, is written as one cell: ``_raw:`` and its bytes, escaped so that
``unescape_raw`` gives them back exactly.
"""

import re
from collections.abc import Sequence

from chalicelib.core.records import grammar_of
from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import Dialect

ERROR_COLUMNS = ("_error_line", "_error_record", "_error_column", "_error_code", "_error_message")
RAW_PREFIX = "_raw:"
_INSTEAD = "'"  # of a quote, in a dialect that has no way to write one
_ESCAPES = {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\0": r"\x00"}
_UNESCAPES = {r"\\": b"\\", r"\n": b"\n", r"\r": b"\r"}
_ESCAPABLE = re.compile(r"[\\\n\r\0]")
_INVALID = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of bytes that are no UTF-8
_ESCAPED = re.compile(r"\\(?:[\\nr]|x[0-9A-F]{2})")


def error_file_header(columns: Sequence[str], dialect: Dialect) -> bytes:
    """Return the first line: the error columns, then the file's own ``columns``."""
    return (_row([*ERROR_COLUMNS, *columns], dialect) + "\n").encode()


def error_file_row(
    line: int, record: int, errors: Sequence[RecordError], raw: bytes, dialect: Dialect, *, escaped: bool = False
) -> bytes:
    """Return the line of one rejected record: its line and record number, all its errors, and its bytes.

    Several errors stand in the same cells, separated by ``; ``. The result is valid UTF-8 and well-formed CSV.
    ``escaped`` has the record escaped in any case: it is no CSV, whatever it looks like.
    """
    cells = [str(line), str(record), *error_cells(errors)]
    if raw and not escaped and _stands_as_it_is(raw, dialect):  # none are kept of a record that is too long
        return (_row(cells, dialect) + dialect.delimiter).encode() + raw + b"\n"
    cell = escape_raw(raw)
    if not dialect.double_quote and not dialect.escape:
        quote = dialect.quote_char
        cell = RAW_PREFIX + cell.removeprefix(RAW_PREFIX).replace(quote, rf"\x{ord(quote):02X}")
    return (_row([*cells, cell], dialect) + "\n").encode()


def record_of(cells: Sequence[str], dialect: Dialect) -> bytes | None:
    """Return a record of these cells, without a line end; ``None`` where the dialect cannot say one of them."""
    if not dialect.escape and not dialect.double_quote and any(dialect.quote_char in cell for cell in cells):
        return None
    return _row(cells, dialect).encode()


def error_cells(errors: Sequence[RecordError]) -> tuple[str, str, str]:
    """Return the columns, codes and messages of a record's errors."""
    return (
        "; ".join(error.column or "" for error in errors),
        "; ".join(error.code for error in errors),
        "; ".join(error.message for error in errors),
    )


def escape_raw(raw: bytes) -> str:
    """Return any bytes as one line of text after ``_raw:``; what is text stays readable."""
    text = raw.decode("utf-8", "surrogateescape")
    escaped = _ESCAPABLE.sub(lambda match: _ESCAPES[match.group()], text)
    return RAW_PREFIX + _INVALID.sub(lambda match: rf"\x{ord(match.group()) - 0xDC00:02X}", escaped)


def unescape_raw(cell: str) -> bytes:
    """Return the bytes that ``escape_raw`` was given.

    Raises:
        ValueError: the cell does not start with ``_raw:``, or has an escape that is none of the documented ones.
    """
    if not cell.startswith(RAW_PREFIX):
        raise ValueError(f"not an escaped record: it does not start with {RAW_PREFIX}")
    parts: list[bytes] = []
    position, text = 0, cell[len(RAW_PREFIX) :]
    while (slash := text.find("\\", position)) >= 0:
        escape = _ESCAPED.match(text, slash)
        if escape is None:
            raise ValueError(f"unknown escape at character {len(RAW_PREFIX) + slash}")
        parts.append(text[position:slash].encode())
        parts.append(_UNESCAPES.get(escape.group()) or bytes.fromhex(escape.group()[2:]))
        position = escape.end()
    parts.append(text[position:].encode())
    return b"".join(parts)


def _stands_as_it_is(raw: bytes, dialect: Dialect) -> bool:
    """Tell whether a record's own bytes may follow the error columns and come out of any CSV reader the same."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return False
    if "\0" in text:
        return False
    cells = grammar_of(dialect).split(text)
    return cells is not None and not cells[0].startswith(RAW_PREFIX)


def _row(cells: Sequence[str], dialect: Dialect) -> str:
    return dialect.delimiter.join(_cell(cell, dialect) for cell in cells)


def _cell(text: str, dialect: Dialect) -> str:
    quote, escape = dialect.quote_char, dialect.escape
    if not any(special in text for special in (dialect.delimiter, quote, "\n", "\r", escape or quote)):
        return quote + text + quote if dialect.skip_initial_space and text.startswith(" ") else text
    if escape:
        text = text.replace(escape, escape * 2)
    if escape or dialect.double_quote:
        return quote + text.replace(quote, (quote if dialect.double_quote else escape) + quote) + quote
    return quote + text.replace(quote, _INSTEAD if quote != _INSTEAD else '"') + quote

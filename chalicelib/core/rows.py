"""The first rows of a file: its header, in one row or several."""

from dataclasses import replace
from typing import NamedTuple

from chalicelib.core.records import Grammar, RecordEnds, grammar_of, strip_line_end
from chalicelib.core.schema import Dialect
from chalicelib.errors import FileRefused

MAX_HEADER_BYTES = 1 << 20


class FirstRow(NamedTuple):
    """The cells of a file's first record, none where it is no well-formed text, and where it ends."""

    cells: tuple[str, ...]
    end: int


def first_row(text: bytes, dialect: Dialect, *, at_end: bool) -> FirstRow | None:
    """Return a file's first record, as if it were a header; ``None`` where more bytes are needed."""
    try:
        read = header_rows(text, replace(dialect, header_rows=(1,)), at_end=at_end)
    except FileRefused:
        return FirstRow((), 0)
    return None if read is None else FirstRow(*read)


def header_rows(text: bytes, dialect: Dialect, *, at_end: bool) -> tuple[tuple[str, ...], int] | None:
    """Return the labels and where the header's last row ends; ``None`` where more bytes are needed.

    Rows are counted from the first that is neither blank nor a comment.

    Raises:
        FileRefused: there is no header, it is not text, or its quoting is broken.
    """
    grammar = grammar_of(dialect)
    ends = RecordEnds(grammar, text, MAX_HEADER_BYTES)
    rows: list[tuple[str, ...]] = []
    number, end = 0, 0
    while number < dialect.header_rows[-1]:
        start = end
        if start == len(text) or (start == len(text) - 1 and text.endswith(b"\r")):
            if not at_end:
                return None
            if number:
                raise FileRefused("no-header", f"the header has {dialect.header_rows[-1]} rows, the file {number}")
            raise FileRefused("empty-file", "the file is empty: it has not even a header")
        end, whole = ends.after(start)
        if not at_end and (not whole or end == len(text)):
            return None
        raw = strip_line_end(text, start, end)
        if whole and grammar.is_no_record(raw):
            continue
        number += 1
        if number in dialect.header_rows:
            rows.append(_names(raw, whole, grammar))
    if len({len(row) for row in rows}) > 1:
        raise FileRefused("header-error", "the rows of the header have different numbers of cells")
    # A row often names a group of columns once, over the first of them.
    return tuple(dialect.header_join.join(filter(None, cells)) for cells in zip(*rows, strict=True)), end


def _names(raw: bytes, whole: bool, grammar: Grammar) -> tuple[str, ...]:
    """Return the header's cells.

    Raises:
        FileRefused: they are not text, or not one well-formed record.
    """
    if b"\0" in raw:
        raise FileRefused("encoding-error", "the header has a NUL byte: the file is no text, or damaged")
    try:
        header = raw.decode()
    except UnicodeDecodeError as error:
        raise FileRefused(
            "encoding-error", f"the header is not valid UTF-8 (byte {error.start} of it); save the file as UTF-8"
        ) from None
    cells = grammar.split(header) if whole else None
    if cells is not None:
        return tuple(cells)
    if "\r" in header:
        raise FileRefused(
            "line-terminator", "the lines end with a carriage return alone; save the file with line ends LF or CRLF"
        )
    if len(raw) >= MAX_HEADER_BYTES:
        raise FileRefused("header-error", f"the header does not end within {MAX_HEADER_BYTES} bytes")
    raise FileRefused("header-error", "the header's quoting is broken: a quote is never closed, or text follows one")

"""Rows of a table as lines of a file: CSV in a dataset's own dialect, or JSON Lines; UTF-8, line ends LF.

Dropped under ``input/<dataset>/`` they load as the rows that they came from.
"""

import codecs
import json
import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from chalicelib.core.encodings import UTF8
from chalicelib.core.schema import Dataset, Dialect, Field, FieldType
from chalicelib.core.spelling import Spell, distinct_spelling, number_text, spelling
from chalicelib.errors import ExportRefused

Row: TypeAlias = Sequence[str | None]
"""PostgreSQL's text of each column's value, ``None`` for null."""

Encode: TypeAlias = Callable[[Row], bytes]

ROW_ID = "id"
_MARK = "\ufeff"  # at the start of a file it would be taken for no part of it


def exported_columns(dataset: Dataset, *, with_id: bool) -> tuple[str, ...]:
    """Return the columns of an export: the fields in the order of the descriptor, the row's id first if wanted."""
    return ((ROW_ID,) if with_id else ()) + tuple(field.name for field in dataset.fields)


def encoding_mark(dialect: Dialect) -> bytes:
    """Return what tells that a file is UTF-8 where other files of its dataset are not."""
    return b"" if dialect.encoding == UTF8 else codecs.BOM_UTF8


def csv_header(dataset: Dataset, *, with_id: bool) -> bytes:
    """Return the header's lines: as many as the dialect skips and reads, the names in the first that counts."""
    dialect = dataset.dialect
    mark = encoding_mark(dialect)
    if not dialect.header:
        return mark
    names = exported_columns(dataset, with_id=with_id)
    first, last = dialect.header_rows[0], dialect.header_rows[-1]
    write = _line_writer(dialect)
    lines = [write(names)] * first + [write([""] * len(names))] * (last - first)
    return mark + "".join(lines).encode()


def csv_encoder(dataset: Dataset, *, with_id: bool) -> Encode:
    """Return the function from a row to its CSV line.

    It raises ExportRefused where a value, or a null, cannot be written so that it is read as the same.
    """
    offset = 1 if with_id else 0
    spells = _spells(dataset.fields, offset, distinct_spelling)
    nulls = [None] * offset + [field.missing_values[0] if field.missing_values else None for field in dataset.fields]
    names = exported_columns(dataset, with_id=with_id)
    write = _line_writer(dataset.dialect)

    def encode(row: Row) -> bytes:
        cells = list(row)
        for at, spell in spells:
            text = cells[at]
            if text is not None:
                cells[at] = spell(text)
        return write(
            [cell if cell is not None else _null(nulls[at], names[at]) for at, cell in enumerate(cells)]
        ).encode()

    return encode


def json_encoder(dataset: Dataset, *, with_id: bool) -> Encode:
    """Return the function from a row to its line of JSON: numbers, booleans, objects, arrays and nulls as such."""
    offset = 1 if with_id else 0
    spells = _spells(dataset.fields, offset, _json_spelling)
    names = [json.dumps(name) + ": " for name in exported_columns(dataset, with_id=with_id)]

    def encode(row: Row) -> bytes:
        cells = list(row)
        for at, spell in spells:
            text = cells[at]
            if text is not None:
                cells[at] = spell(text)
        members = [name + ("null" if cell is None else cell) for name, cell in zip(names, cells, strict=True)]
        return ("{" + ", ".join(members) + "}\n").encode()

    return encode


def _spells(
    fields: Sequence[Field], offset: int, of: Callable[[Field], Spell | None]
) -> list[tuple[int, Callable[[str], str]]]:
    found = [(at, of(field)) for at, field in enumerate(fields, offset)]
    return [(at, spell) for at, spell in found if spell is not None]


def _null(text: str | None, name: str) -> str:
    if text is None:
        raise ExportRefused("unwritable", f"{name}: it has nulls, and no missingValues to write them by")
    return text


def _json_spelling(field: Field) -> Spell | None:
    kind = field.type
    if kind is FieldType.INTEGER:
        return None
    if kind is FieldType.NUMBER:
        return _json_number
    if kind is FieldType.BOOLEAN:
        return {"t": "true", "f": "false"}.__getitem__
    spell = spelling(field)
    if kind in (FieldType.OBJECT, FieldType.ARRAY) or (kind is FieldType.GEOPOINT and field.format != "default"):
        return spell
    dumps = json.JSONEncoder(ensure_ascii=False).encode
    return dumps if spell is None else lambda text: dumps(spell(text))


def _json_number(text: str) -> str:
    written = number_text(text)
    return written if written[-1].isdigit() else f'"{written}"'  # JSON has no NaN and no INF


def _line_writer(dialect: Dialect) -> Callable[[Sequence[str]], str]:
    """Return the function from cells to their line: quotes where they are needed, and nowhere else."""
    delimiter, quote = dialect.delimiter, dialect.quote_char
    leading = tuple(filter(None, (dialect.comment, _MARK)))
    spaces = dialect.skip_initial_space
    special = re.compile("[" + re.escape(quote + dialect.escape) + "\r\n]").search
    breaks = re.compile("[" + re.escape(delimiter) + "\r\n]").search
    speaks_of_quotes = bool(dialect.escape) or dialect.double_quote

    def cell(text: str) -> str:
        if breaks(text) or (spaces and text.startswith(" ")):
            return _quoted(text, dialect)
        if special(text) and (speaks_of_quotes or text.startswith(quote)):
            return _quoted(text, dialect)
        return text  # with a quote in it where the dialect has no other way to write one

    def write(cells: Sequence[str]) -> str:
        line = delimiter.join(cells)
        plain = not special(line) and line.count(delimiter) == len(cells) - 1 and not (spaces and " " in line)
        if plain and line and not line.startswith(leading):
            return line + "\n"
        written = list(map(cell, cells))
        if written[0].startswith(leading) or written == [""]:
            written[0] = _quoted(cells[0], dialect)
        return delimiter.join(written) + "\n"

    return write


def _quoted(text: str, dialect: Dialect) -> str:
    quote, escape = dialect.quote_char, dialect.escape
    if escape:
        text = text.replace(escape, escape * 2)
    if quote in text:
        if not escape and not dialect.double_quote:
            raise ExportRefused("unwritable", "a value holds the quoteChar, for which the dialect has no way")
        text = text.replace(quote, (quote if dialect.double_quote else escape) + quote)
    return quote + text + quote

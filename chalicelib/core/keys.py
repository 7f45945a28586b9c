"""Key values of accepted rows, made so that what PostgreSQL holds for equal is equal."""

import re
from array import array
from collections.abc import Callable, Hashable, Mapping, MutableSequence, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from chalicelib.core.duration import read_duration
from chalicelib.core.formats import UUID
from chalicelib.core.lexical import parse_datetime, parse_time
from chalicelib.core.repeat import any_number
from chalicelib.core.schema import Dataset, Field, FieldType
from chalicelib.core.structured import parse_array, parse_object, read_point_text

Convert: TypeAlias = Callable[[Any], Hashable]

_SLICE = 1 << 14  # bytes of the payload that are looked at at a time: where they have no quote, all goes faster

POSTGRES_TRUE = frozenset({"t", "true", "y", "yes", "on", "1"})
"""How PostgreSQL writes true, among others; in lower case."""


class KeyReader:
    """Reads key values from the rows of one dataset in files of one order of columns."""

    def __init__(self, dataset: Dataset, columns: Sequence[str]) -> None:
        declared = {field.name: field for field in dataset.fields}
        self._fast_position = {name: position for position, name in enumerate(columns)}
        slow_columns = [name for name in columns if name in declared]
        self._slow_position = {name: position for position, name in enumerate(slow_columns)}
        self._convert: Mapping[str, Convert | None] = {name: _conversion(declared[name]) for name in slow_columns}
        self._delimiter = dataset.dialect.delimiter.encode()
        self._quote = dataset.dialect.quote_char.encode()
        self._last = len(columns) - 1

    def read(
        self, key: Sequence[str], fast: bytes, slow: Sequence[tuple[str | None, ...]], rows: int
    ) -> Sequence[Hashable]:
        """Return the key of each of ``rows`` rows, the fast ones first; see ``Parsed.keys``."""
        if not all(name in self._slow_position for name in key):
            return [None] * rows
        parts = [self._values(name, fast, slow) for name in key]
        if len(parts) == 1:
            return parts[0]
        return [None if None in values else values for values in zip(*parts, strict=True)]

    def _values(self, name: str, fast: bytes, slow: Sequence[tuple[str | None, ...]]) -> Sequence[Hashable]:
        position, convert = self._slow_position[name], self._convert[name]
        place = self._fast_position[name], self._last, self._delimiter
        plain, maybe_quoted = _column(*place, b""), _column(*place, self._quote)
        # Whole numbers as such take a fifth of the memory.
        values: MutableSequence[Any] = array("q") if convert is int else []
        start = 0
        while start < len(fast):
            end = fast.find(b"\n", start + _SLICE) + 1 or len(fast)
            found = (plain if fast.find(self._quote, start, end) < 0 else maybe_quoted)(fast, start, end)
            texts: Sequence[str | bytes | None] = found if convert is int else self._texts(found)
            # An empty value is null, or the rules would not have let it in.
            values = _extended(values, [text or None for text in texts] if b"" in found else texts, convert)
            start = end
        return _extended(values, [row[position] for row in slow], convert)

    def _texts(self, found: list[bytes]) -> list[str]:
        column = b"\n".join(found)
        doubled = self._quote * 2
        if doubled in column:  # there is no other quote in it
            column = column.replace(doubled, self._quote)
        return column.decode().split("\n") if found else []


def _extended(
    values: MutableSequence[Any], texts: Sequence[str | bytes | None], convert: Convert | None
) -> MutableSequence[Any]:
    if convert is None:
        values.extend(texts)
    elif None in texts:
        values = values if isinstance(values, list) else list(values)
        values.extend(None if text is None else convert(text) for text in texts)
    else:
        values.extend(map(convert, texts))
    return values


@lru_cache(maxsize=256)
def _column(position: int, last: int, delimiter: bytes, quote: bytes) -> Callable[[bytes, int, int], list[bytes]]:
    """Return what finds one column's values in a stretch of a payload; some may be quoted unless ``quote`` is empty.

    Every line of the payload has all its fields, so that what ends a value need not be looked at twice; sets of single
    characters are by far the fastest.
    """
    d, q = re.escape(delimiter), re.escape(quote)
    before, value = rb"[^%b]*+%b" % (d, d), rb"[^%b]*+" % (d if position < last else rb"\n")
    line = before * position + rb"(%b)[^\n]*+\n" % value
    if quote:
        doubled = any_number(f"{q.decode()}{q.decode()}[^{q.decode()}]*+").encode()
        inside = rb"[^%b]*+(?!%b%b)|(?<=%b)[^%b]*+%b" % (q, q, q, q, q, doubled)
        before = rb"(?>%b[^%b]*+%b%b|%b[^%b]*+%b%b%b|%b)" % (q, q, q, d, q, q, doubled, q, d, before)
        line = before * position + rb"%b?+(?>((?<=%b)%b|%b))[^\n]*+\n" % (q, q, inside, value)
    return re.compile(line).findall


def _number(text: str) -> Hashable:
    value = Decimal(text)
    return text if value.is_nan() else value  # NaN is no Decimal's equal, but PostgreSQL's unique indexes hold one


def _boolean(text: str) -> bool:
    return text.lower() in POSTGRES_TRUE


def _instant(text: str) -> Hashable:
    return parse_datetime(f"{text[:10]}T{text[11:]}")  # with a space, where a format says so


def _conversion(field: Field) -> Convert | None:
    return str.lower if field.format == UUID else _CONVERSIONS.get(field.type)


_CONVERSIONS: dict[FieldType, Convert] = {
    FieldType.INTEGER: int,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.TIME: parse_time,
    FieldType.DATETIME: _instant,
    FieldType.YEAR: int,
    FieldType.DURATION: read_duration,
    FieldType.OBJECT: parse_object,
    FieldType.ARRAY: parse_array,
    FieldType.GEOPOINT: read_point_text,
}

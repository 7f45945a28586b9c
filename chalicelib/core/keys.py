"""Key values of accepted rows, made so that what PostgreSQL holds for equal is equal."""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias, cast

from chalicelib.core.duration import read_duration
from chalicelib.core.formats import UUID
from chalicelib.core.lexical import parse_datetime, parse_time
from chalicelib.core.repeat import any_number
from chalicelib.core.schema import Dataset, Field, FieldType
from chalicelib.core.structured import parse_array, parse_object, read_point_text

Convert: TypeAlias = Callable[[str], Hashable]

_SLICE = 1 << 20  # bytes of the payload that are decoded at a time

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
        self._quote = dataset.dialect.quote_char
        d, q = re.escape(dataset.dialect.delimiter), re.escape(self._quote)
        # Every line of the payload has all its fields, so that what ends a value need not be looked at.
        quoted = f"{q}[^{q}]*+{any_number(f'{q}{q}[^{q}]*+')}{q}"
        self._plain = f"[^{d}]*+{d}", f"([^{d}\\n]*+)[^\\n]*+\\n"
        self._maybe_quoted = f"(?:{quoted}|[^{d}{q}]*+){d}", f"({quoted}|[^{d}{q}\\n]*+)[^\\n]*+\\n"

    def read(
        self, key: Sequence[str], fast: bytes, slow: Sequence[tuple[str | None, ...]], rows: int
    ) -> list[Hashable]:
        """Return the key of each of ``rows`` rows, the fast ones first; see ``Parsed.keys``."""
        return self.read_with_texts(key, fast, slow, rows)[0]

    def read_with_texts(
        self, key: Sequence[str], fast: bytes, slow: Sequence[tuple[str | None, ...]], rows: int
    ) -> tuple[list[Hashable], list[list[str | None]]]:
        """Return, beside what ``read`` does, each column's values as they are written; none of a key that is null."""
        if not all(name in self._slow_position for name in key):
            return [None] * rows, []
        texts = [self._written(name, fast, slow) for name in key]
        parts = [self._values(name, written) for name, written in zip(key, texts, strict=True)]
        if len(parts) == 1:
            return parts[0], texts
        return [None if None in values else values for values in zip(*parts, strict=True)], texts

    def _written(self, name: str, fast: bytes, slow: Sequence[tuple[str | None, ...]]) -> list[str | None]:
        position = self._slow_position[name]
        texts = self._texts(self._fast_position[name], fast)
        texts += [values[position] for values in slow]
        return texts

    def _values(self, name: str, texts: list[str | None]) -> list[Hashable]:
        convert = self._convert[name]
        if convert is None:
            return cast(list[Hashable], texts)
        if None in texts:
            return [None if text is None else convert(text) for text in texts]
        return list(map(convert, cast(list[str], texts)))

    def _texts(self, position: int, fast: bytes) -> list[str | None]:
        """Return one column of the payload; an empty value is null, or the rules would not have let it in."""
        quoted = self._quote.encode() in fast
        before, value = self._maybe_quoted if quoted else self._plain
        column = re.compile(before * position + value)
        texts: list[str | None] = []
        start = 0
        while start < len(fast):
            end = fast.find(b"\n", start + _SLICE) + 1 or len(fast)
            texts += column.findall(fast[start:end].decode())
            start = end
        if quoted:
            texts = [self._unquoted(text) if text and text[0] == self._quote else text for text in texts]
        return [text or None for text in texts] if "" in texts else texts

    def _unquoted(self, text: str) -> str:
        return text[1:-1].replace(self._quote * 2, self._quote)


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

"""Key values of accepted rows, made so that what PostgreSQL holds for equal is equal."""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from chalicelib.core.lexical import parse_datetime, parse_time
from chalicelib.core.schema import Dataset, FieldType

Convert: TypeAlias = Callable[[str], Hashable]

POSTGRES_TRUE = frozenset({"t", "true", "y", "yes", "on", "1"})
"""How PostgreSQL writes true, among others; in lower case."""


class KeyReader:
    """Reads key values from the rows of one dataset in files of one order of columns."""

    def __init__(self, dataset: Dataset, columns: Sequence[str]) -> None:
        declared = {field.name: field.type for field in dataset.fields}
        self._fast_position = {name: position for position, name in enumerate(columns)}
        slow_columns = [name for name in columns if name in declared]
        self._slow_position = {name: position for position, name in enumerate(slow_columns)}
        self._convert: Mapping[str, Convert | None] = {name: _CONVERSIONS.get(declared[name]) for name in slow_columns}
        self._quote = dataset.dialect.quote_char
        d, q = (re.escape(char).encode() for char in (dataset.dialect.delimiter, self._quote))
        self._delimiter = d
        self._plain = rb"[^%b\n]*+" % d
        # A quote is there only where it opens a field; quoted or not, an accepted value has no newline.
        self._maybe_quoted = rb"(?:%b[^%b\n]*+(?:%b%b[^%b\n]*+)*+%b|[^%b%b\n]*+)" % (q, q, q, q, q, q, d, q)

    def read(
        self, key: Sequence[str], fast: bytes, slow: Sequence[tuple[str | None, ...]], rows: int
    ) -> list[Hashable]:
        """Return the key of each of ``rows`` rows, the fast ones first; see ``Parsed.keys``."""
        if not all(name in self._slow_position for name in key):
            return [None] * rows
        parts = [self._values(name, fast, slow) for name in key]
        if len(parts) == 1:
            return parts[0]
        return [None if None in values else values for values in zip(*parts, strict=True)]

    def _values(self, name: str, fast: bytes, slow: Sequence[tuple[str | None, ...]]) -> list[Hashable]:
        position = self._slow_position[name]
        texts = self._texts(self._fast_position[name], fast)
        texts += [values[position] for values in slow]
        convert = self._convert[name]
        if convert is None:
            return list(texts)
        return [None if text is None else convert(text) for text in texts]

    def _texts(self, position: int, fast: bytes) -> list[str | None]:
        """Return one column of the payload; an empty value is null, or the rules would not have let it in."""
        if not fast:
            return []
        quote = self._quote.encode()
        field = self._maybe_quoted if quote in fast else self._plain
        column = re.compile(rb"(?:%b%b){%d}(%b)[^\n]*+\n" % (field, self._delimiter, position, field))
        # No value has a newline, so that all can be decoded at once.
        texts: list[str | None] = list(b"\n".join(column.findall(fast)).decode().split("\n"))
        if quote in fast:
            texts = [self._unquoted(text) if text and text[0] == self._quote else text for text in texts]
        return [text or None for text in texts] if "" in texts else texts

    def _unquoted(self, text: str) -> str:
        return text[1:-1].replace(self._quote * 2, self._quote)


def _number(text: str) -> Hashable:
    value = Decimal(text)
    return text if value.is_nan() else value  # NaN is no Decimal's equal, but PostgreSQL's unique indexes hold one


def _boolean(text: str) -> bool:
    return text.lower() in POSTGRES_TRUE


_CONVERSIONS: dict[FieldType, Convert] = {
    FieldType.INTEGER: int,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.TIME: parse_time,
    FieldType.DATETIME: parse_datetime,
}

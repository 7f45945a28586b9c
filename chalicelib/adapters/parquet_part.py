"""Parts as Parquet: typed columns, written by row groups. Only here, and only when a part is begun, pyarrow is needed.

What Parquet has no type for that would be as exact is text, in the standard's default form: numbers, whose digits
nobody has limited, durations, months, JSON and points.
"""

import importlib
import io
from collections.abc import Sequence
from datetime import time
from typing import Any

from chalicelib.adapters.postgres.tables import column_type
from chalicelib.core.lines import ROW_ID, Row
from chalicelib.core.parts import record_too_large
from chalicelib.core.schema import Dataset, FieldType
from chalicelib.core.spelling import Spell, plain_spelling
from chalicelib.errors import ExportRefused, Terminal

_COLUMN = 1_000  # bytes that a column of a row group takes besides its values, in pages and footer, at most
_OFFSETS = 32  # bytes by which its entry in the footer may be longer than in a file of its own


class ParquetPart:
    """See ``services.export_ports.PartWriter``."""

    def __init__(self, dataset: Dataset, max_bytes: int, *, with_id: bool) -> None:
        self._columns = _columns(dataset, with_id=with_id)
        self._max = max_bytes
        self._rows = 0
        self._sink = _Sink()
        self._writer = _writer(self._sink, self._columns)
        self._empty = self._size_of(())
        self._footer = self._empty  # how long it may become, with the row groups so far
        if self._empty > max_bytes:
            message = f"a Parquet file with nothing in it is larger than max_part_bytes ({max_bytes})"
            raise ExportRefused("part-too-small", message)

    def add(self, rows: Sequence[Row]) -> tuple[int, bytes]:
        """See ``PartWriter``. Where not all rows fit, the part is closed with half of them, or a quarter ..."""
        taken = len(rows)
        while taken and not self._write(rows[:taken]):
            taken //= 2
        self._rows += taken
        if rows and not self._rows:
            raise record_too_large(self._max)
        return taken, self._sink.taken()

    def finish(self) -> bytes:
        """See ``PartWriter``."""
        self._writer.close()
        if self._sink.tell() > self._max:
            raise Terminal("part-too-large", "a Parquet part has come out larger than it was reckoned")
        return self._sink.taken()

    def _write(self, rows: Sequence[Row]) -> bool:
        """Write a row group, unless the part would grow beyond its limit."""
        columns = len(self._columns)
        values = sum(len(cell) for row in rows for cell in row if cell is not None)
        # At most four bytes a character and eight beside each value, and as much again in a dictionary.
        grows = 2 * (4 * values + 8 * columns * len(rows)) + _COLUMN * columns
        begin = self._sink.tell()
        reckoned = begin + grows + self._footer + _COLUMN * columns <= self._max
        if not reckoned:
            # Too near the limit to reckon: in a file of its own the row group takes as much, and a footer besides.
            grows = self._size_of(rows) + _OFFSETS * columns
            if begin + grows + self._footer > self._max:
                return False
        self._writer.write_table(_table(rows, self._columns))
        self._footer += _COLUMN * columns if reckoned else grows - (self._sink.tell() - begin)
        return True

    def _size_of(self, rows: Sequence[Row]) -> int:
        sink = _Sink()
        with _writer(sink, self._columns) as writer:
            if rows:
                writer.write_table(_table(rows, self._columns))
        return sink.tell()


class _Sink(io.RawIOBase):
    """Takes what is written, and gives it away now and then; positions go on counting."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()
        self._given = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def tell(self) -> int:
        return self._given + len(self._held)

    def taken(self) -> bytes:
        data = bytes(self._held)
        self._given += len(data)
        self._held.clear()
        return data

    def close(self) -> None:
        """Stay open: what is held is still to be taken."""


_Column = tuple[str, str, Spell | None]
"""Name, kind (a key of ``_kinds``) and the spelling that the conversion starts from."""

_KINDS = {
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.TIME: "time",
    FieldType.DATETIME: "datetime",
    FieldType.YEAR: "integer",
}


def _columns(dataset: Dataset, *, with_id: bool) -> list[_Column]:
    columns: list[_Column] = [(ROW_ID, "bigint", None)] if with_id else []
    for field in dataset.fields:
        kind = column_type(field) if field.type is FieldType.INTEGER else _KINDS.get(field.type, "text")
        columns.append((field.name, kind, None if kind == "integer" else plain_spelling(field)))
    return columns


def _writer(sink: _Sink, columns: Sequence[_Column]) -> Any:
    parquet = importlib.import_module("pyarrow.parquet")
    # No statistics of text: a footer's size must not depend on values.
    counted = [name for name, kind, _ in columns if kind != "text"]
    return parquet.ParquetWriter(sink, _schema(columns), compression="snappy", write_statistics=counted)


def _schema(columns: Sequence[_Column]) -> Any:
    return _arrow().schema([(name, _type(kind)) for name, kind, _ in columns])


def _type(kind: str) -> Any:
    arrow = _arrow()
    return {
        "bigint": arrow.int64(),
        "integer": arrow.int32(),
        "boolean": arrow.bool_(),
        "date": arrow.date32(),
        "time": arrow.time64("us"),
        "datetime": arrow.timestamp("us", tz="UTC"),
        "text": arrow.string(),
    }[kind]


def _table(rows: Sequence[Row], columns: Sequence[_Column]) -> Any:
    arrow = _arrow()
    arrays = []
    for (_, kind, spell), cells in zip(columns, zip(*rows, strict=True), strict=True):
        texts = cells if spell is None else [None if cell is None else spell(cell) for cell in cells]
        if kind == "time":  # the one that arrow does not read
            times = [None if text is None else time.fromisoformat(text) for text in texts]
            arrays.append(arrow.array(times, _type(kind)))
        else:
            array = arrow.array(texts, arrow.string())
            arrays.append(array if kind == "text" else array.cast(_type(kind)))
    return arrow.table(arrays, schema=_schema(columns))


def _arrow() -> Any:
    return importlib.import_module("pyarrow")

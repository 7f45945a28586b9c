"""What must become of a file, worked out slowly and plainly, by other means than dropload's own.

Nothing here comes from ``chalicelib``: a byte-by-byte state machine reads the records (RFC 4180; a quote opens a field
only at the field's start; a record that does not end within the cap is its first physical line only), the rules are
applied one value at a time, and rows go one after the other into a table in memory. Understands datasets whose
fields are strings, integers and dates and whose conflicts are rejected, such as members; and, without their keys,
which records of other datasets are good.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum, auto
from typing import Any

BIGINT = range(-(2**63), 2**63)

Value = str | int | None
Row = dict[str, Value]
Error = tuple[str | None, str]
"""The column at fault (None: the record as a whole) and the code."""


@dataclass(frozen=True)
class Record:
    """One record as it stands in the file; blank lines are none.

    ``number`` counts records from 1, ``line`` physical lines, ``offset`` bytes from 0. ``raw`` is without the line end.
    ``whole`` is False for a line whose record does not end within the cap. ``fields`` is None for such a line, and
    where text follows a closing quote or a carriage return stands alone outside quotes.
    """

    number: int
    line: int
    offset: int
    raw: bytes
    whole: bool
    fields: tuple[bytes, ...] | None


class _State(Enum):
    FIELD_START = auto()
    UNQUOTED = auto()
    QUOTED = auto()
    QUOTE_IN_QUOTED = auto()
    CLOSED = auto()


def read_records(
    data: bytes, *, delimiter: bytes = b",", quote: bytes = b'"', max_record_bytes: int = 1 << 20, line: int = 1
) -> Iterator[Record]:
    """Every record of ``data``, which starts at a record's start on physical line ``line``."""
    offset, number = 0, 0
    while offset < len(data):
        end, whole, fields = _record_at(data, offset, delimiter, quote, max_record_bytes)
        raw = data[offset:end].removesuffix(b"\n").removesuffix(b"\r")
        if raw:
            number += 1
            yield Record(number, line, offset, raw, whole, fields)
        line += data.count(b"\n", offset, end)
        offset = end


def _record_at(
    data: bytes, start: int, delimiter: bytes, quote: bytes, cap: int
) -> tuple[int, bool, tuple[bytes, ...] | None]:
    """The end of the record that starts at ``start`` (after its line end), whether it is whole, and its fields."""
    state = _State.FIELD_START
    broken = False
    fields: list[bytes] = []
    text = bytearray()
    for at in range(start, min(len(data), start + cap)):
        byte = data[at : at + 1]
        if state is _State.QUOTED:
            if byte == quote:
                state = _State.QUOTE_IN_QUOTED
            else:
                text += byte
            continue
        if state is _State.QUOTE_IN_QUOTED:
            if byte == quote:
                text += quote
                state = _State.QUOTED
                continue
            state = _State.CLOSED
        if byte == b"\n":
            return at + 1, True, None if broken else (*fields, bytes(text))
        if byte == b"\r" and data[at + 1 : at + 2] in (b"\n", b""):
            continue
        if byte == delimiter:
            fields.append(bytes(text))
            text.clear()
            state = _State.FIELD_START
        elif byte == quote and state is _State.FIELD_START:
            state = _State.QUOTED
        else:
            broken = broken or state is _State.CLOSED or byte == b"\r"
            text += byte
            state = _State.CLOSED if state is _State.CLOSED else _State.UNQUOTED
    if start + cap >= len(data) and state is not _State.QUOTED:
        return len(data), True, None if broken else (*fields, bytes(text))
    newline = data.find(b"\n", start)
    return len(data) if newline < 0 else newline + 1, False, None


@dataclass(frozen=True)
class Column:
    """One declared field and its rules."""

    name: str
    type: str
    missing: frozenset[str] = frozenset({""})
    required: bool = False
    min_length: int = 0
    max_length: float = float("inf")
    minimum: float = float("-inf")
    maximum: float = float("inf")
    pattern: str | None = None
    enum: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Rules:
    """The columns of a dataset and its unique keys, each a tuple of column names."""

    columns: tuple[Column, ...]
    keys: tuple[tuple[str, ...], ...] = ()


def rules_of(descriptor: Mapping[str, Any]) -> Rules:
    """Read a dataset's descriptor. Raises ValueError for a field type that the oracle has no rules for."""
    schema = descriptor["schema"]
    primary = tuple(schema.get("primaryKey", ()))
    columns, keys = [], [primary] if primary else []
    for declared in schema["fields"]:
        if declared["type"] not in ("string", "integer", "date"):
            raise ValueError(f"the oracle does not know type {declared['type']}")
        constraints = declared.get("constraints", {})
        columns.append(
            Column(
                declared["name"],
                declared["type"],
                missing=frozenset(schema.get("missingValues", [""])),
                required=constraints.get("required", False) or declared["name"] in primary,
                min_length=constraints.get("minLength", 0),
                max_length=constraints.get("maxLength", float("inf")),
                minimum=constraints.get("minimum", float("-inf")),
                maximum=constraints.get("maximum", float("inf")),
                pattern=constraints.get("pattern"),
                enum=tuple(constraints["enum"]) if "enum" in constraints else None,
            )
        )
        if constraints.get("unique"):
            keys.append((declared["name"],))
    return Rules(tuple(columns), tuple(keys))


@dataclass(frozen=True)
class Refused:
    """A record that must not be loaded, and every (column, code) that says why.

    ``collides_with`` are the numbers of the accepted records of the same file that hold its keys.
    """

    record: Record
    errors: tuple[Error, ...]
    collides_with: tuple[int, ...] = ()


@dataclass
class Outcome:
    """What must become of a file: the rows that it adds to the table, and the records that it does not."""

    inserted: list[tuple[Record, Row]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


class Table:
    """The unique keys of a table: which values are taken, and by which record (None: a row of before)."""

    def __init__(self, keys: Sequence[tuple[str, ...]], rows: Iterable[Row]) -> None:
        self._holders: dict[tuple[str, ...], dict[tuple[Value, ...], int | None]] = {key: {} for key in keys}
        for row in rows:
            self.insert(row, None)

    def insert(self, row: Row, record: int | None) -> None:
        for key, holders in self._holders.items():
            values = tuple(row[column] for column in key)
            if None not in values:
                holders[values] = record

    def collisions(self, row: Row) -> dict[tuple[str, ...], int | None]:
        """The keys of ``row`` that are taken already, and by which record each."""
        taken = {}
        for key, holders in self._holders.items():
            values = tuple(row[column] for column in key)
            if values in holders:
                taken[key] = holders[values]
        return taken


def expect(data: bytes, rules: Rules, *, table: Iterable[Row] = (), max_record_bytes: int = 1 << 20) -> Outcome:
    """Load a whole file, header and all, into a table that holds the rows of ``table`` already."""
    body = data.removeprefix(b"\xef\xbb\xbf")
    header, *records = read_records(body, max_record_bytes=max_record_bytes)
    names = [name.decode() for name in header.fields or ()]
    keys = Table(rules.keys, table)
    outcome = Outcome()
    for found in records:
        record = replace(found, number=found.number - 1, offset=found.offset + len(data) - len(body))
        row, errors = judge(record, names, rules)
        collisions = {} if errors else keys.collisions(row)
        errors += [(",".join(key), "unique-error") for key in collisions]
        if errors:
            holders = tuple(holder for holder in collisions.values() if holder is not None)
            outcome.refused.append(Refused(record, tuple(errors), holders))
        else:
            keys.insert(row, record.number)
            outcome.inserted.append((record, row))
    return outcome


def judge(record: Record, names: Sequence[str], rules: Rules) -> tuple[Row, list[Error]]:
    """The row that a record means, and everything that is wrong with it; ``names`` are the file's own columns."""
    if not record.whole:
        return {}, [(None, "row-error")]
    if b"\0" in record.raw or not _is_utf8(record.raw):
        return {}, [(None, "encoding-error")]
    if record.fields is None:
        return {}, [(None, "row-error")]
    texts = [text.decode() for text in record.fields]
    if len(texts) != len(names):
        return {}, [(None, "missing-cell" if len(texts) < len(names) else "extra-cell")]
    row: Row = {}
    errors: list[Error] = []
    for column in rules.columns:
        text = texts[names.index(column.name)] if column.name in names else ""
        value, codes = _value(text, column)
        row[column.name] = value
        errors += [(column.name, code) for code in codes]
    return row, errors


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _value(text: str, column: Column) -> tuple[Value, list[str]]:
    """What a cell's text means, and the code of each rule that it breaks."""
    if text in column.missing:
        return None, ["constraint-error"] if column.required else []
    if column.type == "integer":
        return _integer(text, column)
    if column.type == "date":
        return _date(text)
    rules_kept = [
        column.min_length <= len(text),
        len(text) <= column.max_length,
        column.pattern is None or re.fullmatch(column.pattern, text),
        column.enum is None or text in column.enum,
    ]
    return text, ["constraint-error" for kept in rules_kept if not kept]


def _date(text: str) -> tuple[Value, list[str]]:
    parts = re.fullmatch("([0-9]{4})-([0-9]{2})-([0-9]{2})", text, re.ASCII)
    try:
        date(*map(int, parts.groups() if parts else ()))
    except (TypeError, ValueError):
        return None, ["type-error"]
    return text, []


def _integer(text: str, column: Column) -> tuple[Value, list[str]]:
    digits = re.fullmatch("([+-]?)0*([0-9]+)", text, re.ASCII)
    if not digits:
        return None, ["type-error"]
    # Beyond twenty digits one number is as far out of every range as another.
    value = int(digits[1] + (digits[2] if len(digits[2]) <= 20 else "9" * 20))
    codes = [] if value in BIGINT else ["type-error"]
    return value, codes + ["constraint-error"] * (not column.minimum <= value <= column.maximum)

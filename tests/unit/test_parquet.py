"""Parquet's types and limits; that all values survive is a property, in tests/property/test_tables.py."""

import tracemalloc
import uuid
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest

from chalicelib.adapters import parquet as adapter
from chalicelib.adapters.ranged import RangedFile
from chalicelib.errors import FileRefused, Transient
from tests.tables import lines, parquet, parquet_table, things


def one(values: pa.Array, kind: str | dict[str, Any] = "any") -> list[bytes]:
    """The JSON of each value of a column."""
    found = lines(parquet_table(parquet({"a": values}), things({"a": kind})))
    return [line.removeprefix(b'{"a": ').removesuffix(b"}") for line in found]


def refusal(data: bytes) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        lines(parquet_table(data, things({"a": "any"})))
    return refused.value


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            pa.array([1.0, 0.1, float("nan"), float("inf"), -float("inf"), 2.0**60]),
            b'1 0.1 "NaN" "INF" "-INF" 1.152921504606847e+18',
        ),
        (pa.array([68216848.0, 0.1, float("nan")], pa.float32()), b'68216848 0.1 "NaN"'),
        (pa.array([1, 1_500_000_000], pa.timestamp("ns")), b'"1970-01-01T00:00:00.000000001" "1970-01-01T00:00:01.5"'),
        (pa.array([0], pa.timestamp("s", "Europe/Berlin")), b'"1970-01-01T00:00:00Z"'),
        (pa.array([10**15], pa.timestamp("s")), b'"out of range"'),
        (pa.array([b"ok", "\u00ff".encode(), b"\xff\n"]), b'"ok" "\xc3\xbf" "\xff\\n"'),
        (pa.array([b"ab"], pa.binary(2)), b'"ab"'),
        (pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int8())), b'{"k": 1} {}'),
        (pa.array([[(1, None)]], pa.map_(pa.int8(), pa.int8())), b'{"1": null}'),
        (pa.array([[1, 2], None], pa.list_(pa.int8(), 2)), b"[1, 2] null"),
        (pa.array([uuid.UUID(int=1).bytes], pa.uuid()), b'"00000000-0000-0000-0000-000000000001"'),
        (pa.array(['{"x":1}'], pa.json_()), b'"{\\"x\\":1}"'),
        (pa.nulls(2), b"null null"),
        (pa.array(['tab\t"quote" \0']), b'"tab\\t\\"quote\\" \\u0000"'),
    ],
    ids=str,
)
def test_types_without_a_json_of_their_own(values: pa.Array, expected: bytes) -> None:
    assert b" ".join(one(values)) == expected


def test_midnight_is_a_day_where_the_field_is_a_date() -> None:
    days = pa.array([datetime(2024, 1, 2), datetime(2024, 1, 2, 3)])
    assert one(days, "date") == [b'"2024-01-02"', b'"2024-01-02T03:00:00"']
    assert one(days, "datetime") == [b'"2024-01-02T00:00:00"', b'"2024-01-02T03:00:00"']


def test_a_date_is_written_by_the_fields_pattern_where_that_says_the_same() -> None:
    days = pa.array([date(2024, 1, 2), date(1950, 1, 2)])
    assert one(days, {"type": "date", "format": "%d.%m.%Y"}) == [b'"02.01.2024"', b'"02.01.1950"']
    assert one(days, {"type": "date", "format": "%d.%m.%y"}) == [b'"02.01.24"', b'"1950-01-02"']


def test_only_declared_columns_are_read() -> None:
    dataset = things({"b": "integer", "missing": "string"})
    table = parquet_table(parquet({"a": ["x" * 100], "b": [1], "c.d": [2]}), dataset)
    assert (table.columns, lines(table)) == (("b",), [b'{"b": 1}'])


def test_a_few_bytes_that_stand_for_gigabytes_are_read_a_few_rows_at_a_time() -> None:
    text, rows = "x" * 1_000_000, 400
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))
    file = parquet({"a": dictionary, "l": pa.array([[1]] * rows)}, compression="zstd")
    assert len(file) < 10_000
    chunks = [len(chunk) for chunk in parquet_table(file, things({"a": "string"})).lines(1)]
    assert sum(chunks) == rows * (len(text) + len('{"a": ""}\n'))
    assert max(chunks) <= 64 << 20


def test_columns_together_hold_no_more_than_one_may() -> None:
    text, rows, names = "x" * 1_000_000, 20, "abcdefghijklmnop"  # 20 MB a column, 320 in all
    array = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))
    file = parquet(dict.fromkeys(names, array), compression="zstd")
    table = parquet_table(file, things(dict.fromkeys(names, "string")))
    tracemalloc.start()
    try:
        assert sum(chunk.count(b"\n") for chunk in table.lines(1)) == rows
        assert tracemalloc.get_traced_memory()[1] < 250_000_000
    finally:
        tracemalloc.stop()


def test_a_row_group_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "MOST_COLUMN_BYTES", 1000)
    refused = refusal(parquet({"a": [f"{number}" for number in range(1000)]}))
    assert (refused.code, "row group 1" in refused.message) == ("too-large", True)


def test_lists_of_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "MOST_VALUES", 1000)
    assert refusal(parquet({"a": pa.array([[1] * 2000])})).code == "too-large"


def test_a_type_that_has_no_json_is_refused_by_its_columns_name() -> None:
    deep: pa.DataType = pa.int8()
    for _ in range(40):
        deep = pa.list_(deep)
    refused = refusal(parquet({"a": pa.array([], deep)}))
    assert (refused.code, "column a" in refused.message) == ("unsupported-type", True)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PAR1", "archive-truncated"),
        (parquet({"a": [1]})[:-1], "archive-truncated"),
        (b"PAR1" + bytes(100) + b"\x10\0\0\0PAR1", "archive-damaged"),
        (b"PAR1" + bytes(100) + b"\xff\xff\xff\xffPAR1", "too-large"),
        (b"PAR1" + bytes(100) + b"\x10\0\0\0PARE", "archive-encrypted"),
        (flipped(parquet({"a": list(range(1000))}, write_page_checksum=True), 200), "archive-damaged"),
    ],
    ids=["magic", "truncated", "footer", "footer size", "encrypted", "checksum"],
)
def test_what_cannot_be_read_is_refused(data: bytes, code: str) -> None:
    assert refusal(data).code == code


def test_a_store_that_fails_is_no_damaged_file() -> None:
    data = parquet({"a": list(range(1000))})

    def read(start: int, end: int) -> bytes:
        if start < 100:
            raise Transient("aws-trouble", "reading the file: slow down")
        return data[start:end]

    with pytest.raises(Transient):
        lines(adapter.ParquetTable(RangedFile(read, len(data), most_bytes=1 << 20), things({"a": "any"})))

"""Any table that openpyxl or pyarrow writes comes out as JSON Lines that mean the same values."""

import json
import struct
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from chalicelib.core.duration import parse_duration
from tests.tables import excel_table, lines, parquet, parquet_table, things, workbook

NAMES = ("a", "b", "c")
XML_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=20
).filter(lambda text: not text.startswith(("=", "#")) and "_x" not in text)
"""What openpyxl writes as it is: no formulas, no errors, nothing that needs an escape of Excel's."""

MILLISECONDS = st.integers(0, 999).map(lambda count: count * 1000)
DATETIMES = st.builds(
    lambda value, fraction: value.replace(microsecond=fraction),
    st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 31)),
    MILLISECONDS,
)
CELLS = st.one_of(
    st.none(),
    XML_TEXT,
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(-1e300, 1e300).map(lambda value: float(f"{value:.15g}")),  # Excel's own digits
    st.dates(date(1900, 3, 1), date(9999, 12, 31)),
    DATETIMES,
    st.builds(lambda value, fraction: value.replace(microsecond=fraction), st.times(), MILLISECONDS),
    st.integers(0, 10**9).map(lambda count: timedelta(milliseconds=count)),
)
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "text": (pa.string(), st.text(max_size=10)),
    "repeated": (pa.dictionary(pa.int32(), pa.string()), st.sampled_from(["x", "y", 'a "quoted" one', "ÿ"])),
    "bytes": (pa.binary(), st.text(max_size=5).map(str.encode)),
    "whole": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "unsigned": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "real": (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    "short": (pa.float32(), st.floats(allow_nan=False, allow_infinity=False, width=32)),
    "exact": (pa.decimal128(20, 4), st.decimals(-(10**15), 10**15, places=4)),
    "truth": (pa.bool_(), st.booleans()),
    "day": (pa.date32(), st.dates()),
    "moment": (pa.timestamp("us"), st.datetimes()),
    "instant": (
        pa.timestamp("us", "Europe/Berlin"),
        st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC)),
    ),
    "clock": (pa.time64("us"), st.times()),
    "length": (pa.duration("us"), st.timedeltas(timedelta(-10000), timedelta(10000))),
    "list": (pa.list_(pa.int32()), st.lists(st.none() | st.integers(0, 9), max_size=3)),
    "struct": (
        pa.struct([("x", pa.string()), ("y", pa.list_(pa.bool_()))]),
        st.fixed_dictionaries({"x": st.none() | st.text(max_size=3), "y": st.lists(st.booleans(), max_size=2)}),
    ),
}


def narrowed(value: float) -> float:
    """The nearest number that has 32 bits."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def means(found: Any, value: Any) -> bool:
    """Whether JSON (its numbers being decimals) says what a value is."""
    if isinstance(value, bool) or value is None:
        return found is value
    if isinstance(value, float):
        narrow = value % 1 != 0 and abs(value) < 1e38 and narrowed(value) == value
        return isinstance(found, Decimal) and (narrowed(float(found)) if narrow else float(found)) == value
    if isinstance(value, int | Decimal):
        return isinstance(found, Decimal) and found == value
    if isinstance(value, datetime):
        return bool(datetime.fromisoformat(found) == value)
    if isinstance(value, date):
        return bool(found.removesuffix("T00:00:00") == value.isoformat())  # a field of datetimes has no dates
    if isinstance(value, time):
        return time.fromisoformat(found) == value
    if isinstance(value, timedelta):
        duration = parse_duration(found)
        return duration is not None and duration.length == value // timedelta(microseconds=1)
    return bool(found == (value.decode() if isinstance(value, bytes) else value))


def decoded(line: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line, parse_int=Decimal, parse_float=Decimal)
    return found


@settings(max_examples=60, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # a workbook takes its time
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8), st.booleans(), st.integers(1, 10))
def test_a_sheets_rows_are_lines_of_the_same_values(rows: Sequence[Sequence[Any]], streamed: bool, first: int) -> None:
    dataset = things({"a": "any", "b": "datetime", "c": "string"})
    table = excel_table(workbook([NAMES, *rows], streamed=streamed), dataset)
    assert table.columns == NAMES
    found = lines(table)
    while rows and not any(value is not None for value in rows[-1]):
        rows = rows[:-1]  # rows without a cell at a sheet's end are none
    found = found[: len(rows) + 1]
    assert found[0] == b""
    assert len(found) == len(rows) + 1
    for line, row in zip(found[1:], rows, strict=True):
        if all(value is None for value in row):
            assert line == b""
        else:
            values = decoded(line)
            assert list(values) == list(NAMES)
            assert all(map(means, values.values(), row)), (line, row)
    assert lines(table, first)[: max(len(found) - first + 1, 0)] == found[first - 1 :]


@given(st.data(), st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=4, unique=True), st.integers(1, 5))
def test_a_parquet_files_rows_are_lines_of_the_same_values(data: st.DataObject, names: list[str], group: int) -> None:
    count = data.draw(st.integers(0, 9))
    values = {name: data.draw(st.lists(st.none() | COLUMNS[name][1], min_size=count, max_size=count)) for name in names}
    arrays = {name: pa.array(values[name], COLUMNS[name][0]) for name in names}
    file = parquet(pa.table(arrays), row_group_size=group, use_dictionary=data.draw(st.booleans()))
    table = parquet_table(file, things(dict.fromkeys(names, "any")))
    found = lines(table)
    assert len(found) == count
    for at, line in enumerate(found):
        row = decoded(line)
        assert list(row) == names
        assert all(means(row[name], values[name][at]) for name in names), (line, at)
    first = data.draw(st.integers(1, count + 1))
    assert lines(table, first) == found[first - 1 :]

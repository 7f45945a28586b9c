"""A rejected row in rejected.csv reads as the same values as the row did, for any dataset, or says that it cannot."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.jsonlines import JsonLinesReader
from chalicelib.core.reader import Reader
from chalicelib.core.schema import Dataset
from chalicelib.core.tablerows import row_writer
from tests.property.strategies import GOOD, datasets
from tests.tables import things

LONGEST = 100_000
NUMBERS = st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False).map(str), st.floats(-1e9, 1e9))


class Spelled(str):
    """A number that is written as it is spelled."""


@st.composite
def rows(draw: st.DrawFn, dataset: Dataset) -> bytes:
    """A line of JSON with a value of any kind for each field."""
    members = []
    for field in dataset.fields:
        value: Any = draw(
            st.one_of(
                st.none(),
                st.booleans(),
                st.sampled_from(GOOD[field.type]),
                st.text(max_size=5),
                NUMBERS.map(lambda number: Spelled(number)),
                st.lists(st.integers(0, 9), max_size=2),
                st.sampled_from(field.missing_values or ("",)),
            )
        )
        text = str(value) if isinstance(value, Spelled) else json.dumps(value, ensure_ascii=False)
        members.append(f"{json.dumps(field.name)}: {text}")
    return ("{" + ", ".join(members) + "}").encode("utf-8", "surrogatepass")


@given(st.data(), datasets())
def test_a_row_and_its_record_of_rejected_csv_are_read_the_same(data: st.DataObject, dataset: Dataset) -> None:
    columns = tuple(field.name for field in dataset.fields)
    line = data.draw(rows(dataset))
    record = row_writer(columns, dataset)(line)
    if record is None:
        return
    row = JsonLinesReader(dataset, columns, LONGEST, fast_path=False).read(line + b"\n", offset=0, first_line=1)
    # In rejected.csv it never stands alone, and so is no empty line and no comment.
    if not record or (dataset.dialect.comment and record.startswith(dataset.dialect.comment.encode())):
        return
    again = Reader(dataset, columns, LONGEST, fast_path=False).read(record + b"\n", offset=0, first_line=1)
    assert [rejection.errors for rejection in again.rejections] == [rejection.errors for rejection in row.rejections]
    if not row.rejections:
        assert again.slow == row.slow


@pytest.mark.parametrize(
    ("field", "value", "record"),
    [
        ({"type": "number", "decimalChar": ",", "groupChar": "."}, b"1.234", b'"1,234"'),
        ({"type": "number", "decimalChar": ","}, b"12", b"12"),
        ({"type": "integer", "groupChar": "."}, b"1.234", None),
        ({"type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]}, b"false", b"no"),
        ({"type": "string", "missingValues": ["-"]}, b"null", b"-"),
        ({"type": "string", "missingValues": []}, b"null", None),
        ({"type": "string"}, b'"\\u0000"', None),
        ({"type": "string"}, b'{"error": "#REF!"}', None),
        ({"type": "string"}, b'"\xff"', None),
        ({"type": "object"}, b'{"x": 1.50}', b'"{""x"": 1.50}"'),
    ],
    ids=str,
)
def test_a_value_is_written_as_its_field_reads_it_or_not_at_all(
    field: dict[str, Any], value: bytes, record: bytes | None
) -> None:
    assert row_writer(("a",), things({"a": field}))(b'{"a": ' + value + b"}") == record


def test_a_cell_without_a_label_is_nothing_that_csv_can_say() -> None:
    assert row_writer(("a",), things({"a": "any"}))(b'{"a": 1, "column 2": true}') is None

"""How files of each dialect are read."""

from typing import Any

import pytest

from chalicelib.core.parsed import Parsed
from chalicelib.core.reader import Reader
from chalicelib.core.rejection import RecordError
from chalicelib.core.render import error_file_row, unescape_raw
from tests.unit.examples import COLUMNS, GOOD, dataset


def read(data: bytes, **dialect: Any) -> Parsed:
    return Reader(dataset(dialect=dialect), COLUMNS, 10_000).read(data, offset=0, first_line=2)


def names(data: bytes, **dialect: Any) -> list[str | None]:
    """The names of the people that the exact rules read from ``data``; all of it is good."""
    reader = Reader(dataset(dialect=dialect), COLUMNS, 10_000, fast_path=False)
    parsed = reader.read(data, offset=0, first_line=2)
    assert parsed.rejections == []
    return [row[0] for row in parsed.slow]


@pytest.mark.parametrize(
    ("data", "dialect", "name"),
    [
        (b"A\\,na,0123456789,7,\n", {"escapeChar": "\\"}, "A,na"),
        (b'"A\\"n,a",0123456789,7,\n', {"escapeChar": "\\"}, 'A"n,a'),
        (b'"A""na",0123456789,7,\n', {"escapeChar": "\\"}, 'A"na'),
        (b'"A\\\nna",0123456789,7,\n', {"escapeChar": "\\"}, "A\nna"),
        (b'\\"A",0123456789,7,\n', {"escapeChar": "\\"}, '"A"'),
        (b"A\\\\na,0123456789,7,\n", {"escapeChar": "\\"}, "A\\na"),
        (b'"A\\"na",0123456789,7,\n', {"escapeChar": "\\", "doubleQuote": False}, 'A"na'),
        (b'  "A, na", 0123456789, 7, \n', {"skipInitialSpace": True}, "A, na"),
        (b'"  Ana", 0123456789, 7, 2024-01-31\n', {"skipInitialSpace": True}, "  Ana"),
        (b"#Ana,0123456789,7,\n", {}, "#Ana"),
        (b'"#Ana",0123456789,7,\n', {"commentChar": "#"}, "#Ana"),
    ],
)
def test_names_come_out_as_they_were_meant(data: bytes, dialect: dict[str, Any], name: str) -> None:
    assert names(data, **dialect) == [name]


@pytest.mark.parametrize(
    ("record", "dialect", "message"),
    [
        (b"Ana,0123456789,7,\\\n", {"escapeChar": "\\"}, "ends with an escape character, which has nothing to escape"),
        (b'"A""na",0123456789,7,\n', {"doubleQuote": False}, "text follows the closing quote of a field"),
        (b'"A""na",0123456789,7,\n', {"doubleQuote": False, "escapeChar": "\\"}, "text follows the closing quote"),
        (b'Ana, "0123456789",7,\n', {}, "does not match the pattern [0-9]{10}"),
    ],
)
def test_what_the_dialect_does_not_say_is_rejected_alone(record: bytes, dialect: dict[str, Any], message: str) -> None:
    parsed = read(GOOD + record + GOOD, **dialect)
    (rejection,) = parsed.rejections
    assert (parsed.records, rejection.line) == (3, 3)
    assert rejection.errors[0].message.startswith(message)


def test_comments_are_no_records_but_count_as_lines() -> None:
    parsed = read(b'# "open\n' + GOOD + b"#,,,\n" + b'"A\n#na",0123456789,8,\n', commentChar="#")
    assert (parsed.records, parsed.fast, list(parsed.rejections)) == (2, GOOD, [])
    assert parsed.slow == [("A\n#na", "0123456789", "8", None)]
    assert [parsed.where(row).line for row in (0, 1)] == [3, 5]


@pytest.mark.parametrize(
    "dialect", [{"escapeChar": "\\"}, {"doubleQuote": False}, {"commentChar": "#"}, {"skipInitialSpace": True}]
)
def test_records_without_anything_special_are_as_fast_in_every_dialect(dialect: dict[str, Any]) -> None:
    assert read(GOOD * 3, **dialect).fast == GOOD * 3


def test_labels_in_other_letters_are_read_as_the_fields_they_stand_for() -> None:
    people = dataset(header_match="relaxed", aliases={"phone": ["Tel."]})
    reader = Reader(people, (" NAME", "TEL.", "Number", "colour"), 10_000)
    assert reader.fast_columns == ("name", "phone", "number", None)


@pytest.mark.parametrize(
    "dialect",
    [{"doubleQuote": False, "quoteChar": "'"}, {"escapeChar": "\\"}, {"escapeChar": "^", "doubleQuote": False}],
)
def test_broken_records_stand_in_the_error_file_of_every_dialect(dialect: dict[str, Any]) -> None:
    people = dataset(dialect=dialect)
    raw = b"'A'x\",\\\n^y"
    row = error_file_row(2, 1, [RecordError(None, "row-error", 'it\'s "broken"')], raw, people.dialect)
    reader = Reader(people, ("a", "b", "c", "d", "name", "raw"), 10_000)
    cells = reader._grammar.split(row.decode().removesuffix("\n"))
    assert cells is not None
    assert unescape_raw(cells[-1]) == raw

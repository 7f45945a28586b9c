"""rejected.jsonl, and when an error file says that it is UTF-8."""

import json

import pytest

from chalicelib.core.error_file import error_file, error_file_name, json_error_line
from chalicelib.core.header import read_layout
from chalicelib.core.rejection import RecordError
from chalicelib.core.render import unescape_raw
from tests.unit.examples import COLUMNS, dataset

ERRORS = (RecordError("a", "type-error", 'not a "date"'), RecordError(None, "row-error", "odd"))
PREFIX = (
    '{"_error_line": 5, "_error_record": 4, "_error_column": "a; ", "_error_code": "type-error; row-error", '
    '"_error_message": "not a \\"date\\"; odd"'
)


@pytest.mark.parametrize(
    ("raw", "own"),
    [
        (b'{"a": 1.50,"b":{"c" : "\xc3\xa9"}}', ', "a": 1.50,"b":{"c" : "é"}}'),
        (b'  { "a" : 1 } \t', ', "a" : 1}'),
        (b'{"a": 1, "a": 2}', ', "a": 1, "a": 2}'),
        (b"{}", "}"),
    ],
)
def test_a_records_own_members_follow_as_they_came(raw: bytes, own: str) -> None:
    line = json_error_line(5, 4, ERRORS, raw).decode()
    assert line == PREFIX + own + "\n"
    json.loads(line)


@pytest.mark.parametrize(
    "raw", [b"", b"[1]", b'{"a": ', b'{"a": NaN}', b'{"a": "\xe9"}', b"\\n\xff\0", b'{"a": 1}\r{}']
)
def test_what_is_no_object_can_be_had_back(raw: bytes) -> None:
    line = json.loads(json_error_line(5, 4, ERRORS, raw))
    assert unescape_raw(line["_raw"]) == raw
    assert line["_error_line"] == 5


def test_an_error_file_is_marked_as_utf_8_where_the_datasets_files_are_not() -> None:
    of = dataset(dialect={"encoding": "cp1252"}, header_match="relaxed")
    for form, name in (("csv", "rejected.csv"), ("jsonl", "rejected.jsonl")):
        assert error_file_name(form, None) == name
        assert error_file(form, None, COLUMNS, of, None).start().startswith(b"\xef\xbb\xbf")
        assert not error_file(form, None, COLUMNS, dataset(), None).start().startswith(b"\xef")
    layout = read_layout(error_file("csv", None, COLUMNS, of, None).start(), of, at_end=True)
    assert layout is not None
    assert layout.columns == COLUMNS  # and none of the error columns


def test_what_was_made_of_a_workbook_is_mended_as_csv() -> None:
    assert error_file_name("jsonl", "xlsx") == error_file_name("jsonl", "parquet") == "rejected.csv"

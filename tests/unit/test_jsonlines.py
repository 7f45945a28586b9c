"""JSON Lines: what becomes of each kind of value, and of lines that are no records."""

import json
from typing import Any

import pytest

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.jsonlines import JsonLinesReader
from chalicelib.core.parsed import Parsed
from chalicelib.core.schema import Dataset
from tests.unit.examples import COLUMNS, dataset, field_dataset

GOOD = b'{"name": "Ana", "phone": "0123456789", "number": 7, "joined": "2024-01-31"}'


def read(data: bytes, of: Dataset | None = None, *, max_record_bytes: int = 10_000, **options: Any) -> Parsed:
    of = of or dataset()
    columns = tuple(field.name for field in of.fields)
    return JsonLinesReader(of, columns, max_record_bytes, **options).read(data, offset=100, first_line=2)


def value_of(kind: str, spelled: str, **field: Any) -> str | None:
    """What a spelled JSON value comes to, or the code of what is wrong with it."""
    parsed = read(f'{{"key": "k", "value": {spelled}}}'.encode(), field_dataset(kind, **field))
    if parsed.rejections:
        [error] = parsed.rejections[0].errors
        assert error.column in ("value", None)
        return error.code
    return parsed.slow[0][1]


@pytest.mark.parametrize(
    ("kind", "spelled", "value"),
    [
        ("integer", "12345678901234567", "12345678901234567"),
        ("integer", '"7"', "7"),
        ("integer", "7.0", "type-error"),
        ("integer", "null", None),
        ("integer", '""', None),
        ("integer", "true", "type-error"),
        ("number", "0.1000000000000000000000000000001", "0.1000000000000000000000000000001"),
        ("number", "1e5", "1E+5"),
        ("string", "007", "row-error"),
        ("string", "1.50", "1.50"),
        ("string", "true", "true"),
        ("string", '"a\\tb"', "a\tb"),
        ("string", '"\\ud83d\\ude00"', "😀"),
        ("string", '"\\ud83d"', "encoding-error"),
        ("string", '"a\\u0000"', "encoding-error"),
        ("string", '{"a": 1}', "type-error"),
        ("boolean", "true", "true"),
        ("boolean", "false", "false"),
        ("boolean", "1", "true"),
        ("object", '{"b": 1.50,  "a": [2]}', '{"b": 1.50,  "a": [2]}'),
        ("object", "[1]", "type-error"),
        ("object", '"{}"', "{}"),
        ("array", "[1, 2.0]", "[1, 2.0]"),
        ("any", "[1]", "[1]"),
        ("string", "NaN", "row-error"),
        ("number", "-Infinity", "row-error"),
        ("number", '"NaN"', "NaN"),
        ("date", '"2024-02-30"', "type-error"),
    ],
)
def test_a_value_is_what_its_spelling_is_to_the_fields_type(kind: str, spelled: str, value: str | None) -> None:
    assert value_of(kind, spelled) == value


def test_a_number_is_no_text_with_groups_in_it() -> None:
    german = {"groupChar": ".", "decimalChar": ","}
    assert value_of("number", "1.500", **german) == "1.500"
    assert value_of("number", '"1.500"', **german) == "1500"


def test_true_is_true_whatever_text_means_it() -> None:
    assert value_of("boolean", "true", trueValues=["ja"], falseValues=["nein"]) == "true"


def test_required_members_must_be_there_and_not_null() -> None:
    for line in (b'{"phone": "0123456789", "number": 7}', GOOD.replace(b'"Ana"', b"null")):
        [rejection] = read(line).rejections
        assert [(e.column, e.code) for e in rejection.errors] == [("name", "constraint-error")]


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (b"[]", "row-error", "no object"),
        (b"5", "row-error", "no object"),
        (b'{"name": }', "row-error", "character 10"),
        (b"{} {}", "row-error", "character 3"),
        (b'{"name": "secret', "row-error", "character 10"),
        (b'{"name": "a\tb"}', "row-error", "character 12"),
        (b'{"name": "\\x"}', "row-error", "not valid"),
        (b'{"name": 1, "name": 2}', "row-error", "name"),
        (b'{"other": ' + b"[" * 5000 + b"]" * 5000 + b"}", "row-error", "64"),
        (b'{"name": "Jos\xe9"}', "encoding-error", "UTF-8"),
        (b'{"name": "\xed\xa0\x80"}', "encoding-error", "UTF-8"),
    ],
)
def test_what_is_no_object_is_rejected_with_its_place_and_no_value(line: bytes, code: str, message: str) -> None:
    parsed = read(b"%b\n%b\n\n%b" % (GOOD, line, GOOD), max_record_bytes=20_000)
    [rejection] = parsed.rejections
    assert (rejection.record, rejection.line, rejection.offset) == (2, 3, 100 + len(GOOD) + 1)
    assert rejection.raw == line
    [error] = rejection.errors
    assert error.code == code
    assert message in error.message
    assert "secret" not in error.message
    assert parsed.records == 3


def test_blank_lines_are_no_records_and_line_ends_no_part_of_them() -> None:
    parsed = read(b"\n  \t\r\n" + GOOD + b"\r\n" + GOOD.replace(b"7", b'"x"') + b"\r\n\n")
    assert (parsed.records, parsed.where(0).line) == (2, 4)
    assert parsed.rejections[0].raw == GOOD.replace(b"7", b'"x"')


def test_a_line_longer_than_a_record_may_be_is_rejected_alone() -> None:
    long = GOOD.replace(b"Ana", b"A" * 500)
    parsed = read(GOOD + b"\n" + long + b"\n" + GOOD + b"\n", max_record_bytes=300)
    [rejection] = parsed.rejections
    assert (rejection.line, rejection.raw, rejection.length) == (3, b"", len(long) + 1)
    assert parsed.records == 3


def test_unknown_members_are_ignored_or_rejected_by_their_names() -> None:
    line = GOOD[:-1] + b', "extra": {"a": [1]}, "' + b"n" * 200 + b'": 1, "\\u0000\\ud800": 1}\n'
    assert read(line).records == len(read(line).slow) == 1
    [error] = read(line, dataset(extra_columns="reject")).rejections[0].errors
    assert (error.column, error.code) == (None, "extra-cell")
    assert "extra, nnn" in error.message
    assert len(error.message) < 200
    assert error.message.isprintable()


def test_members_are_found_by_relaxed_names_and_aliases_and_none_twice() -> None:
    relaxed = dataset(header_match="relaxed", aliases={"phone": ["Tel."]})
    line = GOOD.replace(b"name", b" NAME ").replace(b"phone", b"tel.") + b"\n"
    assert read(line, relaxed).records == len(read(line, relaxed).slow) == 1
    [error] = read(line[:-2] + b', "PHONE": 1}', relaxed).rejections[0].errors
    assert (error.code, "phone" in error.message) == ("row-error", True)


def test_records_of_one_shape_are_read_in_runs() -> None:
    lines = [GOOD.replace(b": 7", b": %d" % number) for number in range(1, 101)]
    lines[50] = lines[50].replace(b"Ana", b"A\\u00e9")
    lines[60] = lines[60].replace(b'"number": 61, ', b'"number": "x", ')
    parsed = read(b"\n".join(lines) + b"\n")
    assert (parsed.fast_rows, len(parsed.slow), len(parsed.rejections)) == (97, 2, 1)
    assert parsed.fast.split(b"\n")[0] == b"Ana\x1f0123456789\x1f2\x1f2024-01-31"
    assert parsed.where(0) == (2, 3, 100 + len(lines[0]) + 1)
    assert list(parsed.keys(("number",))[:2]) == [2, 3]
    assert json.loads(parsed.reject(5, ()).raw)["number"] == 7


def test_another_order_of_members_is_another_shape_of_the_same_columns() -> None:
    turned = json.dumps({name: json.loads(GOOD)[name] for name in reversed(COLUMNS[:3])}).encode()
    parsed = read((GOOD + b"\n" + turned + b"\n") * 50)
    assert parsed.fast_rows == 98
    assert parsed.fast.split(b"\n")[:2] == [b"Ana\x1f0123456789\x1f7\x1f2024-01-31", b"Ana\x1f0123456789\x1f7\x1f"]


def test_a_lone_column_loads_but_for_what_is_null() -> None:
    lone = parse_dataset({"name": "lone", "schema": {"fields": [{"name": "a", "type": "string"}]}})
    parsed = read(b'{"a": "x"}\n{"a": "y"}\n{"a": ""}\n{}\n{"a": "z"}\n', lone)
    assert (parsed.fast, parsed.slow) == (b"y\nz\n", [("x",), (None,), (None,)])

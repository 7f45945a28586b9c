"""The exact lexical rules: what each type's values look like, and what is said of the others."""

from typing import Any

import pytest

from chalicelib.core.lexical import BEYOND_BIGINT, parse_integer
from chalicelib.core.rejection import RecordError
from chalicelib.core.values import compile_check
from tests.unit.examples import field_dataset


def check(text: str, kind: str, **field: Any) -> tuple[str | None, list[RecordError]]:
    errors: list[RecordError] = []
    value = compile_check(field_dataset(kind, **field).field("value"))(text, errors)
    return value, errors


def accepted(text: str, kind: str, **field: Any) -> str | None:
    value, errors = check(text, kind, **field)
    assert errors == []
    return value


def refused(text: str, kind: str, **field: Any) -> list[tuple[str, str]]:
    _, errors = check(text, kind, **field)
    assert all(error.column == "value" for error in errors)
    return [(error.code, error.message) for error in errors]


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", "7"), ("007", "7"), ("+7", "7"), ("-7", "-7"), ("-0", "0"), ("9223372036854775807", "9223372036854775807")],
)
def test_integers(text: str, value: str) -> None:
    assert accepted(text, "integer") == value


@pytest.mark.parametrize("text", ["7.0", "1_0", " 7", "7 ", "\u0661", "1e3", "+", "--7", "0x7", "7\n", "½", "²"])
def test_what_only_looks_like_an_integer_is_refused(text: str) -> None:
    assert refused(text, "integer") == [("type-error", "not an integer")]


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "9" * 5000])
def test_integers_beyond_64_bits_are_refused(text: str) -> None:
    assert refused(text, "integer") == [("type-error", "outside the range of a 64-bit integer")]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.50", "1.50"), (".5", "0.5"), ("5.", "5"), ("-1e-3", "-0.001"), ("INF", "Infinity"), ("-INF", "-Infinity")],
)
def test_numbers(text: str, value: str) -> None:
    assert accepted(text, "number") == value


def test_not_a_number_is_a_number() -> None:
    assert accepted("NaN", "number") == "NaN"


@pytest.mark.parametrize(
    "text", ["1,5", "1.2.3", ".", "e5", "nan", "inf", "Infinity", " 1", "\u0661", "1e1001", "1" * 1001]
)
def test_what_only_looks_like_a_number_is_refused(text: str) -> None:
    assert refused(text, "number") == [("type-error", "not a number")]


@pytest.mark.parametrize(("text", "value"), [("true", "true"), ("TRUE", "true"), ("1", "true"), ("0", "false")])
def test_booleans(text: str, value: str) -> None:
    assert accepted(text, "boolean") == value


@pytest.mark.parametrize("text", ["tRUE", "yes", "t", "2"])
def test_booleans_are_written_as_the_field_says(text: str) -> None:
    assert refused(text, "boolean") == [("type-error", "not one of true, True, TRUE, 1, false, False, FALSE, 0")]
    assert accepted(text, "boolean", trueValues=[text]) == "true"


@pytest.mark.parametrize("text", ["2024-02-29", "0001-01-01", "9999-12-31"])
def test_dates(text: str) -> None:
    assert accepted(text, "date") == text


@pytest.mark.parametrize(
    "text", ["2023-02-29", "2024-2-9", "20240229", "0000-01-01", "2024-W01-1", "2024-02-29T00:00:00"]
)
def test_days_that_do_not_exist_and_other_forms_are_refused(text: str) -> None:
    assert refused(text, "date") == [("type-error", "not a date (YYYY-MM-DD)")]


@pytest.mark.parametrize("text", ["00:00:00", "23:59:59.999999", "12:30:00.5"])
def test_times(text: str) -> None:
    assert accepted(text, "time") == text


@pytest.mark.parametrize("text", ["24:00:00", "12:30", "12:30:60", "12:30:00.1234567", "12:30:00Z", "1:2:3"])
def test_times_that_are_none_are_refused(text: str) -> None:
    assert refused(text, "time") == [("type-error", "not a time (hh:mm:ss)")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-31T12:00:00", "2024-01-31T12:00:00+00:00"),
        ("2024-01-31T12:00:00Z", "2024-01-31T12:00:00+00:00"),
        ("2024-01-31T23:30:00.25-01:30", "2024-02-01T01:00:00.250000+00:00"),
    ],
)
def test_instants_are_in_utc(text: str, value: str) -> None:
    assert accepted(text, "datetime") == value


@pytest.mark.parametrize(
    "text",
    ["2024-01-31 12:00:00", "2024-01-31", "2024-01-31T12:00", "2024-01-31T12:00:00+1", "0001-01-01T00:00:00+01:00"],
)
def test_instants_of_other_forms_are_refused(text: str) -> None:
    assert refused(text, "datetime")[0][0] == "type-error"


def test_strings_are_not_stripped() -> None:
    assert accepted("  two \t", "string") == "  two \t"


def test_a_missing_value_is_null() -> None:
    assert accepted("", "integer") is None
    assert accepted("n/a", "integer", missingValues=["n/a"]) is None


def test_the_empty_string_is_a_value_where_it_is_not_missing() -> None:
    assert accepted("", "string", missingValues=[]) == ""


def test_a_required_value_must_not_be_missing() -> None:
    assert refused("", "string", constraints={"required": True}) == [("constraint-error", "required, but empty")]


@pytest.mark.parametrize(
    ("text", "kind", "constraints", "message"),
    [
        ("ab", "string", {"minLength": 3}, "shorter than 3 characters (minLength)"),
        ("éééé", "string", {"maxLength": 3}, "longer than 3 characters (maxLength)"),
        ("4", "integer", {"minimum": 5}, "less than 5 (minimum)"),
        ("6", "integer", {"maximum": 5}, "greater than 5 (maximum)"),
        ("0.51", "number", {"maximum": 0.5}, "greater than 0.5 (maximum)"),
        ("NaN", "number", {"maximum": 0.5}, "greater than 0.5 (maximum)"),
        ("2024-01-01", "date", {"minimum": "2024-01-02"}, "less than 2024-01-02 (minimum)"),
        ("12345", "string", {"pattern": "[0-9]{4}"}, "does not match the pattern [0-9]{4}"),
        ("8", "integer", {"enum": [7, 9]}, "not one of the values allowed (enum): 7, 9"),
    ],
)
def test_constraints_say_what_they_expect(text: str, kind: str, constraints: dict[str, Any], message: str) -> None:
    assert refused(text, kind, constraints=constraints) == [("constraint-error", message)]


def test_an_enum_is_of_values_not_of_spellings() -> None:
    assert accepted("007", "integer", constraints={"enum": [7]}) == "7"
    assert accepted("1.0", "number", constraints={"enum": ["1"]}) == "1.0"


def test_all_that_is_wrong_with_a_value_is_told() -> None:
    assert len(refused("abc", "string", constraints={"maxLength": 2, "pattern": "[0-9]*"})) == 2


def test_integer_of_too_many_digits_is_out_of_range_on_its_own_side() -> None:
    assert parse_integer("-" + "9" * 5000) == -BEYOND_BIGINT
    assert parse_integer("9" * 5000) == BEYOND_BIGINT
    assert parse_integer("-" + "0" * 5000 + "7") == -7


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("ana@example.com", "email", "ana@example.com"),
        ("https://example.com/a?b=c#d", "uri", "https://example.com/a?b=c#d"),
        ("urn:isbn:0451450523", "uri", "urn:isbn:0451450523"),
        ("http://[2001:db8::7]/", "uri", "http://[2001:db8::7]/"),
        ("123E4567-E89B-12D3-A456-426614174000", "uuid", "123e4567-e89b-12d3-a456-426614174000"),
    ],
)
def test_strings_of_a_format(text: str, form: str, value: str) -> None:
    assert accepted(text, "string", format=form) == value


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("ana", "email"),
        ("Ana <ana@example.com>", "email"),
        ("ana@example.com ", "email"),
        ("a" * 65 + "@example.com", "email"),
        ("a@" + "b.c" * 90, "email"),
        ("example.com/a", "uri"),
        ("http://a b", "uri"),
        ("http://a/%zz", "uri"),
        ("http://[1:2]/", "uri"),
        ("http://é.example", "uri"),
        ("{123e4567-e89b-12d3-a456-426614174000}", "uuid"),
        ("123e4567e89b12d3a456426614174000", "uuid"),
    ],
)
def test_strings_that_are_none_of_their_format_are_refused(text: str, form: str) -> None:
    assert refused(text, "string", format=form) == [("type-error", f"not a string of the format {form}")]


EUROPEAN = {"decimalChar": ",", "groupChar": "."}
DRESSED = {"groupChar": ",", "bareNumber": False}


@pytest.mark.parametrize(
    ("text", "kind", "field", "value"),
    [
        ("1.234.567,89", "number", EUROPEAN, "1234567.89"),
        ("1234,5", "number", EUROPEAN, "1234.5"),
        ("-,5", "number", EUROPEAN, "-0.5"),
        ("1,00,000", "integer", {"groupChar": ","}, "100000"),
        ("1\u202f000", "integer", {"groupChar": "\u202f"}, "1000"),
        ("$1,234.50", "number", DRESSED, "1234.50"),
        ("EUR -5", "number", DRESSED, "-5"),
        ("Rs. 500/year", "number", DRESSED, "500"),
        ("95%", "integer", DRESSED, "95"),
        ("INF", "number", DRESSED, "Infinity"),
    ],
)
def test_numbers_as_people_write_them(text: str, kind: str, field: dict[str, Any], value: str) -> None:
    assert accepted(text, kind, **field) == value


@pytest.mark.parametrize(
    ("text", "kind", "field"),
    [
        ("1,5", "number", {"groupChar": ","}),
        ("1,2345", "integer", {"groupChar": ","}),
        (",123", "integer", {"groupChar": ","}),
        ("1,,000", "integer", {"groupChar": ","}),
        ("1.234,567.8", "number", EUROPEAN),
        ("1.5", "number", {"decimalChar": ","}),
        ("95%", "integer", {}),
        ("(5)", "number", DRESSED),
        ("-€5", "number", DRESSED),
        ("Rs.500", "number", DRESSED),
        ("5 to 7", "number", DRESSED),
        ("5½", "number", DRESSED),
        ("%", "number", DRESSED),
        ("95.5%", "integer", DRESSED),
    ],
)
def test_numbers_that_could_be_read_in_two_ways_are_refused(text: str, kind: str, field: dict[str, Any]) -> None:
    assert refused(text, kind, **field)[0][0] == "type-error"


@pytest.mark.parametrize(
    ("text", "kind", "form", "value"),
    [
        ("31/12/2024", "date", "%d/%m/%Y", "2024-12-31"),
        ("1/2/2024", "date", "%d/%m/%Y", "2024-02-01"),
        ("Wed, 31 JAN 2024", "date", "%a, %d %b %Y", "2024-01-31"),
        ("2024060", "date", "%Y%j", "2024-02-29"),
        ("690101", "date", "%y%m%d", "1969-01-01"),
        ("100%", "year", "%Y%%", None),
        ("12:05 am", "time", "%I:%M %p", "00:05:00"),
        ("0930", "time", "%H%M", "09:30:00"),
        ("31/12/2024 23:59 +0200", "datetime", "%d/%m/%Y %H:%M %z", "2024-12-31T21:59:00+00:00"),
        ("02/2024", "yearmonth", "%m/%Y", "2024-02"),
        ("24", "year", "%y", "2024"),
        ("31 January 2024", "date", "any", "2024-01-31"),
        ("2024/1/31", "date", "any", "2024-01-31"),
        ("1:05 pm", "time", "any", "13:05:00"),
        ("Jan 31, 2024, 1:05 pm", "datetime", "any", "2024-01-31T13:05:00+00:00"),
        ("2024-01-31T12:00+02:00", "datetime", "any", "2024-01-31T10:00:00+00:00"),
    ],
)
def test_dates_and_times_by_pattern(text: str, kind: str, form: str, value: str | None) -> None:
    assert check(text, kind, format=form)[0] == value


@pytest.mark.parametrize(
    ("text", "kind", "form"),
    [
        ("31/02/2024", "date", "%d/%m/%Y"),
        ("2024111", "date", "%Y%m%d"),
        (" 1/2/2024", "date", "%d/%m/%Y"),
        ("1/2/\u0662\u0660\u0662\u0664", "date", "%d/%m/%Y"),
        ("Thu, 31 Jan 2024", "date", "%a, %d %b %Y"),
        ("2023366", "date", "%Y%j"),
        ("13:05 pm", "time", "%I:%M %p"),
        ("12:00:60", "time", "%H:%M:%S"),
        ("03/04/2024", "date", "any"),
        ("0001-01-01T00:00:00+01:00", "datetime", "%Y-%m-%dT%H:%M:%S%z"),
        ("9999-12-31 23:59-01:00", "datetime", "any"),
        ("2024-01-31", "datetime", "any"),
    ],
)
def test_what_a_pattern_does_not_say_is_refused(text: str, kind: str, form: str) -> None:
    assert refused(text, kind, format=form) == [("type-error", f"not a {kind} of the format {form}")]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("2024", "year", "2024"),
        ("-0044", "year", "-44"),
        ("12024", "year", "12024"),
        ("2024-02", "yearmonth", "2024-02"),
        ("P1Y2M3DT4H5M6.5S", "duration", "P14M3DT4H5M6.500000S"),
        ("-P2W", "duration", "P0M-14DT0H0M0.000000S"),
        ("-PT0.5S", "duration", "P0M0DT-0H-0M-0.500000S"),
        ('{"b": 1, "a": [true, null]}', "object", '{"b": 1, "a": [true, null]}'),
        ("[1, 2.50]", "array", "[1, 2.50]"),
        ("90.50, -45.5", "geopoint", "{90.50,-45.5}"),
    ],
)
def test_the_other_types(text: str, kind: str, value: str) -> None:
    assert accepted(text, kind) == value


@pytest.mark.parametrize(("text", "form"), [("[90.5, 45]", "array"), ('{"lat": 45, "lon": 90.5}', "object")])
def test_points_as_json(text: str, form: str) -> None:
    assert accepted(text, "geopoint", format=form) == "{90.5,45}"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("24", "year"),
        ("02024", "year"),
        ("+2024", "year"),
        ("2024Z", "year"),
        ("2024-13", "yearmonth"),
        ("0000-01", "yearmonth"),
        ("2024-1", "yearmonth"),
        ("P", "duration"),
        ("PT", "duration"),
        ("P1YT", "duration"),
        ("P1.5D", "duration"),
        ("P1S", "duration"),
        ("1 day", "duration"),
        ("P999999999Y", "duration"),
        ("[1]", "object"),
        ("true", "array"),
        ("null", "object"),
        ('{"a": NaN}', "object"),
        ('{"a": 1e1001}', "object"),
        ("{'a': 1}", "object"),
        ('{"a": "\\u0000"}', "object"),
        ('{"\\ud800": 1}', "object"),
        ("[" * 65 + "]" * 65, "array"),
        ("[" * 100_000, "array"),
        ("[" + "1" * 5_000 + "]", "array"),
        ("{}", "array"),
        ("180.1,0", "geopoint"),
        ("0,-90.1", "geopoint"),
        ("NaN,0", "geopoint"),
        ("1;2", "geopoint"),
    ],
)
def test_what_the_other_types_are_not_is_refused(text: str, kind: str) -> None:
    assert refused(text, kind)[0][0] == "type-error"


@pytest.mark.parametrize(
    ("text", "kind", "constraints", "message"),
    [
        ("5", "integer", {"exclusiveMinimum": 5}, "not above 5 (exclusiveMinimum)"),
        ("5.0", "number", {"exclusiveMaximum": 5}, "not below 5 (exclusiveMaximum)"),
        ("2024-02", "yearmonth", {"exclusiveMaximum": "2024-02"}, "not below 2024-02 (exclusiveMaximum)"),
        ("P30D", "duration", {"exclusiveMinimum": "P1M"}, "not above P1M0DT0H0M0.000000S (exclusiveMinimum)"),
        ("[1, 2]", "array", {"maxLength": 1}, "longer than 1 elements (maxLength)"),
        ("{}", "object", {"minLength": 1}, "shorter than 1 members (minLength)"),
        ("[true]", "array", {"enum": [[1]]}, "not one of the values allowed (enum): [1]"),
    ],
)
def test_more_constraints_say_what_they_expect(text: str, kind: str, constraints: dict[str, Any], message: str) -> None:
    assert refused(text, kind, constraints=constraints) == [("constraint-error", message)]


def test_bounds_and_enums_may_be_written_as_in_files_or_as_the_standard_writes_them() -> None:
    for least in ("31/12/2024", "2024-12-31"):
        field = {"format": "%d/%m/%Y", "constraints": {"minimum": least}}
        assert refused("30/12/2024", "date", **field) == [("constraint-error", "less than 2024-12-31 (minimum)")]
    assert accepted("1,5", "number", decimalChar=",", constraints={"enum": [1.5], "maximum": "1,5"}) == "1.5"
    assert accepted('{"b":1,"a":2.0}', "object", constraints={"enum": [{"a": 2, "b": 1}]}) == '{"b":1,"a":2.0}'

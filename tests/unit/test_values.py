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

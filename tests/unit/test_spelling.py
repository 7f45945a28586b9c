"""What PostgreSQL says of a value, as a file says it: spot checks beside the round trip over all types."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.lexical import MAX_DIGITS, parse_number
from chalicelib.core.schema import Field, FieldType
from chalicelib.core.spelling import distinct_spelling, number_text, spelling
from chalicelib.errors import ExportRefused


def field(kind: str, **changes: Any) -> Field:
    return Field("value", FieldType(kind), **changes)


@pytest.mark.parametrize(
    ("kind", "changes", "stored", "written"),
    [
        ("boolean", {"true_values": ("ja", "yes"), "false_values": ("nein",)}, "t", "ja"),
        ("boolean", {"true_values": ("ja", "yes"), "missing_values": ("ja",)}, "t", "yes"),
        ("number", {"decimal_char": ",", "group_char": "."}, "1234.50", "1234,50"),
        ("number", {}, "-Infinity", "-INF"),
        ("datetime", {}, "2024-01-31 12:00:00.5+00", "2024-01-31T12:00:00.5Z"),
        ("datetime", {"format": "%d %b %Y %I:%M %p %z"}, "2024-01-31 00:05:00+00", "31 Jan 2024 12:05 AM Z"),
        ("date", {"format": "%A, %d/%m/%y (%%)"}, "2024-02-29", "Thursday, 29/02/24 (%)"),
        ("date", {"format": "%a %Y-%j"}, "2024-02-29", "Thu 2024-060"),
        ("time", {"format": "%H%M"}, "09:30:00", "0930"),
        ("year", {}, "-44", "-0044"),
        ("year", {}, "12345", "12345"),
        ("yearmonth", {"format": "%B %Y"}, "2024-02", "February 2024"),
        ("duration", {}, "P-1Y-2M-3DT-4H-5M-6.5S", "-P1Y2M3DT4H5M6.5S"),
        ("duration", {}, "PT0S", "PT0S"),
        ("duration", {}, "P2100000000D", "P300000000W"),
        ("duration", {}, "PT1000000000H", "PT999999999H60M"),
        ("geopoint", {}, "{90.5,45.50}", "90.5, 45.50"),
        ("geopoint", {"format": "object"}, "{90.5,45.50}", '{"lon": 90.5, "lat": 45.50}'),
    ],
)
def test_value_is_written_as_its_field_says(kind: str, changes: dict[str, Any], stored: str, written: str) -> None:
    spell = distinct_spelling(field(kind, **changes))
    assert spell is not None
    assert spell(stored) == written


@pytest.mark.parametrize(
    ("kind", "changes", "stored"),
    [
        ("time", {"format": "%H:%M"}, "12:30:15"),
        ("date", {"format": "%d.%m.%y"}, "1924-02-29"),
        ("year", {"format": "%y"}, "1950"),
        ("duration", {}, "P1DT-1H"),
        ("duration", {}, "P2100000001D"),
        ("boolean", {"true_values": ()}, "t"),
        ("string", {"missing_values": ("NA",)}, "NA"),
        ("any", {}, ""),
    ],
)
def test_value_that_no_file_can_say_is_refused_without_telling_it(
    kind: str, changes: dict[str, Any], stored: str
) -> None:
    spell = distinct_spelling(field(kind, **changes))
    assert spell is not None
    with pytest.raises(ExportRefused) as refused:
        spell(stored)
    assert len(stored) < 2 or stored not in refused.value.message


@pytest.mark.parametrize("kind", ["string", "any", "integer", "date", "time", "yearmonth"])
def test_what_is_written_as_it_is_stored_costs_nothing(kind: str) -> None:
    assert spelling(field(kind)) is None


def test_number_that_means_missing_is_spelled_otherwise() -> None:
    spell = distinct_spelling(field("integer", missing_values=("", "7", "07", "-1")))
    assert spell is not None
    assert [spell(text) for text in ("7", "-1", "8")] == ["007", "-01", "8"]


@given(
    st.from_regex(r"-?(?:[0-9]{1,60}(?:\.[0-9]{0,60})?|\.[0-9]{1,60})(?:e-?(?:[0-9]{1,3}|1000))?", fullmatch=True)
    | st.from_regex(r"-?(?:[0-9]{900,990}|\.[0-9]{900,990}|[0-9]{450}\.[0-9]{450})e-?[0-9]{1,2}", fullmatch=True)
)
def test_any_number_that_a_file_may_hold_can_be_written_again(text: str) -> None:
    number = parse_number(text)
    assert number is not None
    written = number_text(f"{number:f}")
    assert len(written) <= MAX_DIGITS
    again = parse_number(written)
    assert again is not None
    assert again == number or Decimal(again).compare(number) == 0

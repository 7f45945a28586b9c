"""The fast path takes what is plain, so that good files are fast."""

from typing import Any

import pytest

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.lexical import parse_date
from chalicelib.core.reader import Reader
from tests.unit.examples import field_dataset


def taken(text: str, kind: str, **field: Any) -> bool:
    reader = Reader(field_dataset(kind, **field), ("key", "value"), 10_000)
    plain = reader.read(f"k,{text}\n".encode(), offset=0, first_line=2)
    quoted = reader.read(f'k,"{text}"\n'.encode(), offset=0, first_line=2)
    assert plain.fast_rows == quoted.fast_rows or not text
    return bool(plain.fast_rows)


@pytest.mark.parametrize(
    ("text", "kind", "field"),
    [
        ("any text, really".replace(",", ""), "string", {}),
        ("José", "string", {"constraints": {"maxLength": 5}}),
        ("abc", "string", {"constraints": {"minLength": 3, "maxLength": 3}}),
        ("0123456789", "string", {"constraints": {"pattern": "^[0-9]{10}$"}}),
        ("AB-12", "string", {"constraints": {"pattern": "[A-Z]+-\\d{1,3}", "maxLength": 9}}),
        ("red", "string", {"constraints": {"enum": ["red", "green"]}}),
        ("", "integer", {}),
        ("-12", "integer", {}),
        ("2147483647", "integer", {"constraints": {"minimum": 0, "maximum": 2147483647}}),
        ("12.50", "number", {"constraints": {"minimum": 0}}),
        ("yes", "boolean", {"trueValues": ["yes"], "falseValues": ["no"]}),
        ("2024-12-31", "date", {"constraints": {"minimum": "2020-01-01"}}),
        ("23:59:59.5", "time", {}),
        ("2024-12-31T23:59:59Z", "datetime", {}),
        ("2024-12-31 23:59:59", "datetime", {"format": "%Y-%m-%d %H:%M:%S"}),
        ("2024-12-31", "date", {"format": "any"}),
        ("2024", "year", {"constraints": {"exclusiveMinimum": 2023}}),
        ("2024-12", "yearmonth", {}),
        ("P1Y2M3DT4H5M6.5S", "duration", {}),
        ("ana.silva@mail.example.com", "string", {"format": "email", "constraints": {"maxLength": 100}}),
        ("https://example.com/a/b.html", "string", {"format": "uri"}),
        ("123e4567-e89b-12d3-a456-426614174000", "string", {"format": "uuid"}),
        ("1234", "number", {"decimalChar": ",", "groupChar": "."}),
        ("6", "integer", {"constraints": {"exclusiveMinimum": 5}}),
        ("100", "number", {"constraints": {"minimum": 0, "maximum": 100}}),
        ("-100", "number", {"constraints": {"minimum": -100, "maximum": 100}}),
    ],
)
def test_plain_values_are_taken(text: str, kind: str, field: dict[str, Any]) -> None:
    assert taken(text, kind, **field)


@pytest.mark.parametrize(
    ("text", "kind", "field"),
    [
        ("NA", "string", {"missingValues": ["NA"]}),
        ("", "string", {"missingValues": []}),
        ("a\\b", "string", {}),
        ("ja", "boolean", {"trueValues": ["ja"], "falseValues": ["nein"]}),
        ("0", "boolean", {"trueValues": ["0"], "falseValues": ["1"]}),
        ("INF", "number", {}),
        ("99.5", "number", {"constraints": {"maximum": 99}}),
        ("99", "number", {"constraints": {"exclusiveMaximum": 99}}),
        ("-99", "number", {"constraints": {"exclusiveMinimum": -99}}),
        ("-99.5", "number", {"constraints": {"minimum": -99}}),
        ("a\\b", "string", {"constraints": {"enum": ["a\\b"]}}),
        ("a\\b", "string", {"constraints": {"pattern": "[a\\\\b]+"}}),
        ("2147483648", "integer", {"constraints": {"maximum": 2147483647}}),
        ("1.234", "number", {"decimalChar": ".", "groupChar": " ", "constraints": {"exclusiveMinimum": 1}}),
        ("1.234", "number", {"decimalChar": ",", "groupChar": "."}),
        ("5", "integer", {"constraints": {"exclusiveMinimum": 5}}),
        ("01/02/2024", "date", {"format": "%d/%m/%Y"}),
        ("2024-12-31T23:59:59Z", "datetime", {"format": "%Y-%m-%dT%H:%M:%S"}),
        ("P1W", "duration", {}),
        ("ana@@example.com", "string", {"format": "email"}),
    ],
)
def test_values_that_copy_would_read_otherwise_are_left(text: str, kind: str, field: dict[str, Any]) -> None:
    assert not taken(text, kind, **field)


@pytest.mark.parametrize("month", range(14))
def test_no_day_that_does_not_exist_is_taken(month: int) -> None:
    for day in range(33):
        for year in (1900, 2023, 2024):
            text = f"{year}-{month:02}-{day:02}"
            assert not taken(text, "date") or parse_date(text)


@pytest.mark.parametrize("missing", ["é", "–", "N" * 40, "7"])
def test_a_missing_text_of_any_characters_is_left_and_others_are_taken(missing: str) -> None:
    field = {"missingValues": ["", missing]}
    assert not taken(missing, "string", **field)
    for text in (missing[:-1] + "x", missing + "x", "x", "è"):
        assert taken(text, "string", **field)


@pytest.mark.parametrize("dialect", [{"delimiter": " "}, {"quoteChar": " "}])
def test_a_date_and_time_with_a_space_is_no_cell_where_a_space_ends_one_or_quotes_it(dialect: dict[str, str]) -> None:
    fields = [{"name": "at", "type": "datetime", "format": "%Y-%m-%d %H:%M:%S"}, {"name": "name", "type": "string"}]
    dataset = parse_dataset({"name": "things", "schema": {"fields": fields}, "dialect": dialect})
    data = b"2024-01-01 12:00:00%bx\n" % dialect.get("delimiter", ",").encode()
    fast, exact = (
        Reader(dataset, ("at", "name"), 10_000, fast_path=path).read(data, offset=0, first_line=2)
        for path in (True, False)
    )
    assert (fast.fast_rows, fast.slow, fast.rejections) == (0, exact.slow, exact.rejections)


def test_patterns_that_are_not_plain_leave_their_records_to_the_exact_rules() -> None:
    reader = Reader(field_dataset("string", constraints={"pattern": "(?i)a.*(?<!x)"}), ("key", "value"), 10_000)
    parsed = reader.read(b"k,Ab\nk,bx\n", offset=0, first_line=2)
    assert (parsed.fast_rows, parsed.slow, len(parsed.rejections)) == (0, [("k", "Ab")], 1)


def test_a_text_in_quotes_here_and_there_ends_no_run() -> None:
    reader = Reader(field_dataset("integer"), ("key", "value"), 10_000)
    lines = [f"a rather long text,{number}\n".encode() for number in range(40)]
    data = b"".join([*lines, b'"a ""text"", too",41\n', *lines, b'"b",x\n', *lines, b'b,"42"\n'])
    parsed = reader.read(data, offset=0, first_line=2)
    assert (parsed.fast_rows, parsed.slow, [rejection.line for rejection in parsed.rejections]) == (122, [], [83])
    assert parsed.where(121).line == 124

"""Descriptors become datasets, or come back with all that is wrong with them."""

from typing import Any

import pytest

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.schema import Dialect, FieldType, OnConflict
from chalicelib.errors import DescriptorError
from tests.unit.examples import PEOPLE, dataset


def problems(descriptor: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(DescriptorError) as caught:
        parse_dataset(descriptor)
    return caught.value.problems


def of_field(**field: Any) -> tuple[str, ...]:
    return problems({"name": "things", "schema": {"fields": [{"name": "value", **field}]}})


def of_settings(**settings: Any) -> tuple[str, ...]:
    return problems({**PEOPLE, "dropload": settings})


def test_what_is_not_said_has_the_standards_defaults() -> None:
    people = dataset()
    assert people.title == "people"
    assert people.dialect == Dialect(",", '"', header=True, encoding="utf-8")
    assert people.on_conflict is OnConflict.REJECT
    assert people.field("joined").missing_values == ("",)
    assert people.field("number").type is FieldType.INTEGER


def test_an_unknown_field_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        dataset().field("nobody")


def test_unique_keys_are_gathered_in_order_and_once() -> None:
    descriptor = {
        "name": "things",
        "schema": {
            "fields": [
                {"name": "a", "type": "string", "constraints": {"unique": True}},
                {"name": "b", "type": "string"},
                {"name": "c", "type": "string", "constraints": {"unique": True}},
            ],
            "primaryKey": ["a", "b"],
            "uniqueKeys": [["c"], ["b", "c"]],
        },
    }
    assert parse_dataset(descriptor).unique_keys == (("a", "b"), ("c",), ("b", "c"), ("a",))


def test_fields_of_a_primary_key_are_required() -> None:
    descriptor = {"name": "things", "schema": {"fields": [{"name": "a"}, {"name": "b"}], "primaryKey": "a"}}
    parsed = parse_dataset(descriptor)
    assert [field.constraints.required for field in parsed.fields] == [True, False]


def test_dates_that_yaml_made_of_bounds_are_read_as_they_were_written() -> None:
    import datetime

    day = datetime.date(2024, 2, 29)
    fields = [{"name": "day", "type": "date", "constraints": {"minimum": day}}]
    assert parse_dataset({"name": "days", "schema": {"fields": fields}}).field("day").constraints.minimum == day


def test_every_problem_is_told_at_once_with_its_path() -> None:
    descriptor = {
        "name": "Bad Name",
        "dialect": {"delimiter": ";;", "escapeChar": "e"},
        "schema": {
            "fields": [{"name": "id"}, {"name": "ok", "type": "string", "constraints": {"pattern": "("}}],
            "primaryKey": "gone",
        },
        "dropload": {"on_conflict": "replase", "owners": ["nobody"], "filter": []},
    }
    paths = [problem.split(":")[0] for problem in problems(descriptor)]
    assert sorted(paths) == [
        "dialect.delimiter",
        "dialect.escapeChar",
        "dropload.filter",
        "dropload.on_conflict",
        "dropload.owners[0]",
        "name",
        "schema.fields[0].name",
        "schema.fields[1].constraints.pattern",
        "schema.primaryKey",
    ]


@pytest.mark.parametrize("name", ["", "Upper", "_hidden", "1st", "a b", "a" * 60, "naïve", "semi;colon"])
def test_names_that_are_no_plain_identifiers_are_refused(name: str) -> None:
    assert of_field(name=name)


@pytest.mark.parametrize("kind", ["list", "geojson"])
def test_types_of_the_standard_that_are_not_supported_are_refused_by_name(kind: str) -> None:
    assert "not supported" in of_field(type=kind)[0]


@pytest.mark.parametrize(
    "field",
    [
        {"type": "any", "constraints": {"jsonSchema": {}}},
        {"type": "object", "constraints": {"jsonSchema": {"type": "object"}}},
    ],
)
def test_what_the_standard_allows_and_nothing_would_check_is_refused(field: dict[str, Any]) -> None:
    assert "not supported" in of_field(**field)[0]


@pytest.mark.parametrize(
    "field",
    [
        {"type": "integer", "constraints": {"minimum": "many"}},
        {"type": "integer", "constraints": {"minimum": 2, "maximum": 1}},
        {"type": "integer", "constraints": {"maxLength": 2}},
        {"type": "string", "constraints": {"minimum": 2}},
        {"type": "string", "constraints": {"minLength": -1}},
        {"type": "string", "constraints": {"minLength": "3"}},
        {"type": "string", "constraints": {"minLength": True}},
        {"type": "string", "constraints": {"required": "yes"}},
        {"type": "string", "constraints": []},
        {"type": "date", "constraints": {"enum": ["2024-02-30"]}},
        {"type": "string", "constraints": {"enum": []}},
        {"type": "number", "constraints": {"maximum": "NaN"}},
        {"type": "boolean", "trueValues": ["x"], "falseValues": ["x"]},
        {"type": "string", "missingValues": "NA"},
        {"type": "colour"},
        {"type": "integer", "constraints": {"minimum": 5, "exclusiveMaximum": 5}},
        {"type": "integer", "constraints": {"exclusiveMinimum": 5, "maximum": 5}},
        {"type": "array", "constraints": {"exclusiveMinimum": 5}},
        {"type": "array", "constraints": {"pattern": "x"}},
        {"type": "string", "format": "uuid", "constraints": {"minLength": 3}},
        {"type": "duration", "constraints": {"minimum": "1 day"}},
    ],
)
def test_constraints_that_make_no_sense_are_refused(field: dict[str, Any]) -> None:
    assert len(of_field(**field)) == 1


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ({"type": "string", "format": "binary"}, "format"),
        ({"type": "integer", "format": "email"}, "format"),
        ({"type": "geopoint", "format": "wkt"}, "format"),
        ({"type": "year", "format": "any"}, "format"),
        ({"type": "date", "format": "DD/MM/YYYY"}, "format"),
        ({"type": "date", "format": "%d/%m"}, "format"),
        ({"type": "date", "format": "%d/%m/%Y %H:%M"}, "format"),
        ({"type": "date", "format": "%d/%m/%Y/%m"}, "format"),
        ({"type": "date", "format": "%c"}, "format"),
        ({"type": "date", "format": "%Y-%j-%m"}, "format"),
        ({"type": "time", "format": "%I:%M"}, "format"),
        ({"type": "time", "format": "%H:%M%z"}, "format"),
        ({"type": "date", "format": "%Y-%m-%d%"}, "format"),
        ({"type": "string", "groupChar": ","}, "groupChar"),
        ({"type": "integer", "decimalChar": ","}, "decimalChar"),
        ({"type": "number", "groupChar": "."}, "groupChar"),
        ({"type": "number", "groupChar": ",", "decimalChar": ","}, "decimalChar"),
        ({"type": "number", "groupChar": ", "}, "groupChar"),
        ({"type": "number", "decimalChar": "-"}, "decimalChar"),
        ({"type": "string", "bareNumber": False}, "bareNumber"),
    ],
)
def test_ways_of_writing_that_make_no_sense_are_refused(field: dict[str, Any], key: str) -> None:
    (problem,) = of_field(**field)
    assert problem.startswith(f"schema.fields[0].{key}: ")


@pytest.mark.parametrize("setting", ["measures", "colour"])
def test_settings_that_do_nothing_are_refused(setting: str) -> None:
    assert of_settings(**{setting: 1})[0].startswith(f"dropload.{setting}: ")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(("max_attempts", value) for value in (0, 21, -1, "3", 1.5, True)),
        *(("load_window", value) for value in (22, "22:00-06:00", "22:00-06:00 Mars/Olympus", "", ["22:00-06:00 UTC"])),
    ],
)
def test_attempts_and_load_windows_that_make_no_sense_are_refused(setting: str, value: object) -> None:
    (problem,) = of_settings(**{setting: value})
    assert problem.startswith(f"dropload.{setting}: ")


@pytest.mark.parametrize(
    "settings",
    [
        {"header_match": "fuzzy"},
        {"aliases": ["phone"]},
        {"aliases": {"gone": ["x"]}},
        {"aliases": {"phone": "tel"}},
        {"aliases": {"phone": ["Number"]}},
        {"aliases": {"phone": ["tel"], "name": ["TEL "]}},
        {"filters": ["gone"]},
        {"sensitive": [1]},
        {"max_file_bytes": 0},
        {"extra_columns": "keep"},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    assert len(of_settings(**settings)) == 1


@pytest.mark.parametrize("owner", ["Ana <ana@example.com>", "ana", "a@b\nBcc: c@d", "@example.com"])
def test_owners_that_are_no_plain_address_are_refused(owner: str) -> None:
    assert len(of_settings(owners=[owner])) == 1


@pytest.mark.parametrize(
    "dialect",
    [
        {"delimiter": '"'},
        {"delimiter": "a"},
        {"delimiter": "\n"},
        {"delimiter": "é"},
        {"doubleQuote": "no"},
        {"escapeChar": "e"},
        {"escapeChar": '"'},
        {"escapeChar": ","},
        {"commentChar": "//"},
        {"commentChar": "_"},
        {"commentChar": "\\"},
        {"commentChar": "#", "escapeChar": "#"},
        {"commentRows": [1]},
        {"nullSequence": "NULL"},
        {"lineTerminator": "|"},
        {"headerRows": 1},
        {"headerRows": []},
        {"headerRows": [0, 1]},
        {"headerRows": [2, 1]},
        {"headerRows": [True]},
        {"headerRows": [1], "header": False},
        {"delimiter": " ", "skipInitialSpace": True},
        {"encoding": "utf-7"},
        {"encoding": "shift_jis"},
        {"encoding": "iso2022_jp"},
        {"encoding": "cp500"},
        {"encoding": "unicode_escape"},
        {"encoding": "base64"},
        {"encoding": "no-such"},
        {"encoding": 8},
        {"header": "yes"},
    ],
)
def test_dialects_that_cannot_be_read_are_refused(dialect: dict[str, Any]) -> None:
    assert len(problems({**PEOPLE, "dialect": dialect})) == 1


def test_at_most_a_thousand_fields() -> None:
    fields = [{"name": f"f{number}"} for number in range(1001)]
    assert problems({"name": "wide", "schema": {"fields": fields}}) == (
        "schema.fields: at most 1000 fields are possible",
    )


def test_a_field_twice_is_refused() -> None:
    assert problems({"name": "twins", "schema": {"fields": [{"name": "a"}, {"name": "a"}]}})


def test_a_descriptor_of_nothing_is_refused() -> None:
    assert [problem.split(":")[0] for problem in problems({})] == ["name", "schema.fields"]


def test_keys_that_the_standard_leaves_open_are_let_through() -> None:
    assert parse_dataset({**PEOPLE, "$schema": "x", "licenses": [], "keywords": ["people"]}).name == "people"

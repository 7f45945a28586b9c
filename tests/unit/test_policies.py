"""A merge policy that does not fit a dataset's keys and measures is refused, with what to do."""

from typing import Any

import pytest

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.schema import Dataset
from chalicelib.errors import DescriptorError

REQUIRED = {"constraints": {"required": True}}


def described(schema: dict[str, Any], **settings: Any) -> Dataset:
    fields = [
        {"name": "song", "type": "string", **REQUIRED},
        {"name": "day", "type": "date"},
        {"name": "plays", "type": "integer", "constraints": {"minimum": 0, "maximum": 9}},
    ]
    return parse_dataset({"name": "plays", "schema": {"fields": fields, **schema}, "dropload": settings})


def problems(schema: dict[str, Any], **settings: Any) -> list[str]:
    with pytest.raises(DescriptorError) as caught:
        described(schema, **settings)
    assert {problem.split(":")[0].split(".")[0] for problem in caught.value.problems} == {"dropload"}
    return [problem.removeprefix("dropload.") for problem in caught.value.problems]


def test_update_matches_by_the_primary_key_or_the_only_unique_one() -> None:
    assert described({"primaryKey": "day", "uniqueKeys": [["song"]]}, on_conflict="update").match_key == ("day",)
    assert described({"uniqueKeys": [["song"]]}, on_conflict="update").match_key == ("song",)


@pytest.mark.parametrize("keys", [[], [["song"], ["day"]]])
def test_update_needs_a_key_to_match_by(keys: list[list[str]]) -> None:
    [problem] = problems({"uniqueKeys": keys}, on_conflict="update")
    assert problem.startswith(
        f"on_conflict: update needs exactly one unique key to match records by, and the schema has {len(keys)}"
    )


@pytest.mark.parametrize("settings", [{"on_conflict": "update"}, {"on_conflict": "sum", "measures": ["plays"]}])
def test_fields_that_records_are_matched_by_are_required(settings: dict[str, Any]) -> None:
    [problem] = problems({"uniqueKeys": [["song", "day"]]}, **settings)
    assert problem.startswith("on_conflict: ")
    assert "make day required" in problem


def test_append_has_no_key() -> None:
    assert described({}, on_conflict="append").unique_keys == ()
    for schema in ({"primaryKey": "song"}, {"uniqueKeys": [["song"]]}):
        [problem] = problems(schema, on_conflict="append")
        assert problem.startswith("on_conflict: append")


def test_sum_marks_its_measures() -> None:
    plays = described({"primaryKey": ["song", "day"]}, on_conflict="sum", measures=["plays"])
    assert [field.name for field in plays.fields if field.measure] == ["plays"]


@pytest.mark.parametrize(
    ("key", "measures", "told"),
    [
        (["song", "day"], [], ["at least one measure", "plays is neither"]),
        (["song"], ["plays", "day"], ["day is of type date"]),
        (["song", "day", "plays"], ["plays"], ["plays is in the key"]),
        (["song"], ["plays"], ["day is neither"]),
        (["song", "day"], ["plays", "gone"], ["gone is not a field"]),
    ],
)
def test_sum_adds_numbers_and_nothing_is_left_over(key: list[str], measures: list[str], told: list[str]) -> None:
    found = problems({"primaryKey": key}, on_conflict="sum", measures=measures)
    assert len(found) == len(told)
    for problem, words in zip(found, told, strict=True):
        assert problem.startswith("measures: ")
        assert words in problem


def test_sum_needs_exactly_one_key() -> None:
    [problem] = problems({"primaryKey": "song", "uniqueKeys": [["day"]]}, on_conflict="sum", measures=["plays"])
    assert problem.startswith("on_conflict: sum needs exactly one unique key")


def test_measures_without_sum_are_refused() -> None:
    assert problems({"primaryKey": "song"}, on_conflict="update", measures=["plays"]) == [
        "measures: only on_conflict sum adds measures; leave them out"
    ]


@pytest.mark.parametrize("schema", [{}, {"primaryKey": "song"}, {"uniqueKeys": [["song"], ["day"]]}])
def test_replace_takes_any_keys_or_none(schema: dict[str, Any]) -> None:
    assert described(schema, on_conflict="replace").on_conflict == "replace"

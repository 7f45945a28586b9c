"""Foreign keys are checked across descriptors: what they refer to must be there, unique and of the same type."""

from typing import Any

import pytest

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.foreign import check_references
from chalicelib.core.schema import ForeignKey
from chalicelib.errors import DescriptorError

FIELDS = [
    {"name": "code", "type": "string"},
    {"name": "area", "type": "integer"},
    {"name": "boss", "type": "string"},
    {"name": "mark", "type": "string", "format": "uuid"},
]


def described(name: str, *links: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"name": name, "schema": {"fields": FIELDS, "primaryKey": "code", "foreignKeys": list(links)}, **changes}


def to(resource: str | None, fields: Any, keys: Any) -> dict[str, Any]:
    reference = {"fields": keys} if resource is None else {"resource": resource, "fields": keys}
    return {"fields": fields, "reference": reference}


def across(*descriptors: dict[str, Any], unread: tuple[str, ...] = ()) -> dict[str, list[str]]:
    return check_references({dataset.name: dataset for dataset in map(parse_dataset, descriptors)}, unread)


def test_fields_may_be_one_name_or_a_list() -> None:
    one = parse_dataset(described("a", to("b", "boss", ["code"]), to("b", ["boss", "area"], ["code", "area"])))
    assert one.foreign_keys == (
        ForeignKey(("boss",), "b", ("code",)),
        ForeignKey(("boss", "area"), "b", ("code", "area")),
    )


@pytest.mark.parametrize("resource", ["", None, "a"])
def test_a_dataset_may_refer_to_itself(resource: str | None) -> None:
    descriptor = described("a", to(resource, "boss", "code"))
    assert parse_dataset(descriptor).foreign_keys == (ForeignKey(("boss",), "a", ("code",)),)
    assert across(descriptor) == {}


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ({}, "fields"),
        ({"fields": "boss"}, "reference"),
        ({"fields": "boss", "reference": "b"}, "reference"),
        (to("b", "gone", "code"), "fields"),
        (to("b", ["boss", "boss"], ["code", "area"]), "fields"),
        (to("b", "boss", ["code", "area"]), "reference.fields"),
        (to("", "boss", "gone"), "reference.fields"),
        (to("", "code", "code"), "reference.fields"),
        ({"fields": "boss", "reference": {"resource": "b"}}, "reference.fields"),
        ({**to("b", "boss", "code"), "onDelete": "cascade"}, "onDelete"),
        ({"fields": "boss", "reference": {"ressource": "b", "fields": "code"}}, "reference.ressource"),
    ],
)
def test_foreign_keys_that_are_wrong_in_themselves_are_refused(link: dict[str, Any], path: str) -> None:
    with pytest.raises(DescriptorError) as caught:
        parse_dataset(described("a", link))
    assert f"schema.foreignKeys[0].{path}" in [problem.split(":")[0] for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        (to("gone", "boss", "code"), "reference.resource: there is no dataset gone"),
        (to("b", "boss", "gone"), "reference.fields: gone is not a field of b"),
        (to("b", "boss", "boss"), "reference.fields: boss must be the primaryKey or a unique key of b"),
        (to("b", "area", "code"), "fields: area is of type integer, but code of b is of type string"),
        (to("b", "mark", "code"), "fields: mark is of type string (uuid), but code of b is of type string"),
    ],
)
def test_what_is_referred_to_must_be_there_unique_and_of_the_same_type(link: dict[str, Any], problem: str) -> None:
    found = across(described("a", link), described("b"))
    assert [text.startswith(f"schema.foreignKeys[0].{problem}") for text in found["a"]] == [True]


def test_nothing_is_said_of_references_to_what_could_not_be_read() -> None:
    assert across(described("a", to("b", "boss", "code")), unread=("b",)) == {}


def test_datasets_that_need_each_other_are_refused_as_no_record_could_be_the_first() -> None:
    required = [{**field, "constraints": {"required": True}} for field in FIELDS]
    one = described("a", to("b", "boss", "code"))
    other = described("b", to("a", "boss", "code"))
    assert across(one, other) == {}
    for descriptor in (one, other):
        descriptor["schema"]["fields"] = required
    found = across(one, other)
    assert found["a"] == [
        "schema.foreignKeys: a needs b needs a: no record could ever be the first; let one of these fields be empty"
    ]
    assert len(found) == 2


def test_a_measure_refers_to_nothing() -> None:
    sums = {
        "name": "sums",
        "schema": {
            "fields": [{"name": "code", "type": "string"}, {"name": "area", "type": "integer"}],
            "primaryKey": "code",
            "foreignKeys": [to("areas", "area", "area")],
        },
        "dropload": {"on_conflict": "sum", "measures": ["area"]},
    }
    areas = {"name": "areas", "schema": {"fields": [{"name": "area", "type": "integer"}], "primaryKey": "area"}}
    assert "is a measure" in across(sums, areas)["sums"][0]

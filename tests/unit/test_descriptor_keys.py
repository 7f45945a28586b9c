"""Keys of descriptors: slips of the pen, what is let through, and what the standard's second version adds."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.dataset import parse_dataset
from chalicelib.errors import DescriptorError
from tests.unit.examples import PEOPLE


def problems(**changes: Any) -> list[str]:
    try:
        parse_dataset({**PEOPLE, **changes})
    except DescriptorError as error:
        return list(error.problems)
    return []


def of_schema(**changes: Any) -> list[str]:
    return problems(schema={**PEOPLE["schema"], **changes})


def of_field(**changes: Any) -> list[str]:
    return problems(schema={"fields": [{"name": "code", "type": "string", **changes}]})


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (problems(Schema={}), "Schema: unknown; did you mean schema?"),
        (problems(dropLoad={}), "dropLoad: unknown; did you mean dropload?"),
        (problems(primaryKey="name"), "primaryKey: has no meaning here; it belongs into schema"),
        (problems(delimiter=";"), "delimiter: has no meaning here; it belongs into dialect"),
        (problems(on_conflict="update"), "on_conflict: has no meaning here; it belongs into dropload"),
        (of_schema(primarykey="name"), "schema.primarykey: unknown; did you mean primaryKey?"),
        (of_schema(unique_keys=[["name"]]), "schema.unique_keys: unknown; did you mean uniqueKeys?"),
        (of_field(required=True), "schema.fields[0].required: has no meaning here; it belongs into constraints"),
        (of_field(constraint={}), "schema.fields[0].constraint: unknown; did you mean constraints?"),
        (of_field(fromat="email"), "schema.fields[0].fromat: unknown; did you mean format?"),
        (
            of_field(constraints={"maxlength": 3}),
            "schema.fields[0].constraints.maxlength: unknown; did you mean maxLength?",
        ),
        (of_field(constraints={True: 3}), "schema.fields[0].constraints.True: a key must be text; put it in quotes"),
        (problems(dialect={"delimeter": ";"}), "dialect.delimeter: unknown; did you mean delimiter?"),
        (problems(dropload={"onconflict": "reject"}), "dropload.onconflict: unknown; did you mean on_conflict?"),
    ],
)
def test_slips_and_keys_at_the_wrong_level_are_problems(found: list[str], problem: str) -> None:
    assert found == [problem]


def test_constraints_and_dialects_hold_nothing_unknown() -> None:
    assert of_field(constraints={"multipleOf": 2})[0].startswith(
        "schema.fields[0].constraints.multipleOf: unknown; known are required, "
    )
    assert problems(dialect={"quoting": "all"})[0].startswith("dialect.quoting: unknown; known are ")


def test_keys_of_the_standards_and_of_others_are_let_through() -> None:
    resource = {
        "$schema": "https://datapackage.org/profiles/2.0/dataresource.json",
        "profile": "tabular-data-resource",
        "type": "table",
        "title": "People",
        "homepage": "https://example.com",
        "path": ["people.csv"],
        "mediatype": "text/csv",
        "bytes": 12,
        "hash": "x",
        "sources": [],
        "licenses": [{"name": "CC0"}],
        "x-team": "members",
    }
    field = {"title": "Code", "example": "a", "examples": ["a"], "rdfType": "http://schema.org/Thing", "unit": "kg"}
    assert problems(**resource) == []
    assert of_schema(title="x", **{"$schema": "y"}) == []
    assert of_field(**field) == []


@pytest.mark.parametrize("changes", [{"type": "json"}, {"data": [[1]]}, {"compression": "zip"}])
def test_resources_that_are_no_tables_in_files_are_refused(changes: dict[str, Any]) -> None:
    [problem] = problems(**changes)
    assert problem.startswith(f"{next(iter(changes))}: not supported")


@pytest.mark.parametrize(
    ("match", "extra", "right"),
    [
        ("partial", "ignore", True),
        ("superset", "reject", True),
        ("superset", "ignore", False),
        ("exact", "reject", False),
        ("equal", "reject", False),
        ("subset", "ignore", False),
    ],
)
def test_fields_match_must_be_what_is_done(match: str, extra: str, right: bool) -> None:
    schema = {**PEOPLE["schema"], "fieldsMatch": match}
    found = problems(schema=schema, dropload={"extra_columns": extra})
    assert [problem.split(":")[0] for problem in found] == ([] if right else ["schema.fieldsMatch"])


def test_missing_values_may_have_labels() -> None:
    labelled = [{"value": "", "label": "empty"}, {"value": "-99", "label": "refused"}, "NA"]
    schema = {"fields": [{"name": "a"}, {"name": "b", "missingValues": [{"value": "?"}]}], "missingValues": labelled}
    one, other = parse_dataset({"name": "things", "schema": schema}).fields
    assert (one.missing_values, other.missing_values) == (("", "-99", "NA"), ("?",))
    assert of_schema(missingValues=[{"label": "no value"}]) == ["schema.missingValues: must be a list of strings"]


def test_categories_are_the_only_values() -> None:
    fields = [
        {"name": "a", "type": "string", "categories": ["x", "y"], "categoriesOrdered": True},
        {"name": "b", "type": "integer", "categories": [{"value": 0, "label": "no"}, {"value": 1, "label": "yes"}]},
    ]
    one, other = parse_dataset({"name": "things", "schema": {"fields": fields}}).fields
    assert (one.constraints.enum, other.constraints.enum) == (("x", "y"), ("0", "1"))


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "date", "categories": ["2024-01-01"]},
        {"categories": ["x"], "constraints": {"enum": ["x"]}},
        {"categories": "x"},
        {"categories": []},
        {"categoriesOrdered": "yes"},
    ],
)
def test_categories_that_make_no_sense_are_refused(changes: dict[str, Any]) -> None:
    assert len(of_field(**changes)) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["name", "code", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FULL: dict[str, Any] = {
    "name": "things",
    "dialect": {"delimiter": ";", "headerRows": [1], "commentChar": "#", "header": True},
    "schema": {
        "fields": [
            {"name": "code", "type": "string", "constraints": {"required": True, "pattern": "a", "enum": ["a"]}},
            {"name": "size", "type": "integer", "groupChar": ",", "missingValues": ["x"], "categories": [1]},
            {"name": "day", "type": "date", "format": "any", "constraints": {"minimum": "2024-01-01"}},
            {"name": "ok", "type": "boolean", "trueValues": ["x"], "falseValues": ["y"]},
        ],
        "primaryKey": "code",
        "uniqueKeys": [["size", "day"]],
        "foreignKeys": [{"fields": "size", "reference": {"resource": "others", "fields": ["x"]}}],
        "fieldsMatch": "partial",
        "missingValues": [""],
    },
    "dropload": {"on_conflict": "update", "owners": ["a@b"], "aliases": {"code": ["c"]}, "filters": ["day"]},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


@given(st.data())
def test_whatever_stands_in_a_descriptor_ends_in_a_dataset_or_in_problems(data: st.DataObject) -> None:
    descriptor = copy.deepcopy(FULL)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places(descriptor)[1:]))
        home: Any = descriptor
        for key in way:
            home = home[key]
        home[last] = data.draw(JSON)
    written = json.loads(json.dumps(descriptor))
    found: object
    try:
        found = parse_dataset(written).fields
    except DescriptorError as error:
        found = error.problems
    assert found

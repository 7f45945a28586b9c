"""Filters are what an index serves; a dataset is described as its descriptor says it."""

import json

import pytest

from chalicelib.adapters.descriptors import load_datasets
from chalicelib.core.dataset import parse_dataset
from chalicelib.core.described import describe
from chalicelib.core.filtering import described, filters_of, is_served
from chalicelib.core.schema import Dataset

DESCRIPTOR = {
    "name": "trips",
    "title": "Trips",
    "schema": {
        "fields": [
            {"name": "line", "type": "string"},
            {"name": "day", "type": "date", "constraints": {"minimum": "2020-01-01"}},
            {"name": "run", "type": "integer"},
            {"name": "length", "type": "number", "constraints": {"minimum": 0.5, "maximum": 100}},
            {"name": "took", "type": "duration", "missingValues": ["-"]},
            {"name": "late", "type": "boolean", "trueValues": ["ja"], "falseValues": ["nein"]},
            {"name": "kind", "type": "string", "constraints": {"enum": ["a", "b"], "minLength": 1}},
        ],
        "primaryKey": ["line", "day", "run"],
        "foreignKeys": [{"fields": "line", "reference": {"resource": "lines", "fields": "line"}}],
    },
    "dropload": {"filters": ["kind"], "sensitive": ["line"], "max_errors": 3},
}


@pytest.fixture
def trips() -> Dataset:
    return parse_dataset(DESCRIPTOR)


def test_a_key_serves_from_its_start(trips: Dataset) -> None:
    assert filters_of(trips) == ("kind", "line")
    assert is_served(trips, "line", {"line"})
    assert is_served(trips, "run", {"line", "day", "run"})
    assert not is_served(trips, "run", {"line", "run"})
    assert not is_served(trips, "day", {"day"})
    assert not is_served(trips, "late", {"line", "late"})
    assert described(trips) == "kind, line, day (with line), run (with line and day)"


def test_a_dataset_without_any_says_so() -> None:
    dataset = parse_dataset({"name": "x", "schema": {"fields": [{"name": "a"}]}, "dropload": {"on_conflict": "append"}})
    assert described(dataset) == "none"


def test_a_description_is_json_and_a_descriptor_of_the_same_dataset(trips: Dataset) -> None:
    again = parse_dataset(json.loads(json.dumps(describe(trips))))
    assert describe(again) == describe(trips)
    assert again.unique_keys == trips.unique_keys
    assert again.fields[1].constraints.minimum == trips.fields[1].constraints.minimum


@pytest.mark.parametrize("name", ["members", "plays", "products"])
def test_shipped_datasets_are_described_as_they_are(name: str) -> None:
    dataset = load_datasets()[name]
    again = parse_dataset(json.loads(json.dumps(describe(dataset))))
    assert (again.fields, again.unique_keys, again.filters) == (dataset.fields, dataset.unique_keys, dataset.filters)

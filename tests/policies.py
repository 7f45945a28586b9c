"""Datasets of every merge policy, small enough for keys to meet, and their files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.bootstrap import Container
from chalicelib.core.dataset import parse_dataset
from tests.system import System

ITEMS = {
    "name": "items",
    "schema": {
        "fields": [
            {"name": "code", "type": "integer"},
            {"name": "label", "type": "string"},
            {"name": "size", "type": "integer"},
        ],
        "primaryKey": "code",
    },
    "dropload": {"on_conflict": "update"},
}
PARTS = {
    "name": "parts",
    "schema": {
        "fields": [{"name": "no", "type": "integer"}, {"name": "of", "type": "integer"}],
        "primaryKey": "no",
        "foreignKeys": [{"fields": "of", "reference": {"resource": "items", "fields": "code"}}],
    },
}
TAGGED = {
    "name": "tagged",
    "schema": {
        "fields": [
            {"name": "code", "type": "integer"},
            {"name": "tag", "type": "string", "constraints": {"unique": True}},
            {"name": "size", "type": "integer"},
        ],
        "primaryKey": "code",
    },
    "dropload": {"on_conflict": "update"},
}
TALLIES = {
    "name": "tallies",
    "schema": {
        "fields": [
            {"name": "item", "type": "string", "constraints": {"required": True}},
            {"name": "day", "type": "date", "constraints": {"required": True}},
            {"name": "sold", "type": "integer"},
            {"name": "paid", "type": "number", "constraints": {"required": True}},
        ],
        "uniqueKeys": [["item", "day"]],
    },
    "dropload": {"on_conflict": "sum", "measures": ["sold", "paid"]},
}
EVENTS = {
    "name": "events",
    "schema": {"fields": [{"name": "what", "type": "string"}, {"name": "size", "type": "integer"}]},
    "dropload": {"on_conflict": "append"},
}
ROSTER = {
    "name": "roster",
    "schema": {
        "fields": [
            {"name": "code", "type": "integer", "constraints": {"unique": True}},
            {"name": "tag", "type": "string", "constraints": {"required": True, "unique": True}},
            {"name": "size", "type": "integer"},
        ]
    },
    "dropload": {"on_conflict": "replace", "filters": ["code", "size"]},
}
LINES = {
    "name": "lines",
    "schema": {"fields": [{"name": "what", "type": "string"}, {"name": "size", "type": "integer"}]},
    "dropload": {"on_conflict": "replace", "atomic": True},
}
DESCRIPTORS = (ITEMS, TAGGED, TALLIES, EVENTS, ROSTER, LINES)


def with_policies(system: System, descriptors: Iterable[Mapping[str, Any]] = DESCRIPTORS, **changes: Any) -> System:
    """The same system with these datasets, too, and other settings: another worker, or one with small batches."""
    settings = replace(system.settings, **changes)
    container = Container(settings)
    container.datasets.update({dataset.name: dataset for dataset in map(parse_dataset, descriptors)})
    container.schema.apply()
    return System(settings, container)


def lines(header: str, rows: Iterable[Sequence[object]]) -> bytes:
    """A file; quotes around the second value of every other record lead some down the exact path."""
    text = [header]
    for at, row in enumerate(rows):
        cells = ["" if value is None else str(value) for value in row]
        if at % 2 and cells[1]:
            cells[1] = f'"{cells[1]}"'
        text.append(",".join(cells))
    return ("\n".join(text) + "\n").encode()

"""A small dataset to try things on."""

from collections.abc import Mapping
from typing import Any

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.parsed import Parsed
from chalicelib.core.reader import Reader
from chalicelib.core.schema import Dataset

PEOPLE: Mapping[str, Any] = {
    "name": "people",
    "schema": {
        "fields": [
            {"name": "name", "type": "string", "constraints": {"required": True, "maxLength": 80}},
            {"name": "phone", "type": "string", "constraints": {"required": True, "pattern": "[0-9]{10}"}},
            {"name": "number", "type": "integer", "constraints": {"required": True, "unique": True}},
            {"name": "joined", "type": "date"},
        ]
    },
}
COLUMNS = ("name", "phone", "number", "joined")
GOOD = b"Ana,0123456789,7,2024-01-31\n"


def dataset(**changes: Any) -> Dataset:
    """The people, with other ``dropload`` settings or a ``dialect``."""
    dialect = changes.pop("dialect", {})
    return parse_dataset({**PEOPLE, "dialect": dialect, "dropload": changes})


def field_dataset(kind: str, **field: Any) -> Dataset:
    """A dataset of one field ``value``, and a key that makes an empty value tell from a blank line."""
    fields = [{"name": "key", "type": "any"}, {"name": "value", "type": kind, **field}]
    return parse_dataset({"name": "things", "schema": {"fields": fields}})


def read(data: bytes, max_record_bytes: int = 10_000) -> Parsed:
    """The people in ``data``, as if it began at byte 100 on line 2 of a file."""
    return Reader(dataset(), COLUMNS, max_record_bytes).read(data, offset=100, first_line=2)

"""What the rules accept, PostgreSQL holds: the same value, whether its bytes went to COPY as they were or not."""

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.adapters.postgres.claims import Claims
from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.place import place
from chalicelib.adapters.postgres.tables import create_table
from chalicelib.core.dataset import parse_dataset
from chalicelib.core.reader import Reader
from chalicelib.core.schema import Dataset, FieldType
from tests.property.strategies import FORMS, GOOD, written

CASES = [(str(kind), form) for kind in FieldType for form in ({}, *FORMS.get(kind, ()))]


def of_one_value(kind: str, form: Mapping[str, Any], **constraints: bool) -> Dataset:
    field = {"name": "value", "type": kind, "constraints": constraints, **form}
    return parse_dataset({"name": "things", "schema": {"fields": [{"name": "line", "type": "integer"}, field]}})


@pytest.fixture
def database(database_url: str) -> Database:
    return Database(lambda: database_url)


def stored(database: Database, dataset: Dataset, data: bytes, *, fast: bool) -> list[Any]:
    """What the table holds after loading, and the lines that were not loaded."""
    reader = Reader(dataset, ("line", "value"), 10_000, fast_path=fast)
    parsed = reader.read(data, offset=0, first_line=1)
    with database.transaction() as cursor:
        cursor.execute("drop table if exists things")
        for statement in create_table(dataset):
            cursor.execute(statement)
        placed = place(cursor, dataset, reader, parsed, 1, Claims(cursor, 0, 0, {}))
        cursor.execute("select line, value::text as value from things order by line")
        rows: list[Any] = [(row.line, row.value) for row in cursor.fetchall()]
    lost = [rejection.line for rejection in parsed.rejections]
    lost += [parsed.where(row).line for row in placed.refusals]
    return [*rows, sorted(lost)]


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_postgresql_holds_what_the_rules_accept(database: Database, kind: str, form: dict[str, Any]) -> None:
    dataset = of_one_value(kind, form)
    data = "".join(written([str(at), text], dataset.dialect) + "\n" for at, text in enumerate(GOOD[kind], 1)).encode()
    parsed = Reader(dataset, ("line", "value"), 10_000).read(data, offset=0, first_line=1)
    rejected = sorted(rejection.line for rejection in parsed.rejections)
    by_copy, by_rules = (stored(database, dataset, data, fast=fast) for fast in (True, False))
    assert by_copy == by_rules
    assert by_copy[-1] == rejected, "the database refused what the rules accept"
    assert len(by_copy) > 1


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_keys_are_taken_where_postgresql_says_so(database: Database, kind: str, form: dict[str, Any]) -> None:
    dataset = of_one_value(kind, form, unique=True)
    values = [text for text in GOOD[kind] if len(text) < 1000] * 2
    data = "".join(written([str(at), text], dataset.dialect) + "\n" for at, text in enumerate(values, 1)).encode()
    by_copy, by_rules = (stored(database, dataset, data, fast=fast) for fast in (True, False))
    assert by_copy == by_rules


@pytest.mark.parametrize(
    ("kind", "form", "values"),
    [
        ("duration", {}, ["P1M", "P30D", "PT720H"]),
        ("object", {}, ['{"a":1,"b":2}', '{"b": 2, "a": 1.0}']),
        ("array", {}, ["[1]", "[1.0]"]),
        ("geopoint", {}, ["1,2", "1.0, 2.0"]),
        (
            "string",
            {"format": "uuid"},
            ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
        ),
        ("number", {"decimalChar": ","}, ["1,5", "1,50"]),
        ("date", {"format": "%d/%m/%Y"}, ["01/02/2024", "1/2/2024"]),
    ],
)
def test_one_value_written_in_two_ways_is_one_key(
    database: Database, kind: str, form: dict[str, Any], values: list[str]
) -> None:
    dataset = of_one_value(kind, form, unique=True)
    data = "".join(written([str(at), text], dataset.dialect) + "\n" for at, text in enumerate(values, 1)).encode()
    assert stored(database, dataset, data, fast=True)[-1] == list(range(2, len(values) + 1))

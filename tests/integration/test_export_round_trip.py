"""What was loaded and written out loads as the same rows: for every type, format, dialect and missing value."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.adapters.identity import new_id
from chalicelib.adapters.parquet_part import ParquetPart
from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.exports import PostgresExports
from chalicelib.adapters.postgres.place import place
from chalicelib.adapters.postgres.schema import Schema
from chalicelib.adapters.postgres.tables import create_table, table_of
from chalicelib.core.header import read_layout
from chalicelib.core.lines import Row
from chalicelib.core.parts import csv_part, json_part
from chalicelib.core.reader import Reader
from chalicelib.core.schema import Dataset, FieldType
from chalicelib.core.spelling import plain_spelling
from chalicelib.errors import ExportRefused
from infra.local.postgres import create_database
from tests.conftest import drop_database
from tests.integration.test_types import CASES, of_one_value
from tests.property.strategies import GOOD, datasets, lines, written

EDGES: Mapping[str, Sequence[str]] = {
    "number": ["1e1000", "-1.5e-1000", "0.0015e-1000", f".{'1' * 995}e-9", f"{'1' * 900}e700", "INF", "-INF", "NaN"],
    "duration": ["P300000000W", "-P999999999D", "PT999999999H999999999M999999999.999999S", "-P1Y2M3DT4H5M6.7S", "P0D"],
    "object": ['{"a": 1e1000, "b": "1e1000 \\" 0000"}', '{"a": [-1e-1000]}'],
    "geopoint": ["1e-1000, -90", "[1e-1000, 90]", '{"lon": 1e-1000, "lat": 0}'],
    "string": ["\ufeffx", "a\nb", "a\r\nb", "tab\tback\\slash", "#", " lead", "\\N", "\x01\x7f\u2028"],
    "year": ["-0044", "0000", "123456789"],
    "datetime": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"],
}


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[Database]:
    """One database for all: each test makes the table anew."""
    name = "test_export_round_trip"
    create_database(postgres_url, name)
    database = Database(lambda: f"{postgres_url.rpartition('/')[0]}/{name}")
    Schema(database, {}).apply()
    yield database
    database.close()
    drop_database(postgres_url, name)


def load(database: Database, dataset: Dataset, data: bytes) -> int:
    """Put a file into a new table; the number of records that stayed out."""
    layout = read_layout(data, dataset, at_end=True)
    assert layout is not None
    dataset = dataset.delimited_by(layout.delimiter)
    reader = Reader(dataset, layout.columns, 1 << 20)
    parsed = reader.read(data[layout.data_start :], offset=layout.data_start, first_line=1)
    with database.transaction() as cursor:
        cursor.execute("drop table if exists things")
        for statement in create_table(dataset):
            cursor.execute(statement)
        placed = place(cursor, dataset, table_of(dataset.name), reader, parsed, 1)
    return len(parsed.rejections) + len(placed.refusals)


def table(database: Database) -> list[Any]:
    with database.transaction() as cursor:
        # Rows that are read by the exact rules come last; the order of a file is not kept.
        cursor.execute("select (to_jsonb(things) - 'id')::text as row from things order by 1")
        return [row.row for row in cursor.fetchall()]


def snapshot(database: Database, dataset: Dataset) -> list[Row]:
    """All rows as an export gets them."""
    exports = PostgresExports(database)
    id = new_id()
    exports.open(id, dataset.name, "csv", {}, 1 << 30, with_id=False)
    with exports.working(id) as export:
        assert export is not None
        export = exports.take_snapshot(export, dataset, 60)
        rows: list[Row] = []
        while page := exports.rows(export, dataset, len(rows), 1000):
            rows += page
        assert export.rows == len(rows)
    return rows


def as_csv(database: Database, dataset: Dataset) -> bytes:
    rows = snapshot(database, dataset)
    part = csv_part(dataset, 1 << 30, with_id=False)
    taken, data = part.add(rows)
    assert taken == len(rows)
    return data + part.finish()


def assert_loads_back(database: Database, dataset: Dataset) -> None:
    before = table(database)
    data = as_csv(database, dataset)
    assert load(database, dataset, data) == 0
    assert table(database) == before


def file_of(dataset: Dataset, values: Sequence[str]) -> bytes:
    rows = [["line", "value"], *([str(at), text] for at, text in enumerate(values, 1))]
    return "".join(written(row, dataset.dialect) + "\n" for row in rows).encode()


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_values_of_every_type_come_back(database: Database, kind: str, form: dict[str, Any]) -> None:
    for missing in ([""], ["", "NA"], ["NA"], ["7", "true", "", "1.5"], []):
        dataset = of_one_value(kind, {**form, "missingValues": missing})
        load(database, dataset, file_of(dataset, [*GOOD[kind], *EDGES.get(kind, ()), *missing]))
        assert table(database)
        assert_loads_back(database, dataset)


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_json_lines_say_the_same_in_types_of_their_own(database: Database, kind: str, form: dict[str, Any]) -> None:
    dataset = of_one_value(kind, form)
    load(database, dataset, file_of(dataset, [*GOOD[kind], *EDGES.get(kind, ()), ""]))
    rows = snapshot(database, dataset)
    _, data = json_part(dataset, 1 << 30, with_id=False).add(rows)
    said = [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in data.decode().split("\n")[:-1]]
    assert [list(member) for member in said] == [["line", "value"]] * len(rows)
    assert [member["value"] is None for member in said] == [row[1] is None for row in rows]
    types = {
        FieldType.BOOLEAN: bool,
        FieldType.INTEGER: Decimal,
        FieldType.NUMBER: Decimal | str,
        FieldType.OBJECT: dict,
        FieldType.ARRAY: list,
        FieldType.GEOPOINT: str | list | dict,
    }
    assert all(isinstance(member["value"], types.get(FieldType(kind), str) | None) for member in said)
    if kind == "number":
        numbers = {"NaN": "NaN", "INF": "Infinity", "-INF": "-Infinity"}
        for member, row in zip(said, rows, strict=True):
            if row[1] is not None:
                got = Decimal(numbers.get(member["value"], member["value"]))
                assert got.compare_total(Decimal(row[1])) == 0 or got == Decimal(row[1])


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_parquet_holds_the_values_of_the_table(database: Database, kind: str, form: dict[str, Any]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    dataset = of_one_value(kind, form)
    load(database, dataset, file_of(dataset, [*GOOD[kind], *EDGES.get(kind, ()), ""]))
    rows = snapshot(database, dataset)
    part = ParquetPart(dataset, 1 << 30, with_id=False)
    taken, data = part.add(rows)
    assert taken == len(rows)
    written = parquet.read_table(io.BytesIO(data + part.finish())).to_pylist()
    if kind in ("integer", "boolean", "date", "time", "datetime", "year"):
        with database.transaction() as cursor:
            cursor.execute("select line, value from things order by id")
            assert written == [dict(row._asdict()) for row in cursor.fetchall()]
        return
    spell = plain_spelling(dataset.field("value")) or str
    assert [row["value"] for row in written] == [None if text is None else spell(text) for _, text in rows]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_dataset_in_any_dialect_comes_back(database: Database, data: st.DataObject) -> None:
    dataset = data.draw(datasets())
    columns = [field.name for field in dataset.fields]
    header = written(columns, dataset.dialect).encode() + b"\n"
    load(database, dataset, header + b"".join(data.draw(st.lists(lines(dataset, columns), max_size=12))))
    assert_loads_back(database, dataset)


def test_null_that_has_no_word_is_refused(database: Database) -> None:
    dataset = of_one_value("string", {"missingValues": []})
    load(database, dataset, b"line\n1\n")
    with pytest.raises(ExportRefused, match="value: it has nulls"):
        as_csv(database, dataset)


def test_value_that_would_be_read_as_missing_is_refused(database: Database) -> None:
    load(database, of_one_value("string", {"missingValues": []}), b"line,value\n1,NA\n")
    with pytest.raises(ExportRefused, match="value: a value would be read as missing"):
        as_csv(database, of_one_value("string", {"missingValues": ["NA"]}))

"""A workbook and a Parquet file through the running stack, with the rights that its functions have."""

import csv
import io
from collections.abc import Callable

import pytest

from tests.acceptance.doors import Doors
from tests.acceptance.files import demo_file
from tests.tables import parquet, workbook

pytestmark = pytest.mark.stack

Rows = list[list[str]]


def as_parquet(rows: Rows) -> bytes:
    labels, *records = rows
    return parquet(dict(zip(labels, map(list, zip(*records, strict=True)), strict=True)), row_group_size=100)


WAYS: dict[str, Callable[[Rows], bytes]] = {"sheet.xlsx": workbook, "table.parquet": as_parquet}


@pytest.mark.parametrize(("number", "name"), [*enumerate(WAYS)], ids=WAYS)
def test_a_table_loads_and_its_bad_rows_come_back(doors: Doors, number: int, name: str) -> None:
    rows = list(csv.reader(io.StringIO(demo_file(970 + number, 500).data.decode(), newline="")))
    data = WAYS[name]([*rows, ["Ana", "Silva", "123", "1", "1"]])
    job = doors.ended(doors.drop(name, data))
    assert (job["state"], job["counts"]["inserted"], job["counts"]["rejected"]) == ("COMPLETED_WITH_FAILURES", 500, 1)
    assert (job["found"]["container"], job["balanced"]) == (name.partition(".")[2], True)
    assert doors.has(job, "rejected.csv")

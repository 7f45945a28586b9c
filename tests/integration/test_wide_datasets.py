"""Datasets of one column, of two hundred, and of as many as a descriptor may have."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.bootstrap import Container
from chalicelib.core.dataset import MAX_FIELDS, parse_dataset
from tests.system import System

KINDS = ("integer", "string", "date", "number", "boolean")
GOOD = ("7", "some words", "2024-02-28", "1.5", "true")


def wide(columns: int) -> dict[str, Any]:
    fields = [{"name": f"c{at}", "type": KINDS[at % len(KINDS)]} for at in range(columns)]
    return {"name": "wide", "schema": {"fields": fields}, "dropload": {"on_conflict": "append"}}


def file(columns: int, records: int, bad: int) -> bytes:
    """Every ``bad``-th record has a first value that is no integer; every other one starts with a quote."""
    values = [GOOD[at % len(GOOD)] for at in range(columns)]
    lines = [",".join(f"c{at}" for at in range(columns))]
    for number in range(1, records + 1):
        first = "x" if number % bad == 0 else f'"{number}"' if number % 2 else str(number)
        lines.append(",".join([first, *values[1:]]))
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("columns", [1, 2, 200, MAX_FIELDS])
def test_datasets_of_any_width_load_reject_and_hand_back(system: System, columns: int) -> None:
    container = Container(replace(system.settings, batch_bytes=200_000))
    dataset = parse_dataset(wide(columns))
    container.datasets["wide"] = dataset
    container.schema.apply()
    system = System(container.settings, container)
    job = system.load(file(columns, 60, 20), key="input/wide/file.csv")
    assert (job["state"], job["balanced"]) == ("COMPLETED_WITH_FAILURES", True)
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (57, 3)
    assert [rejection["line"] for rejection in system.rejections(job)] == [21, 41, 61]
    assert system.rows("select count(*), sum(c0), min(c0) from wide") == [(57, sum(range(61)) - 20 - 40 - 60, 1)]
    lines = system.rejected_csv(job).decode().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [["21", "20"], ["41", "40"], ["61", "60"]]
    assert {line.count(",") for line in lines} == {columns + 4}
    assert container.schema.apply() == []

"""Files in odd dialects, from drop to rows and error file."""

from typing import Any

import pytest

from chalicelib.core.dataset import parse_dataset
from tests.system import System

FIELDS = [
    {"name": "song", "type": "string", "constraints": {"required": True}},
    {"name": "day", "type": "date", "format": "%d.%m.%Y"},
    {"name": "price", "type": "number", "decimalChar": ",", "groupChar": "."},
]


def with_dataset(system: System, **descriptor: Any) -> System:
    dataset = parse_dataset({"name": "songs", "schema": {"fields": FIELDS}, **descriptor})
    system.container.datasets["songs"] = dataset
    system.container.schema.apply()
    return system


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_file_loads_by_the_delimiter_that_it_has(system: System, delimiter: str) -> None:
    with_dataset(system, dropload={"header_match": "relaxed", "aliases": {"day": ["Datum"]}})
    lines = ["Song;DATUM;Price", "Ana;31.12.2024;1.234,50", "Bad;31.02.2024;5", "Cid;;7"]
    data = "".join(line.replace(";", delimiter) + "\r\n" for line in lines).encode()
    job = system.load(data, key="input/songs/a.csv")
    assert job["state"] == "COMPLETED_WITH_FAILURES", job
    assert system.rows("select song, day::text, price::text from songs order by song") == [
        ("Ana", "2024-12-31", "1234.50"),
        ("Cid", None, "7"),
    ]
    header, rejected = system.rejected_csv(job).decode().splitlines()
    assert header.endswith(delimiter.join(["_error_message", "Song", "DATUM", "Price"]))
    assert rejected.endswith(delimiter.join(["", "Bad", "31.02.2024", "5"]))


def test_comments_escapes_and_rows_of_a_header(system: System) -> None:
    dialect = {"delimiter": ",", "escapeChar": "\\", "commentChar": "#", "headerRows": [2], "skipInitialSpace": True}
    with_dataset(system, dialect=dialect)
    data = b'# made by "hand\nAll our songs\nsong, day, price\nA\\, b, 01.02.2024, 1\n#x\n"C \\"d\\"", , "1,5"\ne\\\n'
    job = system.load(data, key="input/songs/b.csv")
    assert job["counts"]["read"] == 3
    assert system.rows("select song, day::text, price::text from songs order by song") == [
        ("A, b", "2024-02-01", "1"),
        ('C "d"', None, "1.5"),
    ]
    [rejection] = system.rejections(job)
    assert (rejection["line"], rejection["errors"][0]["code"]) == (7, "row-error")

"""Packed files, other encodings and JSON Lines through the running stack, with the rights that its functions have."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable

import pytest

from tests.acceptance.doors import Doors
from tests.acceptance.files import demo_file

pytestmark = pytest.mark.stack


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("members.csv", data)
    return out.getvalue()


def json_lines(data: bytes) -> bytes:
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


WAYS: dict[str, Callable[[bytes], bytes]] = {
    "packed.csv.gz": gzip.compress,
    "packed.zip": zipped,
    "wide.csv": lambda data: data.decode().encode("utf-16"),
    "lines.jsonl": json_lines,
    "packed.jsonl.gz": lambda data: gzip.compress(json_lines(data)),
}


@pytest.mark.parametrize(("number", "name"), [*enumerate(WAYS)], ids=WAYS)
def test_a_file_loads_whatever_it_came_in(doors: Doors, number: int, name: str) -> None:
    bad = b"Ana,Silva,123,1,1\n"
    job = doors.ended(doors.drop(name, WAYS[name](demo_file(980 + number, 500).data + bad)))
    assert (job["state"], job["counts"]["inserted"], job["counts"]["rejected"]) == ("COMPLETED_WITH_FAILURES", 500, 1)
    assert job["balanced"] is True
    assert doors.has(job, "rejected.jsonl" if "jsonl" in name else "rejected.csv")

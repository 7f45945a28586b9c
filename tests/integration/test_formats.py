"""Files in other containers, formats and encodings than plain UTF-8 CSV, from drop to rows and error file."""

import gzip
import io
import zipfile
from typing import Any

import pytest

from tests.system import System, member, members

GOOD = members(*range(1, 40))
DIRTY = GOOD + member(50, account_id="x").encode()


def zipped(data: bytes, name: str = "members.csv", **more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in {name: data, **more}.items():
            archive.writestr(path, content)
    return out.getvalue()


PACKED = [("gzip", "file.csv.gz", gzip.compress), ("zip", "file.zip", zipped)]


@pytest.mark.parametrize(("container", "name", "pack"), PACKED, ids=["gzip", "zip"])
def test_packed_file_loads_as_the_plain_one(system: System, container: str, name: str, pack: Any) -> None:
    system = System.create(system.database_url, batch_bytes=300, chunk_bytes=200)
    job = system.load(pack(DIRTY), key=f"input/members/{name}")
    assert (job["counts"]["inserted"], job["counts"]["rejected"], job["balanced"]) == (39, 1, True), job
    assert job["found"] == {"container": container, "format": "csv", "encoding": "utf-8", "delimiter": None}
    assert job["progress"]["bytes_done"] == job["progress"]["bytes_total"] == len(DIRTY)
    assert [r["line"] for r in system.rejections(job)] == [41]
    assert system.rejected_csv(job).count(b"\n") == 2

"""A dataset written out: asked for and fetched through the API, and by one command."""

import csv
import hashlib
import io
import json
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.config import Settings
from tests.acceptance.doors import Doors, Json, eventually
from tests.stack.commands import dev

pytestmark = pytest.mark.stack

COUNT = 300
NOWHERE = Settings(
    bucket="",
    intake_queue="",
    batch_queue="",
    convert_queue="",
    notify_queue="",
    export_queue="",
    fetch_queue="",
    webhook_queue="",
    database_url=None,
    database_secret_arn=None,
    mail_from="",
    engineers=(),
    public_url="",
)


@pytest.fixture(scope="module")
def songs(doors: Doors) -> str:
    """A day on which only these songs were played."""
    lines = [f'"song, {n:04d}",1999-12-31,{n}\n' for n in range(COUNT)]
    job = doors.ended(doors.drop("exported.csv", ("song,date,plays\n" + "".join(lines)).encode(), "plays"))
    assert job["state"] == "COMPLETED"
    return "1999-12-31"


def ended(doors: Doors, path: str) -> Json:
    def look() -> Json | None:
        export: Json = doors.get(path).body
        return export if export["state"] not in ("PENDING", "RUNNING") else None

    return eventually(look, "the end of an export")


def test_parts_come_by_their_links_and_are_the_rows_that_were_asked_for(doors: Doors, songs: str) -> None:
    answer = doors.post("/v1/datasets/plays/exports", {"filters": {"date": songs}, "max_part_bytes": 2000})
    assert answer.status == 202
    export = ended(doors, answer.body["links"]["self"])
    assert (export["state"], export["rows"], export["reason"]) == ("COMPLETED", COUNT, None)
    rows = []
    for part in export["parts"]:
        with urllib.request.urlopen(part["url"], timeout=60) as file:
            data = file.read()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (part["bytes"], part["sha256"])
        assert len(data) <= 2000
        rows += list(csv.reader(io.StringIO(data.decode(), newline="")))[1:]
    assert rows == [[f"song, {n:04d}", songs, str(n)] for n in range(COUNT)]
    with urllib.request.urlopen(export["manifest"]["url"], timeout=60) as file:
        assert json.load(file)["rows"] == COUNT
    assert export["expires_at"] > export["finished_at"]


def test_command_follows_an_export_and_downloads_it(stack: Mapping[str, Any], songs: str, tmp_path: Path) -> None:
    state = Path(stack["mail_dir"]).parent
    done = dev(
        *("export", "--dataset", "plays", "--format", "parquet", "--filter", f"date={songs}"),
        *("--out", tmp_path, "--state", state),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"COMPLETED: {COUNT} rows" in done.stdout
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(tmp_path / "part-00001.parquet")["plays"].to_pylist() == list(range(COUNT))
    assert (tmp_path / "manifest.json").exists()
    again = dev("export", "--dataset", "plays", "--out", tmp_path, "--state", state)
    assert (again.returncode, "choose a new folder" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/datasets/nothing/exports", {}, 404),
        ("/v1/datasets/plays/exports", {"filters": {"plays": "1"}}, 400),
        ("/v1/datasets/plays/exports", {"format": "xlsx"}, 400),
        ("/v1/datasets/plays/exports", {"max_part_bytes": 1023}, 400),
        ("/v1/datasets/plays/exports", {"max_part_bytes": 5_000_000_001}, 400),
        ("/v1/datasets/plays/exports", {"colour": "red"}, 400),
        ("/v1/datasets/plays/exports", [1], 400),
        ("/v1/exports/00000000-0000-7000-8000-000000000000/cancel", {}, 404),
    ],
)
def test_request_that_makes_no_sense_is_a_problem(doors: Doors, path: str, body: Any, status: int) -> None:
    answer = doors.post(path, body)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("scopes", "post", "get"), [(["read"], 403, 200), (["write"], 202, 403), (["admin"], 202, 200)]
)
def test_scopes_say_who_may_start_an_export_and_who_may_read_it(
    doors: Doors, songs: str, scopes: list[str], post: int, get: int
) -> None:
    key = doors.key(*scopes)
    body = {"filters": {"date": songs}}
    own = doors.post("/v1/datasets/plays/exports", body).body
    assert doors.post("/v1/datasets/plays/exports", body, api_key=key).status == post
    assert doors.get(own["links"]["self"], api_key=key).status == get
    ended(doors, own["links"]["self"])

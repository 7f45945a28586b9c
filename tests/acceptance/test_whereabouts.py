"""Why is my file not loaded? Asked through the API, and by the command."""

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.doors import Doors
from tests.acceptance.files import demo_file
from tests.stack.commands import dev

pytestmark = pytest.mark.stack


def test_loaded_file_and_misspelled_one_are_told_apart(doors: Doors, stack: dict[str, Any]) -> None:
    state = Path(stack["mail_dir"]).parent
    dropped = doors.drop("where is it?.csv", demo_file(912, 10).data)
    job = doors.ended(dropped)
    found = doors.get("/v1/objects", key=dropped.key)
    assert (found.status, found.body["code"], found.body["job"]["id"]) == (200, "loaded", job["id"])
    said = dev("why", dropped.key, "--state", state)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("loaded: It was loaded: of 10 records, 10 inserted.")
    assert job["id"] in said.stdout

    missing = dropped.key.replace("where", "were")
    assert doors.get("/v1/objects", key=missing).body["code"] == "no-object"
    said = dev("why", f"s3://{doors.bucket}/{missing}", "--state", state)
    assert (said.returncode, said.stdout.split(":")[0]) == (1, "no-object")


@pytest.mark.parametrize("query", [{}, {"key": ""}, {"key": "x" * 1025}, {"key": "x", "other": "1"}, {"key": "a\0b"}])
def test_what_is_no_key_is_refused(doors: Doors, query: dict[str, str]) -> None:
    answer = doors.get("/v1/objects", **query)
    assert (answer.status, answer.content_type) == (400, "application/problem+json")

"""Redrive, as a person or a program asks for it: who may, what it answers, what comes of it."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.doors import Doors, Json
from tests.acceptance.files import demo_file
from tests.stack.commands import dev

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def job(doors: Doors) -> Json:
    """A job with rejected records."""
    header = b"first_name,last_name,phone_number,client_member_id,account_id\n"
    return doors.ended(doors.drop("to-redrive.csv", header + b"Ana,Silva,0000077001,77001,one\n"))


@pytest.fixture(scope="module")
def reader_key(doors: Doors) -> str:
    """The token of a key that may only read."""
    return doors.key("read")


def test_redrive_answers_with_the_job_that_does_it(doors: Doors, job: Json) -> None:
    answer = doors.post(f"/v1/jobs/{job['id']}/redrive", b'{"what": "rejected"}')
    assert (answer.status, answer.content_type) == (202, "application/json")
    child = doors.ended_job(answer.body["id"])
    assert (child["parent"], child["counts"]["rejected"]) == (job["id"], 1)
    assert child["id"] in doors.get(f"/v1/jobs/{job['id']}").body["children"]


def test_a_key_that_may_only_read_redrives_nothing(doors: Doors, job: Json, reader_key: str) -> None:
    path = f"/v1/jobs/{job['id']}"
    assert doors.get(path, api_key=reader_key).status == 200
    answer = doors.post(f"{path}/redrive", api_key=reader_key)
    assert (answer.status, answer.content_type) == (403, "application/problem+json")
    assert doors.post(f"{path}/redrive", api_key="").status == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"what": "failed"}', 409), (b'{"what": "all"}', 409), (b'{"which": "failed"}', 400), (b"[]", 400), (b"{", 400)],
)
def test_what_cannot_be_redriven_is_a_problem(doors: Doors, job: Json, body: bytes, status: int) -> None:
    answer = doors.post(f"/v1/jobs/{job['id']}/redrive", body)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert answer.body["status"] == status


def test_the_command_follows_the_job_to_its_end(doors: Doors, job: Json, stack: dict[str, Any]) -> None:
    state = Path(stack["mail_dir"]).parent
    done = dev("redrive", job["id"], "--rejected", "--state", state)
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"a correction of job {job['id']}" in done.stdout
    assert re.search(r"1 × type-error in account_id", done.stdout)
    clean = doors.ended(doors.drop("nothing-to-redrive.csv", demo_file(407, 2).data))
    refused = dev("redrive", clean["id"], "--state", state)
    assert refused.returncode == 1
    assert "409" in refused.stderr
    assert "Traceback" not in refused.stderr

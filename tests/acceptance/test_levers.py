"""What a person may do about a job, as they ask for it."""

import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.acceptance.doors import Doors
from tests.acceptance.files import demo_file
from tests.stack.commands import dev

pytestmark = pytest.mark.stack


def test_a_job_is_called_off_by_whoever_may_write(doors: Doors, stack: dict[str, Any]) -> None:
    job = doors.job_of(doors.drop("to-cancel.csv", demo_file(400, 120_000).data))
    path = f"/v1/jobs/{job['id']}/cancel"
    assert doors.post(path, api_key=doors.key("read")).status == 403
    answer = doors.post(path)
    assert (answer.status, answer.body["id"]) == (202, job["id"])
    ended = doors.ended_job(job["id"])
    assert (ended["state"], ended["balanced"]) == ("CANCELLED", True)
    assert doors.post(path).status == 202
    again = dev("cancel", job["id"], "--state", Path(stack["mail_dir"]).parent)
    assert (again.returncode, "CANCELLED" in again.stdout) == (0, True)


def test_a_job_is_undone_as_was_shown(doors: Doors, stack: dict[str, Any]) -> None:
    job = doors.ended(doors.drop("to-undo.csv", demo_file(402, 20).data))
    path, state = f"/v1/jobs/{job['id']}/undo", Path(stack["mail_dir"]).parent
    shown = doors.get(path, api_key=doors.key("read"))
    assert (shown.status, shown.body["possible"], shown.body["rows"]["deleted"]) == (200, True, 20)
    assert doors.post(path, {"token": shown.body["token"]}, api_key=doors.key("read")).status == 403
    assert doors.post(path, {"token": "another"}).status == 409
    told = dev("undo", job["id"], "--state", state)
    assert (told.returncode, "20 made by it" in told.stdout, "--yes" in told.stdout) == (0, True, True)
    done = dev("undo", job["id"], "--yes", "--state", state)
    assert (done.returncode, "20 made by it" in done.stdout) == (0, True), done.stdout + done.stderr
    undone = doors.get(f"/v1/jobs/{job['id']}").body
    assert (undone["state"], undone["undone"]["counts"]["deleted"]) == ("COMPLETED", 20)
    assert doors.ended(doors.drop("to-undo.csv", demo_file(402, 20).data))["counts"]["inserted"] == 20


def test_a_persons_records_are_erased_by_an_admin(doors: Doors, stack: dict[str, Any]) -> None:
    header = b"first_name,last_name,phone_number,client_member_id,account_id\n"
    records = b"Ana,Silva,0000077991,77991,7\nAna,Silva,0000077991,77992,x\n"
    bad = doors.ended(doors.drop("to-erase.csv", header + records))
    path, key = "/v1/datasets/members/erasures", {"key": {"phone_number": "0000077991"}}
    assert doors.post(path, key, api_key=doors.key("read", "write")).status == 403
    state = Path(stack["mail_dir"]).parent
    done = dev("erase", "--dataset", "members", "--key", "phone_number=0000077991", "--state", state)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("1 rows" in done.stdout, "1 rejected records" in done.stdout, "to-erase.csv" in done.stdout) == (True,) * 3
    assert "still to be written" not in done.stdout
    error_file = doors.s3.get_object(Bucket=doors.bucket, Key=f"error/members/job={bad['id']}/rejected.csv")
    assert b"77991" not in error_file["Body"].read()
    again = doors.post(path, key)
    assert (again.status, again.body["erased"]["rows"]) == (202, 0)
    assert doors.get(again.body["links"]["self"]).body["id"] == again.body["id"]


def test_what_has_ended_is_not_called_off(doors: Doors) -> None:
    job = doors.ended(doors.drop("not-to-cancel.csv", demo_file(401, 2).data))
    answer = doors.post(f"/v1/jobs/{job['id']}/cancel")
    assert (answer.status, answer.body["code"]) == (409, "ended")
    assert doors.post("/v1/jobs/00000000-0000-7000-8000-000000000000/cancel").status == 404


def test_what_waits_for_nothing_is_not_started(doors: Doors) -> None:
    job = doors.ended(doors.drop("not-to-start.csv", demo_file(402, 2).data))
    path = f"/v1/jobs/{job['id']}/start"
    assert (job["attempts"], job["retry_at"], job["starts_at"]) == (0, None, None)
    assert doors.post(path, api_key=doors.key("read")).status == 403
    answer = doors.post(path)
    assert (answer.status, answer.body["code"]) == (409, "not-waiting")
    assert doors.post("/v1/jobs/00000000-0000-7000-8000-000000000000/start").status == 404


def test_a_job_that_waits_is_started_by_whoever_may_write(doors: Doors, stack: dict[str, Any]) -> None:
    """No dataset that is shipped has a load window, so that one is made to wait here; its file is gone meanwhile."""
    ids = [str(uuid.uuid4()) for _ in range(2)]
    with closing(psycopg2.connect(stack["database_url"])) as connection, connection, connection.cursor() as cursor:
        for id in ids:
            cursor.execute(
                """insert into dropload.job (id, dataset, bucket, key, revision, etag, size, batch_bytes, starts_at)
                   values (%s, 'members', %s, %s, 'v', 'e', 10, 10, now() + interval '8 hours')""",
                (id, doors.bucket, f"input/members/{id}.csv"),
            )
    waiting = doors.get(f"/v1/jobs/{ids[0]}").body
    assert (waiting["state"], waiting["reason"]["code"]) == ("PENDING", "load-window")
    assert waiting["starts_at"] > waiting["created_at"]
    answer = doors.post(f"/v1/jobs/{ids[0]}/start")
    assert (answer.status, answer.body["id"], answer.body["starts_at"]) == (202, ids[0], None)
    assert doors.ended_job(ids[0])["reason"]["code"] == "source-gone"
    started = dev("start", ids[1], "--state", Path(stack["mail_dir"]).parent)
    assert (started.returncode, "the file was deleted" in started.stdout) == (1, True)

"""Uploads, jobs for files that lie elsewhere, and what a job has written, by the API of the running stack."""

import hashlib
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.acceptance.doors import Doors, Json, eventually
from tests.forms import post
from tests.system import MEMBERS, member

pytestmark = pytest.mark.stack

GOOD = (MEMBERS + "".join(member(n) for n in range(7_100_000, 7_100_010))).encode()
MIXED = (MEMBERS + member(7_200_000) + member(7_200_001, account_id="x")).encode()


def wanted(data: bytes, **changes: Any) -> Json:
    request: Json = {"dataset": "members", "filename": "in.csv", "size": len(data), **changes}
    return request


def uploaded(doors: Doors, data: bytes, **changes: Any) -> Json:
    """The job of an uploaded file, when it has ended."""
    answer = doors.post("/v1/uploads", wanted(data, **changes))
    assert answer.status == 201, answer.body
    status, headers, said = post(answer.body, data)
    assert status == 201, said

    def look() -> Json | None:
        jobs = doors.get("/v1/jobs", key=answer.body["key"]).body["items"]
        own = [job for job in jobs if job["object"]["version_id"] == headers["x-amz-version-id"]]
        return own[0] if own else None

    return doors.ended_job(eventually(look, "the job of an upload")["id"])


def test_a_file_is_uploaded_and_refused_when_it_comes_again(doors: Doors) -> None:
    digest = hashlib.sha256(GOOD).hexdigest()
    job = uploaded(doors, GOOD, filename="first and only.csv", sha256=digest)
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 10)
    again = doors.post("/v1/uploads", wanted(GOOD, filename="first and only.csv", sha256=digest))
    assert (again.status, again.content_type) == (409, "application/problem+json")
    assert again.body["job"] == job["id"]


def test_leave_to_upload_is_granted_anew_each_time_and_never_kept(doors: Doors) -> None:
    headers = {"Idempotency-Key": "grant-once"}
    for name in ("one.csv", "two.csv"):
        answer = doors.ask("POST", "/v1/uploads", body=wanted(GOOD, filename=name), headers=headers)
        assert (answer.status, answer.body["key"]) == (201, f"input/members/{name}")


def test_results_are_links_that_need_no_key(doors: Doors) -> None:
    job = uploaded(doors, MIXED, filename="mixed.csv")
    result = doors.get(f"/v1/jobs/{job['id']}/result")
    assert result.status == 200
    [rejected] = result.body["error"]
    [receipt] = result.body["output"]
    assert (rejected["name"], receipt["name"]) == ("rejected.csv", "manifest.json")
    with urllib.request.urlopen(rejected["url"]) as answer:
        file = answer.read()
    assert file == doors.read(job, "rejected.csv")
    # The door follows the redirect, as clients do; the link takes no key.
    request = urllib.request.Request(f"{doors.url}/v1/jobs/{job['id']}/rejected.csv", headers=doors.authorization)
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == file


def test_without_rejected_records_there_is_no_file_of_them(doors: Doors) -> None:
    job = uploaded(doors, (MEMBERS + member(7_300_000)).encode(), filename="clean.csv")
    assert doors.get(f"/v1/jobs/{job['id']}/rejected.csv").status == 404
    assert doors.get(f"/v1/jobs/{job['id']}/result").body["error"] == []


def test_a_failed_job_has_no_result_but_a_reason(doors: Doors) -> None:
    job = uploaded(doors, b"nonsense\n1\n", filename="failed.csv")
    answer = doors.get(f"/v1/jobs/{job['id']}/result")
    assert (answer.status, answer.body["code"]) == (409, "failed")
    assert answer.body["reason"] == job["reason"]


def test_an_object_is_loaded_from_elsewhere_in_the_bucket(doors: Doors) -> None:
    doors.s3.put_object(Bucket=doors.bucket, Key="archive/members/old.csv", Body=(MEMBERS + member(7_400_000)).encode())
    target = f"s3://{doors.bucket}/archive/members/old.csv"
    started = doors.post("/v1/jobs", {"target": target, "dataset": "members"})
    assert started.status == 202, started.body
    assert started.body["source"] == target
    job = doors.ended_job(started.body["id"])
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 1)


def test_our_own_machine_is_not_fetched_from(doors: Doors) -> None:
    target = doors.url.replace("http://127.0.0.1", "https://localhost") + "/health?secret"
    started = doors.post("/v1/jobs", {"target": target, "dataset": "members"})
    job = doors.ended_job(started.body["id"])
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "address-refused")
    assert "secret" not in str(job)
    assert doors.post("/v1/jobs", {"target": f"{doors.url}/health", "dataset": "members"}).status == 400


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"size": -1}, 400),
        ({"size": "12"}, 400),
        ({"size": 1 << 60}, 400),
        ({"size": (5 << 30) + 1}, 413),
        ({"filename": "../x"}, 400),
        ({"filename": 7}, 400),
        ({"filename": "a" * 2000}, 400),
        ({"dataset": "nonsense"}, 404),
        ({"dataset": "a\0b"}, 400),
        ({"sha256": "abc"}, 400),
        ({"sha256": "G" * 64}, 400),
        ({"validate_only": "yes"}, 400),
        ({"surprise": 1}, 400),
    ],
)
def test_a_wrong_upload_is_a_problem(doors: Doors, changes: Json, status: int) -> None:
    answer = doors.post("/v1/uploads", wanted(GOOD, **changes))
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert set(answer.body) >= {"type", "title", "status", "code", "detail"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"target": "", "dataset": "members"}, 400),
        ({"target": "https://example.com/x.csv"}, 400),
        ({"target": ["https://example.com/x.csv"], "dataset": "members"}, 400),
        ({"target": "https://10.0.0.1/", "dataset": "members"}, 400),
        ({"target": "https://example.com/" + "a" * 9000, "dataset": "members"}, 400),
        ({"target": "s3://bucket-of-others/x.csv", "dataset": "members"}, 400),
        ({"target": "https://example.com/x.csv", "dataset": "nonsense"}, 404),
        ({"target": "https://example.com/x.csv", "dataset": "members", "callback": "x"}, 400),
        (b"{", 400),
        (b"[1]", 400),
    ],
)
def test_a_wrong_target_is_a_problem(doors: Doors, body: object, status: int) -> None:
    answer = doors.post("/v1/jobs", body)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert set(answer.body) >= {"type", "title", "status", "code", "detail"}


@pytest.mark.parametrize("route", ["result", "rejected.csv"])
def test_a_job_that_is_none_has_no_results(doors: Doors, route: str) -> None:
    for id in ("0190b8a0-0000-7000-8000-000000000000", "nonsense"):
        answer = doors.get(f"/v1/jobs/{id}/{route}")
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


def test_a_page_of_ours_alone_may_upload_from_a_browser(doors: Doors) -> None:
    upload = doors.post("/v1/uploads", wanted(GOOD, filename="cors.csv")).body
    for origin, allowed in ((doors.url, True), ("https://evil.example", False)):
        request = urllib.request.Request(
            upload["url"], method="OPTIONS", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed
        except urllib.error.HTTPError as refused:
            refused.close()
            assert not allowed

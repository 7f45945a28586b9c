"""The status API: who may ask, how lists page, and waiting for a change."""

from itertools import pairwise
from typing import Any

import pytest

from tests.acceptance.doors import TERMINAL, Doors, Json, eventually
from tests.acceptance.files import demo_file

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def job(doors: Doors) -> Json:
    """A clean job."""
    return doors.ended(doors.drop("asked_for.csv", demo_file(320, 10).data))


def test_clean_job_has_the_declared_shape(doors: Doors, job: Json) -> None:
    assert (job["state"], job["reason"], job["causes"], job["parent"]) == ("COMPLETED", None, [], None)
    assert set(job["object"]) == {"bucket", "key", "version_id", "etag", "size"}
    assert job["counts"] == {"read": 10, "inserted": 10, "updated": 0, "unchanged": 0, "ignored": 0, "rejected": 0}
    assert job["progress"]["batches"] == {"pending": 0, "running": 0, "succeeded": 1, "failed": 0, "cancelled": 0}
    times = [job["created_at"], job["started_at"], job["finished_at"]]
    assert times == sorted(times)
    assert all(moment.endswith("Z") for moment in times)
    assert doors.get(job["links"]["self"]).body == job


@pytest.mark.parametrize("path", ["/health", "/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/rejections"])
@pytest.mark.parametrize(("api_key", "status"), [("", 401), ("dropload_not-a-key-of-ours", 401), (None, 200)])
def test_nobody_is_told_anything_without_a_key(
    doors: Doors, job: Json, path: str, api_key: str | None, status: int
) -> None:
    answer = doors.get(path.format(id=job["id"]), api_key=api_key)
    assert answer.status == status
    assert answer.content_type == ("application/json" if status == 200 else "application/problem+json")
    assert status == 200 or answer.body["status"] == status


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/v1/jobs/00000000-0000-7000-8000-000000000000", {}, 404),
        ("/v1/jobs/no-id", {}, 404),
        ("/v1/jobs", {"state": "ASLEEP"}, 400),
        ("/v1/jobs", {"limit": 0}, 400),
        ("/v1/jobs", {"limit": 1_000_000}, 400),
        ("/v1/jobs", {"cursor": "nonsense"}, 400),
        ("/v1/jobs", {"colour": "red"}, 400),
    ],
)
def test_question_that_makes_no_sense_is_a_problem(doors: Doors, path: str, query: Json, status: int) -> None:
    answer = doors.get(path, **query)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert answer.body["status"] == status
    assert set(answer.body) >= {"type", "title", "status", "detail"}


def test_list_pages_through_all_jobs_newest_first(doors: Doors, job: Json) -> None:
    later = doors.ended(doors.drop("later.csv", demo_file(321, 1).data))
    ids: list[str] = []
    query: dict[str, Any] = {"limit": 2, "dataset": "members"}
    while True:
        page = doors.get("/v1/jobs", **query).body
        ids += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(ids) == len(set(ids))
    assert ids.index(later["id"]) < ids.index(job["id"])


def test_list_filters_by_state_and_key(doors: Doors, job: Json) -> None:
    assert job["id"] in [one["id"] for one in doors.get("/v1/jobs", state="COMPLETED").body["items"]]
    assert job["id"] not in [one["id"] for one in doors.get("/v1/jobs", state="FAILED").body["items"]]
    assert [one["id"] for one in doors.get("/v1/jobs", key=job["object"]["key"]).body["items"]] == [job["id"]]
    assert doors.get("/v1/jobs", key="input/members/never_dropped.csv").body["items"] == []


def test_wait_answers_with_each_change_until_the_end(doors: Doors) -> None:
    dropped = doors.drop("watched.csv", demo_file(322, 100_000).data)
    seen = [doors.job_of(dropped)]

    def follow() -> bool:
        seen.append(doors.get(f"/v1/jobs/{seen[-1]['id']}", wait=20).body)
        return seen[-1]["state"] in TERMINAL

    eventually(follow, "the end of a job that is watched")
    assert all(earlier != later for earlier, later in pairwise(seen))
    assert (seen[-1]["state"], seen[-1]["counts"]["inserted"]) == ("COMPLETED", 100_000)


@pytest.mark.parametrize(
    ("seed", "name"),
    [
        (330, "with spaces.csv"),
        (331, "a+b=c & d.csv"),
        (332, "Jürgen Straße 明.csv"),
        (333, "deep/er/folder=1/100%25.csv"),
        (334, "%2B+%20 .csv"),
    ],
)
def test_file_name_may_hold_anything(doors: Doors, seed: int, name: str) -> None:
    dropped = doors.drop(name, demo_file(seed, 2).data)
    job = doors.ended(dropped)
    assert (job["state"], job["object"]["key"], job["counts"]["inserted"]) == ("COMPLETED", dropped.key, 2)

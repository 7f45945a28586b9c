"""Datasets and their records over HTTP: statuses, headers, one shape for what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.doors import Doors, Json

pytestmark = pytest.mark.stack

MEMBERS = "/v1/datasets/members/records"
PLAYS = "/v1/datasets/plays/records"
ANA = {
    "first_name": "Ana",
    "last_name": "Luz",
    "phone_number": "5559990001",
    "client_member_id": 990001,
    "account_id": 9,
}


@pytest.fixture
def ana(doors: Doors) -> Iterator[Json]:
    made = doors.post(MEMBERS, ANA)
    assert made.status == 201
    yield made.body
    doors.ask("DELETE", f"{MEMBERS}/{made.body['id']}")


def test_record_is_made_found_changed_and_deleted(doors: Doors) -> None:
    made = doors.post(MEMBERS, ANA)
    here = f"{MEMBERS}/{made.body['id']}"
    assert (made.status, made.content_type) == (201, "application/json")
    assert made.headers["Location"] == here
    assert made.body == {"id": made.body["id"], **ANA}
    found = doors.get(here)
    assert (found.status, found.body, found.headers["ETag"]) == (200, made.body, made.headers["ETag"])
    tag = {"If-Match": found.headers["ETag"]}
    assert doors.get(MEMBERS, phone_number="5559990001").body == {"items": [made.body], "next_cursor": None}
    replaced = doors.ask("PUT", here, body={**found.body, "first_name": "Bea"}, headers=tag)
    assert (replaced.status, replaced.body["first_name"]) == (200, "Bea")
    late = doors.ask("PATCH", here, body={"first_name": "Cy"}, headers=tag)
    assert (late.status, late.content_type, late.body["code"]) == (412, "application/problem+json", "changed-meanwhile")
    patched = doors.ask("PATCH", here, body={"first_name": "Cy"}, headers={"If-Match": replaced.headers["ETag"]})
    assert (patched.status, patched.body) == (200, {**made.body, "first_name": "Cy"})
    assert doors.ask("DELETE", here, headers=tag).status == 412
    gone = doors.ask("DELETE", here)
    assert (gone.status, gone.body) == (204, "")
    for method in ("GET", "DELETE"):
        assert doors.ask(method, here).status == 404


def test_who_may_only_write_is_shown_nothing(doors: Doors, ana: Json) -> None:
    key = doors.key("write")
    here = f"{MEMBERS}/{ana['id']}"
    for answer in (
        doors.ask("PATCH", here, body={}, api_key=key),
        doors.ask("PUT", here, body=ANA, api_key=key),
        doors.post("/v1/datasets/plays/records", {"song": "w", "date": "2001-01-01", "plays": 1}, api_key=key),
    ):
        assert answer.status in (200, 201)
        assert set(answer.body) == {"id"}
        assert "ETag" not in answer.headers
    assert doors.get(here, api_key=key).status == 403


def test_refused_record_tells_all_that_is_wrong(doors: Doors, ana: Json) -> None:
    wrong = doors.post(MEMBERS, {**ANA, "phone_number": "1", "account_id": "x"})
    assert (wrong.status, wrong.content_type, wrong.body["code"]) == (
        422,
        "application/problem+json",
        "record-rejected",
    )
    assert [(error["column"], error["code"]) for error in wrong.body["errors"]] == [
        ("phone_number", "constraint-error"),
        ("account_id", "type-error"),
    ]
    taken = doors.post(MEMBERS, ANA)
    assert (taken.status, {error["code"] for error in taken.body["errors"]}) == (409, {"unique-error"})


def test_batch_is_answered_record_by_record(doors: Doors, ana: Json) -> None:
    new = {**ANA, "phone_number": "5559990002", "client_member_id": 990002}
    answer = doors.ask("PUT", MEMBERS, body=[new, ANA, {}])
    assert answer.status == 207
    assert [item["status"] for item in answer.body["items"]] == [201, 409, 422]
    assert answer.body["counts"]["rejected"] == 2
    assert doors.ask("DELETE", f"{MEMBERS}/{answer.body['items'][0]['id']}").status == 204


def test_same_post_with_its_key_makes_one_record(doors: Doors) -> None:
    record = {"song": "once", "date": "2001-02-03", "plays": 5}
    headers = {"Idempotency-Key": "play-once"}
    answers = [doors.ask("POST", PLAYS, body=record, headers=headers) for _ in range(2)]
    assert answers[0] == answers[1]
    [found] = doors.get(PLAYS, song="once").body["items"]
    assert found["plays"] == 5


def test_same_batch_with_its_key_is_added_once(doors: Doors) -> None:
    records = [{"song": "batch", "date": "2001-02-03", "plays": n} for n in (1, 2)]
    headers = {"Idempotency-Key": "batch-once"}
    answers = [doors.ask("PUT", PLAYS, body=records, headers=headers) for _ in range(2)]
    assert (answers[0].status, answers[1]) == (207, answers[0])
    assert [row["plays"] for row in doors.get(PLAYS, song="batch").body["items"]] == [3]
    doors.ask("PUT", PLAYS, body=records)
    assert [row["plays"] for row in doors.get(PLAYS, song="batch").body["items"]] == [6]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", f"{MEMBERS}?limit=0", {}, None, 400),
        ("GET", f"{MEMBERS}?limit=1001", {}, None, 400),
        ("GET", f"{MEMBERS}?cursor=x", {}, None, 400),
        ("GET", f"{MEMBERS}?first_name=Ana", {}, None, 400),
        ("GET", f"{MEMBERS}?phone_number=%00", {}, None, 400),
        ("GET", f"{MEMBERS}?phone_number=1&phone_number=2", {}, None, 400),
        ("GET", f"{MEMBERS}?client_member_id=x", {}, None, 400),
        ("GET", f"{MEMBERS}?client_member_id={'9' * 10_001}", {}, None, 400),
        ("GET", f"{MEMBERS}/x", {}, None, 404),
        ("GET", f"{MEMBERS}/1_0", {}, None, 404),
        ("GET", f"{MEMBERS}/{10**40}", {}, None, 404),
        ("GET", "/v1/datasets/nothing/records", {}, None, 404),
        ("POST", MEMBERS, {}, b"{", 400),
        ("POST", MEMBERS, {}, b"", 400),
        ("POST", MEMBERS, {}, b'{"a": NaN}', 400),
        ("POST", MEMBERS, {}, b"[" * 1_000_000, 400),
        ("POST", MEMBERS, {}, b"[]", 422),
        ("POST", MEMBERS, {}, b'{"first_name": "a", "first_name": "b"}', 422),
        ("POST", MEMBERS, {"Content-Type": "text/csv"}, b"a,b", 415),
        ("POST", MEMBERS, {}, b" " * (5 * 1024 * 1024 + 1), 413),
        ("POST", MEMBERS, {}, b'{"first_name": "' + b"x" * (1 << 20) + b'"}', 422),
        ("PUT", MEMBERS, {}, b"{}", 400),
        ("PUT", MEMBERS, {}, b"[" + b"0," * 1000 + b"0]", 413),
        ("PATCH", f"{MEMBERS}/1", {}, b"nothing", 400),
        ("DELETE", MEMBERS, {}, None, 400),
        ("DELETE", f"{MEMBERS}?confirm=plays", {}, None, 400),
        ("GET", "/v1/datasets/members/volumes?days=0", {}, None, 400),
        ("GET", "/v1/datasets/nothing", {}, None, 404),
    ],
)
def test_nonsense_is_a_problem_and_changes_nothing(
    doors: Doors, method: str, path: str, headers: dict[str, str], body: bytes | None, status: int
) -> None:
    before = doors.get("/v1/datasets/members").body["rows"]
    answer = doors.ask(method, path, body=body, headers=headers)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert answer.body["status"] == status
    assert doors.get("/v1/datasets/members").body["rows"] == before


def test_pages_lead_on_until_all_are_seen(doors: Doors) -> None:
    records = [{"song": "paged", "date": f"2002-01-{day:02}", "plays": day} for day in range(1, 8)]
    doors.ask("PUT", "/v1/datasets/plays/records", body=records)
    seen: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = doors.get("/v1/datasets/plays/records", song="paged", limit=3, **cursor).body
        seen += [row["plays"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == list(range(1, 8))


def test_datasets_are_listed_and_shown(doors: Doors) -> None:
    listed = doors.get("/v1/datasets").body["items"]
    assert [dataset["name"] for dataset in listed] == ["members", "plays", "products"]
    shown = doors.get(listed[0]["links"]["self"]).body
    assert shown["descriptor"]["dropload"]["sensitive"] == ["first_name", "last_name", "phone_number"]
    days = doors.get(listed[0]["links"]["volumes"], days=3).body["items"]
    assert len(days) == 3


def test_deleting_all_is_for_admins(doors: Doors) -> None:
    path = "/v1/datasets/products/records"
    put = doors.ask("PUT", path, body=[{"name": "a", "sku": str(n), "status": "active"} for n in range(3)])
    assert {item["status"] for item in put.body["items"]} == {201}
    assert doors.ask("DELETE", f"{path}?confirm=products", api_key=doors.key("read", "write")).status == 403
    assert doors.ask("DELETE", f"{path}?confirm=products").body == {"deleted": 3}
    assert doors.get(path).body["items"] == []

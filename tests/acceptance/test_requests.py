"""What every route does with what it is sent: one shape for errors, limits, and the same request twice."""

import threading
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.acceptance.doors import Doors
from tests.acceptance.files import demo_file

pytestmark = pytest.mark.stack

PROBLEM = "application/problem+json"
EXPORTS = "/v1/datasets/plays/exports"


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", "/v1/nothing", {}, None, 404),
        ("DELETE", "/v1/jobs", {}, None, 405),
        ("POST", "/v1/me", {}, b"{}", 405),
        ("POST", EXPORTS, {"Content-Type": "text/csv"}, b"a,b", 415),
        ("POST", EXPORTS, {}, b"{", 400),
        ("POST", EXPORTS, {}, b"\xff\xfe", 400),
        ("POST", EXPORTS, {}, b"[" * 100_000, 400),
        ("POST", EXPORTS, {}, b'{"format": "csv", "format": "xml"}', 400),
        ("POST", EXPORTS, {}, b" " * (5 * 1024 * 1024 + 1), 413),
        ("POST", EXPORTS, {}, b" " * (11 * 1024 * 1024), 413),
        ("POST", EXPORTS, {"Idempotency-Key": "x" * 256}, b"{}", 400),
        ("POST", EXPORTS, {"Idempotency-Key": "a b"}, b"{}", 400),
        ("GET", "/v1/jobs?limit=1&limit=2", {}, None, 400),
        ("GET", "/v1/jobs?limit=1e1", {}, None, 400),
        ("GET", "/v1/jobs?cursor=%00", {}, None, 400),
        ("GET", "/v1/me?x=1", {}, None, 400),
        ("GET", "/v1/jobs/%ff", {}, None, 404),
        ("POST", "/v1/datasets/%ff/exports", {}, b"{}", 404),
        ("GET", f"/v1/jobs?key={'x' * 2000}", {}, None, 400),
    ],
)
def test_nonsense_is_a_problem(
    doors: Doors, method: str, path: str, headers: dict[str, str], body: bytes | None, status: int
) -> None:
    answer = doors.ask(method, path, body=body, headers=headers)
    assert (answer.status, answer.content_type) == (status, PROBLEM)
    assert answer.body["status"] == status
    assert set(answer.body) >= {"type", "title", "status", "code", "detail"}
    assert "Traceback" not in str(answer.body)


@pytest.mark.parametrize(
    ("twice", "status"), [(["Idempotency-Key: a", "Idempotency-Key: b"], 400), (["Authorization: Bearer x"], 401)]
)
def test_header_that_is_sent_twice_is_no_choice_of_two(doors: Doors, twice: list[str], status: int) -> None:
    address = urlsplit(doors.url)
    connection = HTTPConnection(address.hostname or "", address.port)
    connection.putrequest("POST", EXPORTS)
    connection.putheader("Authorization", doors.authorization["Authorization"])
    connection.putheader("Content-Length", "2")
    for header in twice:
        connection.putheader(*header.split(": "))
    connection.endheaders(b"{}")
    with closing(connection), connection.getresponse() as answer:
        assert (answer.status, answer.headers.get_content_type()) == (status, PROBLEM)


def test_same_post_with_its_key_is_served_once(doors: Doors) -> None:
    headers = {"Idempotency-Key": "export-once"}
    body = {"filters": {"date": "2001-01-01"}}
    first = doors.ask("POST", EXPORTS, body=body, headers=headers)
    again = doors.ask("POST", EXPORTS, body=body, headers=headers)
    assert first.status == 202
    assert again == first
    other = doors.ask("POST", EXPORTS, body={}, headers=headers)
    assert (other.status, other.body["code"]) == (422, "idempotency-key-reused")
    elsewhere = doors.ask("POST", "/v1/datasets/members/exports", body=body, headers=headers)
    assert elsewhere.status == 422
    someone = doors.ask("POST", EXPORTS, body=body, headers=headers, api_key=doors.key("write"))
    assert (someone.status, someone.body["id"] != first.body["id"]) == (202, True)


def test_refusal_is_remembered_with_its_key(doors: Doors) -> None:
    headers = {"Idempotency-Key": "refused-once"}
    answers = [doors.ask("POST", EXPORTS, body={"format": "xml"}, headers=headers) for _ in range(2)]
    assert [answer.status for answer in answers] == [400, 400]
    assert answers[0] == answers[1]


def test_answer_that_held_a_secret_is_not_given_twice(doors: Doors) -> None:
    headers = {"Idempotency-Key": "key-once"}
    body = {"name": "made once", "scopes": ["read"]}
    assert doors.ask("POST", "/v1/keys", body=body, headers=headers).status == 201
    again = doors.ask("POST", "/v1/keys", body=body, headers=headers)
    assert (again.status, again.body["code"]) == (409, "answered-once")
    assert [each["name"] for each in doors.get("/v1/keys", limit=200).body["items"]].count("made once") == 1


def test_requests_at_once_do_not_mix(doors: Doors) -> None:
    """Chalice keeps the request on the app: the answers of threads must not depend on it."""
    wrong: list[Any] = []
    tokens = {name: doors.key("read", datasets=[name]) for name in ("members", "plays", "products")}

    def ask(name: str) -> None:
        for _ in range(30):
            me = doors.get("/v1/me", api_key=tokens[name]).body
            if me.get("datasets") != [name]:
                wrong.append(me)

    threads = [threading.Thread(target=ask, args=(name,)) for name in tokens for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_job_that_goes_on_says_when_to_ask_again(doors: Doors) -> None:
    job = doors.job_of(doors.drop("asked-again.csv", demo_file(375, 50_000).data))
    answer = doors.ask("GET", f"/v1/jobs/{job['id']}")
    ended = answer.body["finished_at"] is not None
    assert ended or int(answer.headers["Retry-After"]) >= 1
    done = doors.ended_job(job["id"])
    assert "Retry-After" not in doors.ask("GET", f"/v1/jobs/{done['id']}").headers

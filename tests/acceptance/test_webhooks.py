"""Webhooks by the API of the running stack, and the deployed function that delivers to them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.acceptance.doors import Doors, Json, eventually
from tests.acceptance.files import demo_file
from tests.receiver import Receiver, receiving, verify

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def receiver(stack: Mapping[str, Any]) -> Iterator[Receiver]:
    with receiving(stack["may_call"]) as receiver:
        yield receiver


@pytest.fixture
def webhook(doors: Doors, receiver: Receiver) -> Iterator[Json]:
    """A webhook for all events of the members, with its secret."""
    receiver.received.clear()
    receiver.answer = lambda _: 204
    made = doors.post(
        "/v1/webhooks",
        {
            "url": receiver.url(),
            "description": "of a test",
            "datasets": ["members"],
            "events": ["job.completed", "job.failed", "records.changed", "record.created"],
        },
    )
    assert made.status == 201, made.body
    assert made.headers["Location"] == made.body["links"]["self"]
    yield made.body
    doors.ask("DELETE", made.body["links"]["self"])


def log_of(doors: Doors, webhook: Json) -> list[Json]:
    items: list[Json] = doors.get(webhook["links"]["deliveries"]).body["items"]
    return items


def test_what_happens_is_told_and_can_be_verified(doors: Doors, receiver: Receiver, webhook: Json) -> None:
    job = doors.ended(doors.drop("told.csv", demo_file(420, 1).data))
    record = {
        "first_name": "Ana",
        "last_name": "Silva",
        "phone_number": "9990001234",
        "client_member_id": 9_990_001,
        "account_id": 7,
    }
    created = doors.post("/v1/datasets/members/records", record)
    assert created.status == 201, created.body

    def look() -> list[Json]:
        told = receiver.messages()
        wanted = {"job.completed", "records.changed", "record.created"}
        return told if wanted <= {message["type"] for message in told} else []

    told = {message["type"]: message["data"] for message in eventually(look, "all that happened")}
    for received in receiver.received:
        verify(received, webhook["secret"])
    assert told["job.completed"] == doors.get(f"/v1/jobs/{job['id']}").body
    assert told["record.created"]["ids"] == [int(created.body["id"])]
    changes = doors.get(f"/v1/jobs/{job['id']}/changes").body
    assert (told["records.changed"]["ids"], changes["next_cursor"]) == (changes["items"], None)
    assert len(changes["items"]) == job["counts"]["inserted"]
    eventually(lambda: {each["state"] for each in log_of(doors, webhook)} == {"delivered"}, "the log")


def test_a_test_is_sent_and_logged(doors: Doors, receiver: Receiver, webhook: Json) -> None:
    sent = doors.post(f"{webhook['links']['self']}/test")
    assert (sent.status, sent.body["state"]) == (202, "pending")
    [received] = eventually(lambda: receiver.received, "the test")
    assert received.id == sent.body["id"]
    [logged] = eventually(lambda: [each for each in log_of(doors, webhook) if each["attempts"]], "the log")
    assert (logged["state"], logged["attempts"][0]["status"]) == ("delivered", 204)


def test_a_secret_is_changed_and_never_shown_again(doors: Doors, receiver: Receiver, webhook: Json) -> None:
    path = webhook["links"]["self"]
    rotated = doors.post(f"{path}/rotate", {"overlap_seconds": 600})
    assert rotated.status == 200
    assert rotated.body["secret"].startswith("whsec_")
    assert rotated.body["secret"] != webhook["secret"]
    assert "secret" not in doors.get(path).body
    doors.post(f"{path}/test")
    [received] = eventually(lambda: receiver.received, "the test")
    verify(received, webhook["secret"], rotated.body["secret"])
    key = {"Idempotency-Key": "once"}
    assert doors.ask("POST", f"{path}/rotate", body={}, headers=key).status == 200
    assert doors.ask("POST", f"{path}/rotate", body={}, headers=key).body["code"] == "answered-once"


def test_a_webhook_that_is_gone_is_disabled_and_enabled_again(doors: Doors, receiver: Receiver, webhook: Json) -> None:
    path = webhook["links"]["self"]
    receiver.answer = lambda _: 410
    doors.post(f"{path}/test")
    disabled = eventually(lambda: doors.get(path).body["state"] == "disabled" and doors.get(path).body, "the end")
    assert disabled["reason"] == "gone"
    refused = doors.post(f"{path}/test")
    assert (refused.status, refused.body["code"]) == (409, "disabled")
    assert doors.post(f"{path}/enable").body["state"] == "enabled"


def test_a_webhook_is_changed_and_removed(doors: Doors, webhook: Json) -> None:
    path = webhook["links"]["self"]
    changed = doors.ask("PATCH", path, body={"events": ["job.failed"], "datasets": None})
    assert (changed.status, changed.body["events"], changed.body["datasets"]) == (200, ["job.failed"], None)
    assert changed.body["url"] == webhook["url"]
    listed = doors.get("/v1/webhooks", limit=200).body["items"]
    assert changed.body in listed
    assert (doors.ask("DELETE", path).status, doors.get(path).status) == (204, 404)
    assert doors.ask("DELETE", path).status == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"url": "http://127.0.0.1/"}, 422),
        ({"url": "https://169.254.169.254/"}, 422),
        ({"url": "no url"}, 422),
        ({"url": ""}, 400),
        ({"url": "https://example.com/" + "x" * 10_000}, 400),
        ({"events": []}, 400),
        ({"events": ["webhook.test"]}, 400),
        ({"events": ["job.completed"] * 7}, 400),
        ({"datasets": ["nosuch"]}, 422),
        ({"datasets": []}, 400),
        ({"description": "x" * 201}, 400),
        ({"description": "a\r\nb"}, 400),
        ({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, 400),
    ],
)
def test_a_webhook_that_makes_no_sense_is_not_made(doors: Doors, change: Json, status: int) -> None:
    before = doors.get("/v1/webhooks", limit=200).body["items"]
    good = {"url": "https://example.com/hook", "events": ["job.completed"]}
    answer = doors.post("/v1/webhooks", {**good, **change})
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert doors.get("/v1/webhooks", limit=200).body["items"] == before


def test_someone_elses_job_has_no_changes(doors: Doors) -> None:
    job = doors.ended(doors.drop("of-others.csv", demo_file(421, 1).data))
    stranger = doors.key("read", datasets=["plays"])
    assert doors.get(f"/v1/jobs/{job['id']}/changes", api_key=stranger).status == 404
    assert doors.get(f"/v1/jobs/{job['id']}/changes", cursor="-1").status == 400
    assert doors.get(f"/v1/jobs/{job['id']}/changes", cursor="1e9").status == 400

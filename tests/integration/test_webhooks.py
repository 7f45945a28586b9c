"""What webhooks are told of, to whom, and that they can believe it."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from chalicelib.bootstrap import Container
from chalicelib.core.access import EVERYONE, Caller, Scope
from chalicelib.core.schema import OnConflict
from chalicelib.errors import RequestRefused
from chalicelib.services.redrive import What
from chalicelib.services.webhook_ports import Wish
from tests.receiver import ALL, Days, Receiver, deliveries, subscribe, verify, webhook
from tests.system import MEMBERS, System, member, members

SOMEBODY = Caller("key", "key", frozenset({Scope.ADMIN}), frozenset({"members"}))


@pytest.fixture
def system(create: Callable[..., System], receiver: Receiver) -> System:
    return create(private_origins=(receiver.web.origin,))


def rows_of(system: System, dataset: str) -> set[int]:
    return {id for (id,) in system.rows(f"select id from {dataset}")}


def test_the_end_of_a_job_is_told_as_the_api_shows_it(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url(), "job.completed")
    job = system.load(members(1, 2) + member(3, account_id="x").encode())
    [received] = receiver.received
    verify(received, made["secret"])
    assert received.headers["content-type"] == "application/json"
    assert received.message == {"type": "job.completed", "timestamp": job["finished_at"], "data": job}
    assert job["counts"]["rejected"] == 1
    [logged] = deliveries(system, made)
    assert (logged["id"], logged["event"], logged["job"]) == (received.id, "job.completed", job["id"])
    assert (logged["state"], [attempt["status"] for attempt in logged["attempts"]]) == ("delivered", [204])


def test_only_who_asked_for_it_is_told(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url("/failed"), "job.failed")
    subscribe(system, receiver.url("/products"), datasets=["products"])
    subscribe(system, receiver.url("/members"), "job.completed", datasets=["members", "plays"])
    subscribe(system, receiver.url("/all"))
    system.load(members(1))
    system.load(b"", key="input/members/empty.csv")
    system.load(b"", key="input/nosuch/file.csv")
    assert receiver.types("/failed") == ["job.failed", "job.failed"]
    assert receiver.types("/products") == []
    assert receiver.types("/members") == ["job.completed"]
    assert sorted(receiver.types("/all")) == ["job.completed", "job.failed", "job.failed", "records.changed"]


def test_where_nobody_listens_nothing_is_kept(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url(), "job.failed")
    system.load(members(1))
    assert system.rows("select count(*) from dropload.webhook_message") == [(0,)]


def test_what_happened_before_somebody_asked_is_not_told(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url("/early"), "job.completed")
    system.container.deliver  # noqa: B018
    system.drop("input/members/file.csv", members(1))
    while not system.deliver(system.settings.intake_queue):
        pass
    system.deliver(system.settings.batch_queue)
    subscribe(system, receiver.url("/late"), "job.completed")
    system.pump()
    assert (len(receiver.messages("/early")), len(receiver.messages("/late"))) == (1, 0)


def test_rows_that_a_job_changed_are_told_by_pages(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url(), "records.changed")
    job = system.load(members(*range(1, 2_501)))
    pages = [message["data"] for message in receiver.messages()]
    assert [len(page["ids"]) for page in sorted(pages, key=lambda page: page["page"])] == [1000, 1000, 500]
    assert {id for page in pages for id in page["ids"]} == rows_of(system, "members")
    assert {(page["job"], page["dataset"], page["next"]) for page in pages} == {(job["id"], "members", None)}
    for received in receiver.received:
        verify(received, made["secret"])
        assert len(received.body) < 20_000


def test_of_very_many_rows_the_rest_is_to_be_asked_for(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url(), "records.changed")
    job = system.load(members(*range(1, 12_346)))
    pages = {message["data"]["page"]: message["data"] for message in receiver.messages()}
    assert sorted(pages) == list(range(1, 11))
    told = [id for page in pages.values() for id in page["ids"]]
    link = pages[10]["next"]
    assert link.startswith(f"/v1/jobs/{job['id']}/changes?cursor=")
    assert all(page["next"] is None for number, page in pages.items() if number < 10)
    below: int | None = int(link.rpartition("=")[2])
    while below is not None:
        page = system.container.changed_records.page(EVERYONE, UUID(job["id"]), below=below, limit=700)
        told += page["items"]
        below = page["next_cursor"]
    assert sorted(told) == sorted(rows_of(system, "members"))


def test_only_rows_that_a_job_really_changed_are_told(system: System, receiver: Receiver) -> None:
    lines = [f"Name {n},sku-{n},,active\n" for n in range(10)]
    header = "name,sku,description,status\n"
    system.load((header + "".join(lines)).encode(), key="input/products/a.csv")
    subscribe(system, receiver.url(), "records.changed")
    lines[3], lines[7] = "Other,sku-3,,active\n", "Other,sku-7,,inactive\n"
    system.load((header + "".join(lines)).encode(), key="input/products/b.csv")
    [message] = receiver.messages()
    assert set(message["data"]["ids"]) == {
        id for (id,) in system.rows("select id from products where sku in ('sku-3', 'sku-7')")
    }


def test_a_validation_changes_nothing_and_tells_of_no_change(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url())
    system.load(members(1), metadata={"dropload-validate-only": "true"})
    assert receiver.types() == ["job.completed"]


def test_a_job_that_failed_halfway_tells_what_it_changed(system: System, receiver: Receiver) -> None:
    small = replace(system.settings, batch_bytes=100)
    system = System(small, Container(small))
    subscribe(system, receiver.url())
    bodies = system.split("input/members/file.csv", members(*range(1, 20)))
    for body in bodies[:-1]:
        system.container.intake.load(body)
    system.container.intake.bury_batch(bodies[-1])
    system.pump()
    changed, failed = sorted(receiver.messages(), key=lambda message: message["type"], reverse=True)
    assert (changed["type"], failed["type"]) == ("records.changed", "job.failed")
    assert set(changed["data"]["ids"]) == rows_of(system, "members")
    assert len(changed["data"]["ids"]) == failed["data"]["counts"]["inserted"] > 10


def test_a_job_that_is_tried_again_by_itself_is_told_of_at_its_end(system: System, receiver: Receiver) -> None:
    settings = replace(system.settings, batch_bytes=100, max_attempts=2)
    system = System(settings, Container(settings))
    subscribe(system, receiver.url())
    bodies = system.split("input/members/file.csv", members(*range(1, 20)))
    system.container.intake.load(bodies[0])
    for body in bodies[1:]:
        system.container.intake.bury_batch(body)
    system.pump()
    assert (system.job("input/members/file.csv")["state"], receiver.received) == ("FAILED", [])
    system.rows("update dropload.job set retry_at = now()")
    system.container.sweep.run()
    system.pump()
    assert sorted(receiver.types()) == ["job.completed", "records.changed"]
    [changed] = [message["data"] for message in receiver.messages() if message["type"] == "records.changed"]
    assert set(changed["ids"]) == rows_of(system, "members")


@pytest.mark.parametrize("how", ["its dataset is gone", "called off", "loaded anew"])
def test_a_job_that_is_not_tried_again_after_all_is_told_of_once(system: System, receiver: Receiver, how: str) -> None:
    settings = replace(system.settings, batch_bytes=100, max_attempts=3)
    system = System(settings, Container(settings))
    datasets = system.container.datasets
    datasets["members"] = replace(datasets["members"], on_conflict=OnConflict.IGNORE)
    subscribe(system, receiver.url())
    key = "input/members/file.csv"
    bodies = system.split(key, members(*range(1, 20)))
    system.container.intake.load(bodies[0])
    for body in bodies[1:]:
        system.container.intake.bury_batch(body)
    system.pump()
    job = system.job(key)
    assert (job["reason"]["code"], receiver.received) == ("retrying", [])
    first = rows_of(system, "members")
    for _ in range(2):
        if how == "called off":
            system.container.cancel.run(UUID(job["id"]))
        elif how == "its dataset is gone":
            system.rows("update dropload.job set retry_at = now() where retry_at is not null")
            datasets.pop("members", None)
            system.container.sweep.run()
        else:
            with suppress(RequestRefused):
                system.container.redrive.run(UUID(job["id"]), What.ALL)
        system.pump()
    ours = [each["data"] for each in receiver.messages() if each["type"] == "job.failed"]
    changed = [each["data"] for each in receiver.messages() if each["type"] == "records.changed"]
    assert [(each["id"], each["retry_at"]) for each in ours] == [(job["id"], None)]
    assert ours[0]["reason"]["code"] in ("exhausted", "called-off", "loaded-elsewhere")
    assert first <= {id for each in changed for id in each["ids"]} == rows_of(system, "members")


def test_records_that_were_written_are_told_together(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url(), datasets=["members"])
    happened: list[tuple[str, str, list[int] | None]] = [
        ("members", "record.created", [1]),
        ("members", "record.created", [2, 3]),
        ("plays", "record.created", [9]),
        ("members", "record.deleted", list(range(10, 2_310))),
        ("members", "record.deleted", None),
        ("members", "record.updated", [4]),
    ]
    for dataset, event, ids in happened:
        insert = "insert into dropload.record_event (dataset, event, ids, write) values (%s, %s, %s, 0)"
        system.rows(insert, dataset, event, ids)
    system.container.queues.send_webhooks()
    system.pump()
    told = [(message["type"], message["data"]["ids"]) for message in receiver.messages()]
    assert [entry for entry in told if entry[0] != "record.deleted"] == [
        ("record.created", [1, 2, 3]),
        ("record.updated", [4]),
    ]
    deleted = [ids for event, ids in told if event == "record.deleted"]
    assert [ids and len(ids) for ids in deleted] == [1000, 1000, 300, None]
    assert [id for ids in deleted for id in ids or ()] == list(range(10, 2_310))
    assert {message["data"]["dataset"] for message in receiver.messages()} == {"members"}
    system.container.queues.send_webhooks()
    system.pump()
    assert len(receiver.received) == len(told)


def test_what_the_api_writes_is_told_soon(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url())
    records = system.container.records
    values = {"first_name": "Ana", "last_name": "Silva", "account_id": 7}
    bodies = [{**values, "phone_number": f"{n:010d}", "client_member_id": n} for n in range(5)]
    ids = [records.create(EVERYONE, "members", json.dumps(body).encode()).id for body in bodies]
    changed = json.dumps({"first_name": "Eva"}).encode()
    records.patch(EVERYONE, "members", ids[0], changed, None)
    records.patch(EVERYONE, "members", ids[1], json.dumps({"first_name": "Ana"}).encode(), None)  # as it is
    records.delete(EVERYONE, "members", ids[4], None)
    records.delete_all(EVERYONE, "members", "members")
    messages = 0
    deadline = time.monotonic() + 10
    while len(receiver.messages()) < 4 and time.monotonic() < deadline:
        messages += len(system.deliver(system.settings.webhook_queue))
        time.sleep(0.1)
    told = [(message["type"], message["data"]["ids"]) for message in receiver.messages()]
    assert sorted(told, key=str) == sorted(
        [
            ("record.created", ids),
            ("record.updated", [ids[0]]),
            ("record.deleted", [ids[4]]),
            ("record.deleted", None),
        ],
        key=str,
    )
    assert messages < 8  # of which one is enough, for all who write within a second
    for received in receiver.received:
        verify(received, made["secret"])
        assert b"Ana" not in received.body


def test_where_nobody_wants_to_know_writing_sends_nothing(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url(), "job.completed")
    body = b'[{"song": "a", "date": "2026-01-01", "plays": 1}]'
    system.container.records.put(EVERYONE, "plays", body)
    time.sleep(1.5)
    assert list(system.receive(system.settings.webhook_queue)) == []


def test_while_secrets_change_both_sign_and_then_only_the_new_one(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url(), "job.completed")
    rotated = system.container.webhooks.rotate(EVERYONE, UUID(made["id"]), 3600)
    assert rotated["secret"] != made["secret"]
    system.load(members(1))
    verify(receiver.received[0], made["secret"], rotated["secret"])
    days = Days(system)
    days.now += timedelta(hours=2)
    system.container.webhooks.test(EVERYONE, UUID(made["id"]))
    days.deliver.run(lambda: 900.0)
    assert receiver.received[1].message["type"] == "webhook.test"
    assert receiver.received[1].headers["webhook-signature"].count("v1,") == 1


def test_a_leaked_secret_signs_no_more_when_it_is_changed_at_once(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url(), "job.completed")
    rotated = system.container.webhooks.rotate(EVERYONE, UUID(made["id"]), 0)
    system.load(members(1))
    [received] = receiver.received
    verify(received, rotated["secret"])
    assert received.headers["webhook-signature"].count("v1,") == 1


def test_the_secret_is_shown_once_and_kept_nowhere(
    system: System, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    made = subscribe(system, receiver.url(), "job.completed")
    receiver.answer = lambda _: 410
    system.load(members(1))
    assert "secret" not in webhook(system, made)
    assert "secret" not in system.container.webhooks.page(EVERYONE, before=None, limit=10)["items"][0]
    [(dump,)] = system.rows("select string_agg(webhook::text, '') from dropload.webhook")
    secret = made["secret"].removeprefix("whsec_")
    assert secret not in dump
    assert made["secret"] not in caplog.text
    assert receiver.web.origin not in caplog.text


def test_a_body_tells_no_value_of_a_record(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url())
    bad = member(3, first_name="Secretive", account_id="Secretive")
    system.load((MEMBERS + member(1, first_name="Secretive") + bad).encode())
    assert len(receiver.received) == 2
    assert not any(b"Secretive" in received.body for received in receiver.received)


def test_a_test_is_one_attempt_for_one_webhook(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url("/one"), "job.failed")
    subscribe(system, receiver.url("/other"))
    receiver.answer = lambda _: 500
    delivery = system.container.webhooks.test(EVERYONE, UUID(made["id"]))
    assert (delivery["event"], delivery["state"]) == ("webhook.test", "pending")
    Days(system).pass_until(timedelta(days=1))
    assert [received.path for received in receiver.received] == ["/one"]
    [logged] = deliveries(system, made)
    assert (logged["id"], logged["state"], logged["attempts"][0]["error"]) == (delivery["id"], "failed", "status")


def test_a_webhook_can_be_looked_at_changed_and_removed(system: System, receiver: Receiver) -> None:
    made = [subscribe(system, receiver.url(f"/{n}"), "job.completed") for n in range(5)]
    service = system.container.webhooks
    first = service.page(EVERYONE, before=None, limit=3)
    rest = service.page(EVERYONE, before=UUID(first["next_cursor"]), limit=3)
    assert [item["id"] for item in first["items"] + rest["items"]] == [item["id"] for item in reversed(made)]
    assert rest["next_cursor"] is None
    id = UUID(made[0]["id"])
    changed = service.change(EVERYONE, id, {"events": ["job.failed"], "datasets": ["members"]})
    assert (changed["events"], changed["datasets"], changed["url"]) == (["job.failed"], ["members"], made[0]["url"])
    service.remove(EVERYONE, id)
    with pytest.raises(RequestRefused, match="not-found"):
        service.get(EVERYONE, id)


def test_a_caller_has_the_webhooks_of_their_datasets_and_no_others(system: System, receiver: Receiver) -> None:
    service = system.container.webhooks
    theirs = service.create(SOMEBODY, Wish(receiver.url(), "", ("members",), ALL))
    others = [subscribe(system, receiver.url()), subscribe(system, receiver.url(), datasets=["members", "plays"])]
    assert [item["id"] for item in service.page(SOMEBODY, before=None, limit=10)["items"]] == [theirs["id"]]
    for other in others:
        with pytest.raises(RequestRefused) as refused:
            service.remove(SOMEBODY, UUID(other["id"]))
        assert refused.value.status == 404
    for datasets in (None, ("plays",), ("members", "plays"), ("nosuch",)):
        with pytest.raises(RequestRefused, match="bad-datasets"):
            service.create(SOMEBODY, Wish(receiver.url(), "", datasets, ALL))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/", "not-https"),
        ("https://127.0.0.1/", "address-refused"),
        ("https://2130706433/", "address-refused"),
        ("https://0x7f.1/", "address-refused"),
        ("https://[::1]/", "address-refused"),
        ("https://169.254.169.254/latest/meta-data", "address-refused"),
        ("https://localhost/", "address-refused"),
        ("https://user:password@example.com/", "bad-url"),
        ("ftp://example.com/", "bad-url"),
        ("https://", "bad-url"),
        ("/hook", "bad-url"),
        ("https://example.com/" + "x" * 9000, "bad-url"),
    ],
)
def test_a_url_that_leads_where_we_do_not_go_is_refused_at_once(system: System, url: str, code: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        subscribe(system, url)
    assert (refused.value.status, refused.value.code) == (422, code)


def test_an_exception_is_meant_however_it_is_spelled(system: System) -> None:
    settings = replace(system.settings, private_origins=("https://LOCALHOST/",))
    made = subscribe(System(settings, Container(settings)), "https://localhost:443/hook")
    assert made["url"] == "https://localhost:443/hook"


def test_there_are_only_so_many_webhooks(system: System, receiver: Receiver) -> None:
    service = system.container.webhooks
    service._most = 2
    for _ in range(2):
        subscribe(system, receiver.url())
    with pytest.raises(RequestRefused) as refused:
        subscribe(system, receiver.url())
    assert refused.value.status == 409

"""Deliveries that fail, are slow, doubled or killed: each webhook gets everything, and nobody waits for another one."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.identity import new_id
from chalicelib.adapters.postgres.outgoing import PostgresOutgoing
from chalicelib.adapters.postgres.telling import PostgresChanges
from chalicelib.bootstrap import Container
from chalicelib.core.access import EVERYONE
from chalicelib.core.backoff import SCHEDULE
from chalicelib.errors import RequestRefused, Terminal, Transient
from chalicelib.services.deliver import Deliver
from tests.receiver import Days, Received, Receiver, deliveries, subscribe, verify, webhook
from tests.system import System, forever, members

PUT = "insert into dropload.record_event (dataset, event, ids, write) values (%s, %s, array[%s::bigint], 0)"


@pytest.fixture
def system(create: Callable[..., System], receiver: Receiver) -> System:
    return create(private_origins=(receiver.web.origin,))


def happen(system: System, *ids: int) -> None:
    """As many things as there are ids, each to be told by itself: what follows one another is never alike."""
    for at, id in enumerate(ids):
        system.rows(PUT, "members", ("record.created", "record.updated")[at % 2], id)


def told(receiver: Receiver, path: str = "/hook") -> list[int]:
    return [id for message in receiver.messages(path) for id in message["data"]["ids"]]


def test_what_fails_is_tried_again_by_the_schedule_with_the_same_id_and_body(
    system: System, receiver: Receiver
) -> None:
    made = subscribe(system, receiver.url(), "job.completed")
    answers = iter([500, 429, 503, 302, 404, 204])
    receiver.answer = lambda _: next(answers)
    system.load(members(1))
    days = Days(system)
    days.pass_until(timedelta(days=2))
    assert [received.answer for received in receiver.received] == [500, 429, 503, 302, 404, 204]
    assert len({(received.id, received.body) for received in receiver.received}) == 1
    [logged] = deliveries(system, made)
    assert [(each["status"], each["error"]) for each in logged["attempts"]] == [
        (500, "status"),
        (429, "status"),
        (503, "status"),
        (302, "redirect"),
        (404, "status"),
        (204, None),
    ]
    rows = system.rows("select at, milliseconds from dropload.webhook_attempt order by number")
    waits = [(later[0] - earlier[0]).total_seconds() for earlier, later in pairwise(rows)]
    for planned, waited in zip(SCHEDULE, waits, strict=False):
        assert planned <= waited < planned * 1.1 + 10  # and what an attempt takes
    assert "/elsewhere" not in [path for _, path, _, _ in receiver.web.requests]
    assert (webhook(system, made)["state"], webhook(system, made)["failing_since"]) == ("enabled", None)


def test_who_was_down_for_a_day_gets_everything_once_it_is_back(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url())
    days = Days(system)
    back = days.now + timedelta(hours=24)
    receiver.answer = lambda _: 503 if days.now < back else 200
    for hour in range(24):
        happen(system, *range(hour * 10, hour * 10 + 10))
        days.pass_until(timedelta(hours=1))
    failed = len(receiver.received)
    days.pass_until(timedelta(minutes=16))  # the longest that an endpoint is left alone, and a little
    assert sorted(told(receiver)) == list(range(240))
    assert Counter(received.answer for received in receiver.received)[200] == 240
    assert failed < 24 * 5  # it was looked for, not pestered
    assert webhook(system, made)["state"] == "enabled"
    assert {delivery["state"] for delivery in deliveries(system, made)} == {"delivered"}


def test_one_that_is_never_taken_is_given_up_and_holds_up_no_other(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url())
    receiver.answer = lambda received: 400 if received.message["data"]["ids"] == [0] else 200
    days = Days(system)
    for day in range(5):
        happen(system, *range(day * 10, day * 10 + 10))
        days.pass_until(timedelta(minutes=10))
        assert len(told(receiver)) == day * 10 + 9
        days.pass_until(timedelta(days=1))
    given_up, *others = deliveries(system, made)
    assert given_up["state"] == "failed"
    assert len(given_up["attempts"]) >= 10  # some are made before their time, when others are taken again
    assert {(other["state"], len(other["attempts"])) for other in others} == {("delivered", 1)}
    assert webhook(system, made)["state"] == "enabled"


def test_who_fails_for_days_is_disabled_and_begins_anew_when_enabled(
    system: System, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    made = subscribe(system, receiver.url())
    receiver.answer = lambda _: 500
    days = Days(system)
    for day in range(7):
        happen(system, day)
        days.pass_until(timedelta(days=1))
    now = webhook(system, made)
    assert (now["state"], now["reason"]) == ("disabled", "failing")
    assert f"webhook {made['id']} was disabled: failing" in caplog.text
    assert not [delivery for delivery in deliveries(system, made) if delivery["state"] == "pending"]
    attempts = len(receiver.received)
    happen(system, 100)
    days.pass_until(timedelta(days=3))
    assert len(receiver.received) == attempts
    with pytest.raises(RequestRefused) as refused:
        system.container.webhooks.test(EVERYONE, UUID(made["id"]))
    assert refused.value.status == 409
    receiver.answer = lambda _: 200
    assert system.container.webhooks.enable(EVERYONE, UUID(made["id"]))["state"] == "enabled"
    happen(system, 101)
    days.pass_until(timedelta(days=1))
    assert told(receiver) == [101]


def test_who_is_gone_is_told_nothing_more(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url())
    receiver.answer = lambda _: 410
    happen(system, 1, 2, 3)
    Days(system).pass_until(timedelta(days=4))
    assert len(receiver.received) == 1
    assert (webhook(system, made)["state"], webhook(system, made)["reason"]) == ("disabled", "gone")
    assert Counter(delivery["state"] for delivery in deliveries(system, made)) == {"failed": 1, "cancelled": 2}


def test_who_was_removed_or_wants_less_is_told_no_more_than_that(system: System, receiver: Receiver) -> None:
    removed, narrowed = subscribe(system, receiver.url("/removed")), subscribe(system, receiver.url("/narrowed"))
    receiver.answer = lambda _: 500
    days = Days(system)
    happen(system, 1, 2)
    days.deliver.run(forever)
    receiver.received.clear()
    receiver.answer = lambda _: 200
    system.container.webhooks.remove(EVERYONE, UUID(removed["id"]))
    system.container.webhooks.change(EVERYONE, UUID(narrowed["id"]), {"events": ["record.updated"]})
    happen(system, 3, 4)
    days.pass_until(timedelta(days=4))
    assert told(receiver, "/removed") == []
    assert sorted(told(receiver, "/narrowed")) == [2, 4]


def test_a_slow_endpoint_holds_up_nobody_else(system: System, receiver: Receiver) -> None:
    taken: list[tuple[float, str]] = []

    def answer(received: Received) -> int:
        if received.path.startswith("/slow"):
            time.sleep(1.5)
        taken.append((time.monotonic(), received.path))
        return 200

    receiver.answer = answer
    for n in range(5):
        subscribe(system, receiver.url(f"/slow{n}"))
    for n in range(5):
        subscribe(system, receiver.url(f"/quick{n}"))
    happen(system, 1, 2, 3)
    began = time.monotonic()
    system.container.deliver.run(forever)
    quick = [at - began for at, path in taken if path.startswith("/quick")]
    slow = [at - began for at, path in taken if path.startswith("/slow")]
    assert (len(quick), len(slow)) == (15, 15)
    assert max(quick) < 1.5 < min(slow)
    assert max(slow) < 15 * 1.5 / 3  # nor do they wait for each other


def test_what_happens_while_a_slow_endpoint_is_waited_for_is_told_meanwhile(system: System, receiver: Receiver) -> None:
    def answer(received: Received) -> int:
        if received.path == "/slow":
            happen(system, 2)
            time.sleep(4)
        return 200

    receiver.answer = answer
    subscribe(system, receiver.url("/slow"), "record.created", datasets=["members"])
    system.rows(PUT, "members", "record.created", 1)
    subscribe(system, receiver.url("/quick"))
    system.rows("update dropload.webhook set since = now() - interval '1 hour'")
    worker = threading.Thread(target=system.container.deliver.run, args=(forever,))
    worker.start()
    deadline = time.monotonic() + 3.5
    while len(told(receiver, "/quick")) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert told(receiver, "/quick") == [1, 2]
    receiver.answer = lambda _: 200
    worker.join()


def test_while_many_changes_are_looked_up_deliveries_are_booked_and_the_clock_is_heeded(
    system: System, receiver: Receiver
) -> None:
    left = 100.0
    booked = []

    class Slow(PostgresChanges):
        def ids(self, job: UUID, dataset: str, below: int | None, limit: int) -> tuple[list[int], int | None]:
            nonlocal left
            left -= 30
            booked.append(system.rows("select count(*) from dropload.webhook_attempt")[0][0])
            return super().ids(job, dataset, below, limit)

    system.load(members(1))
    made = subscribe(system, receiver.url(), "records.changed")
    system.rows(
        "insert into dropload.webhook_message (event, dataset, job)"
        " select 'records.changed', dataset, number from dropload.job, generate_series(1, 5)"
    )
    container = system.container
    deliver = Deliver(
        outgoing=PostgresOutgoing(container.database),
        changes=Slow(container.database),
        web=container.web,
        queues=container.queues,
        key=lambda: container.webhook_key,
        new_id=new_id,
    )
    assert deliver.run(lambda: left) == len(receiver.received) <= 3 == len(booked)
    system.pump()  # with no message but the one that says that there is more
    assert len(receiver.messages()) == 5
    assert {each["state"] for each in deliveries(system, made)} == {"delivered"}


def test_workers_at_once_make_each_delivery_once_and_one_at_a_time(system: System, receiver: Receiver) -> None:
    busy: Counter[str] = Counter()
    most: Counter[str] = Counter()

    def answer(received: Received) -> int:
        busy[received.path] += 1
        most[received.path] = max(most[received.path], busy[received.path])
        time.sleep(0.01)
        busy[received.path] -= 1
        return 200

    receiver.answer = answer
    for n in range(6):
        subscribe(system, receiver.url(f"/{n}"))
    happen(system, *range(40))
    workers = [Container(system.settings) for _ in range(4)]
    threads = [threading.Thread(target=worker.deliver.run, args=(forever,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.database.close()
    assert len(receiver.received) == len({received.id for received in receiver.received}) == 240
    for n in range(6):
        assert sorted(told(receiver, f"/{n}")) == list(range(40))
    assert set(most.values()) == {1}


def test_messages_delivered_three_times_tell_once(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url())
    system.drop("input/members/file.csv", members(*range(1, 40)))
    while not system.container.views.jobs(limit=1):
        system.pump(times=3)
    assert sorted(received.message["type"] for received in receiver.received) == ["job.completed", "records.changed"]


def test_whoever_dies_after_the_answer_and_before_the_books_is_repeated_with_the_same_id(
    system: System, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = subscribe(system, receiver.url())
    happen(system, 1)
    days = Days(system)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(days.deliver, "_book", die)
        with pytest.raises(Killed):
            days.deliver.run(forever)
    days.deliver.run(forever)
    assert len(receiver.received) == 1  # for all that anybody knows somebody is still at it
    days.now += timedelta(seconds=61)
    days.deliver.run(forever)
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    assert [delivery["state"] for delivery in deliveries(system, made)] == ["delivered"]


def test_a_message_comes_when_the_next_attempt_is_due_and_only_one(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url())
    answers = iter([500])
    receiver.answer = lambda _: next(answers, 200)
    happen(system, 1)
    for _ in range(3):
        system.container.deliver.run(forever)
    assert list(system.receive(system.settings.webhook_queue)) == []  # not yet
    deadline = time.monotonic() + 15
    delivered = 0
    while not told(receiver) and time.monotonic() < deadline:
        delivered += len(system.deliver(system.settings.webhook_queue))
        time.sleep(0.1)
    assert (told(receiver), delivered) == ([1], 1)
    assert [each["status"] for each in deliveries(system, made)[0]["attempts"]] == [500, 200]


def test_the_sweep_finds_what_no_message_came_for(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url())
    happen(system, 1)
    client("sqs").purge_queue(QueueUrl=system.settings.webhook_queue)
    system.container.sweep.run()
    system.pump()
    assert told(receiver) == [1]


def test_time_that_runs_short_is_left_to_another_invocation(system: System, receiver: Receiver) -> None:
    subscribe(system, receiver.url())
    happen(system, *range(5))
    left = iter([100.0, 100.0])
    system.container.deliver.run(lambda: next(left, 1.0))
    assert 0 < len(told(receiver)) < 5
    system.pump()
    deadline = time.monotonic() + 10
    while len(told(receiver)) < 5 and time.monotonic() < deadline:
        system.pump()
        time.sleep(0.1)
    assert sorted(told(receiver)) == list(range(5))


def test_an_address_is_judged_at_each_delivery(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url())
    strict = Container(replace(system.settings, private_origins=()))
    happen(system, 1)
    strict.deliver.run(forever)
    secure = receiver.web.origin.replace("http:", "https:")
    system.rows("update dropload.webhook set url = %s, paused_until = null", secure)
    system.rows("update dropload.webhook_delivery set due_at = now()")
    strict.deliver.run(forever)
    strict.database.close()
    assert receiver.web.requests == []
    [logged] = deliveries(system, made)
    assert [each["error"] for each in logged["attempts"]] == ["not-https", "address-refused"]


def test_nobody_answering_is_logged_as_such(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url())
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        origin = f"http://localhost:{nobody.getsockname()[1]}"
        system.rows("update dropload.webhook set url = %s", origin)
        happen(system, 1)
        settings = replace(system.settings, private_origins=(origin,))
        container = Container(settings)
        container.deliver.run(forever)
        container.database.close()
    system.rows("update dropload.webhook set url = 'https://nowhere.invalid/', paused_until = null")
    system.rows("update dropload.webhook_delivery set due_at = now()")
    system.container.deliver.run(forever)
    attempts = deliveries(system, made)[0]["attempts"]
    assert [(each["status"], each["error"]) for each in attempts] == [(None, "unreachable"), (None, "no-such-host")]


def test_without_a_key_nothing_is_signed_and_nothing_lost(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url())
    happen(system, 1)
    keyless = Container(replace(system.settings, webhook_key="short"))
    with pytest.raises(Terminal, match="key"):
        keyless.deliver.run(forever)
    with pytest.raises(Terminal, match="key"):
        subscribe(System(keyless.settings, keyless), receiver.url())
    keyless.database.close()
    nowhere = Container(replace(system.settings, webhook_key_secret_arn="no-such-secret"))
    with pytest.raises(Transient, match="secret"):
        nowhere.deliver.run(forever)
    nowhere.database.close()
    assert (receiver.received, deliveries(system, made)) == ([], [])
    system.container.deliver.run(forever)
    verify(receiver.received[0], made["secret"])


def test_what_was_told_is_forgotten_in_time(system: System, receiver: Receiver) -> None:
    made = subscribe(system, receiver.url())
    receiver.answer = lambda received: 200 if received.message["data"]["ids"] == [1] else 500
    happen(system, 1, 2)
    days = Days(system)
    days.deliver.run(forever)
    days.now += timedelta(seconds=6)
    days.deliver.run(forever)
    kept = "select payload is not null from dropload.webhook_message order by number"
    assert system.rows(kept) == [(False,), (True,)]  # only for whoever is still to get it
    days.pass_until(timedelta(days=4))
    days.deliver.run(forever)
    assert system.rows(kept) == [(False,), (False,)]
    assert len(deliveries(system, made)) == 2
    days.pass_until(timedelta(days=26))
    assert len(deliveries(system, made)) == 2
    days.pass_until(timedelta(days=10))
    days.deliver.run(forever)
    assert deliveries(system, made) == []
    assert system.rows("select count(*) from dropload.webhook_attempt") == [(0,)]

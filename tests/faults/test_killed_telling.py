"""Killed between any two effects, from a file's first batch to a webhook's books: it is told all the same."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from chalicelib.bootstrap import Container
from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import LANES, STARTS, STEP, STRIDE, new_system
from tests.receiver import Receiver, deliveries, receiving, subscribe
from tests.system import System, members


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def database(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    return database_url


def told_of(receiver: Receiver, key: str) -> dict[str, dict[str, Any]]:
    """What was told of the job of this key, by event; whatever came twice came with the same id and body."""
    messages, received = receiver.messages(), list(receiver.received)
    assert len({(each.id, each.body) for each in received}) == len({each.id for each in received})
    jobs = {message["data"]["id"] for message in messages if message["data"].get("object", {}).get("key") == key}
    news = [message for message in messages if {message["data"].get("id"), message["data"].get("job")} & jobs]
    assert max(Counter(message["type"] for message in news).values(), default=1) == 1
    return {message["type"]: message["data"] for message in news}


def settle(system: System, receiver: Receiver, key: str) -> dict[str, dict[str, Any]]:
    """Deliver until all is told; what a killed worker held is free after a minute, or now."""
    deadline = time.monotonic() + 60
    while len(told := told_of(receiver, key)) < 2:
        assert time.monotonic() < deadline, (told, system.container.views.jobs(key=key))
        system.rows("update dropload.webhook set leased_until = now() where leased_until > now()")
        system.container.queues.send_webhooks()  # as the sweep does
        system.pump()
        time.sleep(0.1)  # for the killed worker's message to become visible again
    return told


def test_killed_between_any_two_effects_every_event_is_told_as_one(database: str, receiver: Receiver) -> None:
    def lane(number: int) -> int:
        """Kill at contacts number, number + STEP ... until all is done before the kill; the kills."""
        system = new_system(database)
        settings = replace(system.settings, private_origins=(receiver.web.origin,), batch_bytes=10_000)  # one batch
        system = System(settings, Container(settings))
        for kills in count():
            contacts = number + kills * STEP
            key = f"input/members/round-{contacts}.csv"
            numbers = range(contacts * 100, contacts * 100 + 20)
            system.drop(key, members(*numbers))
            while not system.deliver(system.settings.intake_queue):
                pass  # what splits it may die, too: see test_killed_anywhere
            died = work_and_die(system, contacts)
            told = settle(system, receiver, key)
            assert told["job.completed"]["counts"]["inserted"] == 20
            found = system.rows(
                "select id from members where client_member_id between %s and %s", numbers[0], numbers[-1]
            )
            assert sorted(told["records.changed"]["ids"]) == sorted(id for (id,) in found)
            if not died:
                return kills
        raise AssertionError("unreachable")

    setting_up = new_system(database)
    settings = replace(setting_up.settings, private_origins=(receiver.web.origin,))
    made = subscribe(System(settings, Container(settings)), receiver.url())
    with ThreadPoolExecutor(LANES) as pool:
        assert sum(pool.map(lane, STARTS)) > 30 // STRIDE
    assert {delivery["state"] for delivery in deliveries(setting_up, made)} == {"delivered"}

"""Records that are sent with an Idempotency-Key are written once, whatever breaks between the commit and the answer."""

from functools import partial

import pytest

from chalicelib.adapters.postgres.answers import PostgresAnswers
from chalicelib.core.access import EVERYONE
from chalicelib.errors import RequestRefused, Transient
from chalicelib.services.idempotency import Asked, Given
from tests.system import System

ASKED = Asked("caller", "key", b"digest", "plays")
RECORD = b'{"song": "a", "date": "2026-01-31", "plays": 5}'
BATCH = b"[" + RECORD + b"]"


def plays(system: System) -> list[tuple[int]]:
    return system.rows("select plays from public.plays")


def refused_as_done(system: System) -> None:
    once = system.container.idempotency.once
    with pytest.raises(RequestRefused) as refusal:
        once(ASKED, lambda: pytest.fail("served again"), keeps_body=True)
    assert (refusal.value.status, refusal.value.code) == (409, "answered-once")


@pytest.mark.parametrize("write", ["create", "put"])
def test_what_was_committed_unheard_of_is_not_written_again(system: System, write: str) -> None:
    records = system.container.records

    def serve() -> Given:
        if write == "put":
            records.put(EVERYONE, "plays", BATCH, ASKED)
        else:
            records.create(EVERYONE, "plays", RECORD, ASKED)
        raise Transient("database-trouble", "the connection broke during the commit")

    with pytest.raises(Transient):
        system.container.idempotency.once(ASKED, serve, keeps_body=True)
    refused_as_done(system)
    assert plays(system) == [(5,)]


def test_what_was_written_by_a_function_that_died_is_not_written_again(system: System) -> None:
    assert PostgresAnswers(system.container.database).begin(ASKED) is None
    put = partial(system.container.records.put, EVERYONE, "plays", BATCH, ASKED)
    put()
    system.rows("update dropload.answer set created_at = now() - interval '1 hour'")
    refused_as_done(system)
    with pytest.raises(Transient):
        put()
    assert plays(system) == [(5,)]


def test_what_was_not_written_is_written_by_the_next_one_that_asks(system: System) -> None:
    once = system.container.idempotency.once

    def fail() -> Given:
        raise Transient("database-unavailable", "cannot connect to the database")

    def serve() -> Given:
        system.container.records.put(EVERYONE, "plays", BATCH, ASKED)
        return Given(ASKED.request, 207, {}, "{}")

    with pytest.raises(Transient):
        once(ASKED, fail, keeps_body=True)
    first, again = (once(ASKED, serve, keeps_body=True) for _ in range(2))
    assert (first.status, again) == (207, first)
    assert plays(system) == [(5,)]

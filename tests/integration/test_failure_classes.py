"""Whose move it is after a failure, and that nobody waits for longer than they live."""

import time
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg2
import psycopg2.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters import aws
from chalicelib.adapters.events import objects_created
from chalicelib.adapters.postgres.database import translate
from chalicelib.bootstrap import Container
from chalicelib.errors import (
    Contended,
    DescriptorError,
    ExportRefused,
    FileRefused,
    RequestRefused,
    TableDiffers,
    Terminal,
    Transient,
    class_of,
)
from chalicelib.services.deadline import seconds_left, within
from chalicelib.services.ports import Delivery
from chalicelib.services.retries import Retries
from tests.integration.test_delivery import small_batches
from tests.system import MEMBERS, System, member, members

KEY = "input/members/file.csv"


def state_error(code: str) -> psycopg2.Error:
    """PostgreSQL's error of this code, as psycopg2 raises it."""
    error: Any = psycopg2.errors.lookup(code)()
    error.__setstate__({"pgcode": code, "pgerror": ""})
    assert isinstance(error, psycopg2.Error)
    return error


def announcement(system: System) -> str:
    """The message that announces an object, taken off its queue as soon as it is there."""
    while True:
        for body, delete in system.receive(system.settings.intake_queue):
            delete()
            if objects_created(body):
                return body


@pytest.mark.parametrize(
    "code",
    [
        *("08000", "08003", "08006", "08001"),  # connections
        *("53000", "53100", "53200", "53300"),  # resources: disk full, out of memory, too many connections
        *("57P01", "57P02", "57P03", "57P05", "57014"),  # shut down, crashed, starting up, cancelled or too slow
        *("55P03", "55006", "58000", "58030"),  # locks, in use; system errors, input and output
        *("25006", "25P03"),  # it is a replica now; it ended a transaction that slept
    ],
)
def test_a_database_that_is_down_full_or_busy_passes(code: str) -> None:
    assert class_of(translate(state_error(code))) == "transient"


@pytest.mark.parametrize("code", ["23505", "22P02", "42P01", "42501", "0A000", "XX001"])
def test_what_the_database_refuses_for_good_is_a_fault_of_ours(code: str) -> None:
    assert class_of(translate(state_error(code))) == "terminal"


def test_two_transactions_in_each_others_way_may_try_again_at_once() -> None:
    for code in ("40001", "40P01"):
        assert isinstance(translate(state_error(code)), Contended)


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (FileRefused("a", "b"), "file"),
        (ExportRefused("a", "b"), "file"),
        (RequestRefused(400, "a", "b"), "file"),
        (DescriptorError("a", ["b"]), "file"),
        (Transient("a", "b"), "transient"),
        (Contended("a", "b"), "transient"),
        (Terminal("a", "b"), "terminal"),
        (TableDiffers(["b"]), "terminal"),
        (KeyError("a"), "terminal"),
        (MemoryError(), "terminal"),
    ],
)
def test_every_error_is_of_one_class(error: BaseException, wanted: str) -> None:
    assert class_of(error) == wanted


class Visible:
    """A queue that remembers for how long messages were hidden."""

    def __init__(self) -> None:
        self.seconds: list[int] = []

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is not asked for")

    def hide(self, delivery: Delivery, seconds: int) -> None:
        self.seconds.append(seconds)


@given(st.integers(1, 30), st.floats(0, 1))
def test_a_message_comes_back_later_each_time_and_not_with_all_others(receives: int, chance: float) -> None:
    queues = Visible()
    retries = Retries(queues=queues, chance=lambda: chance)
    with pytest.raises(Transient), retries.of(Delivery("q", "r", receives)):
        raise Transient("a", "b")
    least = min(30 * 6 ** (receives - 1), 5400)
    assert queues.seconds == [round(least * (1 + chance / 4))]


def test_a_statement_takes_no_longer_than_its_invocation(system: System) -> None:
    began = time.monotonic()
    database = system.container.database
    with within(lambda: 2.5), pytest.raises(Transient, match="did not answer"), database.transaction() as cursor:
        cursor.execute("select pg_sleep(60)")
    assert 0.3 < time.monotonic() - began < 10
    with database.transaction() as cursor:
        cursor.execute("show statement_timeout")
        assert cursor.fetchone().statement_timeout == "10min", "the next one has its own time"


def test_nothing_is_begun_in_an_invocations_last_moment(system: System) -> None:
    with within(lambda: 1.0), pytest.raises(Transient, match="no time left"):
        system.container.views.ping()
    system.container.views.ping()


@pytest.mark.parametrize("seconds", [900, 300, 209, 60, 59, 29, 10])
@pytest.mark.parametrize("service", ["s3", "sqs"])
def test_all_tries_of_one_request_fit_into_an_invocation(aws: None, service: str, seconds: float) -> None:
    with within(lambda: seconds):
        assert seconds_left() == seconds
        config = _client(service).meta.config
    tries = config.retries["total_max_attempts"]
    assert 1 <= tries <= 3, "more tries are the queue's business"
    assert tries * (config.connect_timeout + config.read_timeout) <= max(seconds, 16)


def _client(service: str) -> Any:
    return aws.client(service)


def test_a_fault_of_ours_is_booked_as_one_when_the_queue_gives_up(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(system.settings, max_attempts=3)
    system = System(settings, Container(settings))
    system.drop(KEY, members(1))
    while not system.deliver(settings.intake_queue):
        pass
    [(body, delete)] = system.receive(settings.batch_queue)
    delete()

    def broken(*_: Any) -> None:
        raise KeyError("4711 Ana Silva")

    with monkeypatch.context() as patched:
        patched.setattr(system.container.load, "_load", broken)
        with pytest.raises(KeyError):
            system.container.intake.load(body)
    system.container.intake.bury_batch(body)
    job = system.job(KEY)
    assert job["reason"] == {
        "code": "internal-error",
        "message": "something went wrong on our side (KeyError)",
        "class": "terminal",
    }
    assert (job["state"], job["retry_at"], job["attempts"]) == ("FAILED", None, 0), "trying again would not help"
    assert system.rows("select audience from dropload.outbox") == [("engineers",)]
    system.container.redrive.run(UUID(job["id"]))
    system.pump()
    assert system.job(KEY)["state"] == "COMPLETED"


def test_a_table_that_somebody_has_broken_is_told_from_a_database_that_is_down(system: System) -> None:
    system.rows("alter table members rename column account_id to gone")
    system.drop(KEY, members(1))
    while not system.deliver(system.settings.intake_queue):
        pass
    [(body, delete)] = system.receive(system.settings.batch_queue)
    delete()
    with pytest.raises(Terminal):
        system.container.intake.load(body)
    system.container.intake.bury_batch(body)
    reason = system.job(KEY)["reason"]
    assert (reason["code"], reason["class"]) == ("database-refused", "terminal")


def test_a_split_that_fails_of_us_is_booked_as_that(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.drop(KEY, members(1))

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(system.container.split, "_cut", broken)
    body = announcement(system)
    with pytest.raises(ZeroDivisionError):
        system.container.intake.split(body, lambda: 900.0)
    system.container.intake.bury_split(body)
    job = system.job(KEY)
    assert (job["state"], job["reason"]["class"]) == ("FAILED", "terminal")


def test_a_job_whose_end_cannot_be_written_ends_all_the_same(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system = small_batches(system)
    system.drop(KEY, members(*range(1, 20)) + member(30, account_id="x").encode())
    while not system.deliver(system.settings.intake_queue):
        pass
    bodies = sorted(body for body, _ in system.receive(system.settings.batch_queue))

    def broken(*_: Any) -> None:
        raise Terminal("unbalanced", "the books do not balance")

    monkeypatch.setattr(system.container.finalise, "_finish", broken)
    for body in bodies[:-1]:
        system.container.intake.load(body)
    with pytest.raises(Terminal):
        system.container.intake.load(bodies[-1])
    system.container.intake.bury_batch(bodies[-1])
    job = system.job(KEY)
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "unbalanced", "terminal")
    assert system.rows("select audience from dropload.outbox") == [("engineers",)]


@pytest.mark.parametrize("data", [b"", MEMBERS.encode(), b"\x00\xff\xfe" * 1000, b'"' * 5000, members(1, 2)])
def test_a_dead_letter_never_leaves_a_job_open(system: System, data: bytes) -> None:
    """Whatever is in the file, and however far its job has come when its message is given up."""
    bury = system.container.intake
    for steps in range(3):
        key = f"input/members/{steps}.csv"
        system.drop(key, data)
        announced = announcement(system)
        if steps:
            bury.split(announced, lambda: 900.0)
        if steps < 2:
            bury.bury_split(announced)
        for body, delete in system.receive(system.settings.batch_queue):
            bury.bury_batch(body)
            delete()
        job = system.job(key)
        assert (job["finished_at"] is not None, job["balanced"]) == (True, True)

"""Killed between any two effects of a cancellation, by whoever asks for it and whoever carries it out."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from uuid import UUID

import pytest

from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import LANES, STARTS, STEP, STRIDE, new_system, settle
from tests.system import MEMBERS, System, forever, member

HEADER = "song,date,plays\n"


@pytest.fixture
def database(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the tables, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    new_system(database_url)
    return database_url


def call_off(id: UUID, system: System) -> None:
    """Cancel a job, and deliver what that sends."""
    system.container.cancel.run(id)
    system.pump()


def test_wherever_it_is_killed_the_job_ends_and_its_books_balance(database: str) -> None:
    def lane(first: int) -> int:
        system = new_system(database)
        for rounds, round in enumerate(count(first, STEP), 1):
            key = f"input/plays/{round}.csv"
            lines = [f"round {round},2026-01-01,{'x' if n == 3 else 1}\n" for n in range(60)]
            system.split(key, (HEADER + "".join(lines)).encode())
            id = UUID(system.job(key)["id"])
            system.container.load.run(id, 0, forever)
            died = work_and_die(system, round, task=partial(call_off, id))
            system.container.cancel.run(id)
            settle(system, key)
            job = system.job(key)
            assert (job["state"], job["balanced"], job["counts"]["rejected"]) == ("CANCELLED", True, 1)
            assert system.rejected_csv(job).count(b"\n") == 2
            if not died:
                return rounds
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(LANES) as pool:
        rounds = sum(pool.map(lane, STARTS))
    assert rounds > 20 // STRIDE
    left = new_system(database)
    assert left.rows("select count(*) from plays") == [(0,)]
    assert left.rows("select count(*) from dropload.cancellation") == [(0,)]
    assert left.rows("select count(*) from pg_class where relname like 'partial%%'") == [(0,)]


def test_what_was_loaded_is_what_the_books_say(database: str) -> None:
    def lane(first: int) -> int:
        system = new_system(database)
        for rounds, round in enumerate(count(first, STEP), 1):
            key = f"input/members/{round}.csv"
            numbers = range(round * 100, round * 100 + 60)
            system.split(key, (MEMBERS + "".join(member(n, account_id=str(round)) for n in numbers)).encode())
            id = UUID(system.job(key)["id"])
            system.container.load.run(id, 0, forever)
            died = work_and_die(system, round, task=partial(call_off, id))
            system.container.cancel.run(id)
            settle(system, key)
            job = system.job(key)
            assert (job["state"], job["balanced"]) == ("CANCELLED", True)
            loaded = system.rows("select count(*) from members where account_id = %s", round)
            assert loaded == [(job["counts"]["inserted"],)]
            if not died:
                return rounds
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(LANES) as pool:
        assert sum(pool.map(lane, STARTS)) > 20 // STRIDE

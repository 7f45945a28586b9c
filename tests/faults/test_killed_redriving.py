"""Killed between any two effects of a redrive, and asked for again: what is added is added once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from uuid import UUID

import pytest

from chalicelib.core.access import EVERYONE
from chalicelib.errors import RequestRefused
from chalicelib.services.ports import Reason
from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import LANES, STARTS, STEP, STRIDE, new_system
from tests.system import System

GAVE_UP = Reason("exhausted", "we tried several times", "transient")
OPEN = "select id::text from dropload.job where bucket = %s and finished_at is null"
HEADER = "song,date,plays\n"


@pytest.fixture
def database(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the tables, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    new_system(database_url)
    return database_url


def redrive_until(system: System, id: UUID, wanted: Callable[[], bool]) -> None:
    """Deliver, and ask for the redrive again where it did not come to pass."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        system.pump()
        if wanted():
            return
        with suppress(RequestRefused):  # it is under way, and only lacks its messages
            system.container.redrive.run(id)
        for (lost,) in system.rows(OPEN, system.settings.bucket):
            system.container.queues.send_split(UUID(lost))  # as the sweep does, a quarter of an hour later
        time.sleep(0.1)
    raise AssertionError(f"the redrive did not come to its end: {system.container.jobs.get(EVERYONE, id)}")


def kill_everywhere(
    database: str, prepare: Callable[[System, int], UUID], wanted: Callable[[System, int], bool]
) -> int:
    """In each round, kill a redrive at its next contact, then see it through; the rounds."""

    def lane(first: int) -> int:
        system = new_system(database)
        for rounds, round in enumerate(count(first, STEP), 1):
            id = prepare(system, round)
            died = work_and_die(system, round, redriven=id)
            redrive_until(system, id, partial(wanted, system, round))
            if not died:
                return rounds
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(LANES) as pool:
        return sum(pool.map(lane, STARTS))


def plays(system: System, round: int) -> list[tuple[int]]:
    return system.rows("select plays from plays where song = %s", f"round {round}")


def test_failed_batches_are_added_once_wherever_their_redrive_is_killed(database: str) -> None:
    def prepare(system: System, round: int) -> UUID:
        key = f"input/plays/{round}.csv"
        system.drop(key, (HEADER + f"round {round},2026-01-01,1\n" * 60).encode())
        while not system.deliver(system.settings.intake_queue):
            pass
        id = UUID(system.job(key)["id"])
        system.container.ledger.fail(id, 1, GAVE_UP)
        while system.job(key)["state"] != "FAILED":
            system.pump()
        return id

    def wanted(system: System, round: int) -> bool:
        job = system.job(f"input/plays/{round}.csv")
        return bool(job["state"] == "COMPLETED" and job["balanced"])

    rounds = kill_everywhere(database, prepare, wanted)
    assert rounds > 20 // STRIDE
    assert new_system(database).rows("select distinct plays from plays") == [(60,)]


def test_rejected_records_are_added_once_wherever_their_redrive_is_killed(database: str) -> None:
    def prepare(system: System, round: int) -> UUID:
        key = f"input/plays/{round}.csv"
        lines = [f"round {round},2026-01-01,{'x' if n % 2 else 1}\n" for n in range(10)]
        system.drop(key, (HEADER + "".join(lines)).encode())
        while not system.container.views.jobs(key=key) or not system.job(key)["finished_at"]:
            system.pump()
        job = system.job(key)
        assert job["counts"]["rejected"] == 5
        # As if the descriptor was mended, so that all is well now: the ledger's bytes are what is redriven.
        system.rows(
            "update dropload.rejection set raw = convert_to(%s, 'UTF8') where job = (select number from dropload.job"
            " where id = %s)",
            f"round {round},2026-01-01,10",
            job["id"],
        )
        return UUID(job["id"])

    def wanted(system: System, round: int) -> bool:
        return bool(system.job(f"input/plays/{round}.csv")["resolved"] == 5)

    rounds = kill_everywhere(database, prepare, wanted)
    assert rounds > 20 // STRIDE
    assert new_system(database).rows("select distinct plays from plays") == [(55,)]

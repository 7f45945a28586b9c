"""Killed between any two effects of an undo, and asked for again: what was added is taken away once."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from uuid import UUID

import pytest

from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import LANES, STARTS, STEP, STRIDE, VISIBILITY_SECONDS
from tests.integration.test_undo import keeping
from tests.policies import TALLIES, with_policies
from tests.system import System, forever

HEADER = "item,day,sold,paid\n"


def new_system(database_url: str) -> System:
    system = System.create(database_url, batch_bytes=400, visibility_seconds=VISIBILITY_SECONDS)
    return with_policies(system, [keeping(TALLIES)])


@pytest.fixture
def database(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the tables, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    new_system(database_url)
    return database_url


def undo(id: UUID, token: str, system: System) -> None:
    """Ask for an undo, and do it."""
    system.container.undo.ask(id, token)
    system.container.undo.run(id, forever)


def load(system: System, name: str, records: str) -> UUID:
    key = f"input/tallies/{name}.csv"
    system.drop(key, (HEADER + records).encode())
    while not (system.container.views.jobs(key=key) and system.job(key)["finished_at"]):
        system.pump()
    return UUID(system.job(key)["id"])


def test_wherever_it_is_killed_it_is_done_once(database: str) -> None:
    def lane(first: int) -> int:
        system = new_system(database)
        for rounds, round in enumerate(count(first, STEP), 1):
            load(system, f"{round}a", f"round {round},2026-01-01,5,1\n")
            id = load(system, f"{round}b", f"round {round},2026-01-01,1,1\nnew {round},2026-01-01,1,1\n" * 30)
            token = system.container.undo.plan(id)["token"]
            died = work_and_die(system, round, task=partial(undo, id, token))
            undo(id, token, system)
            system.pump()
            found = "select sold, paid::int from tallies where item in (%s, %s)"
            assert system.rows(found, f"round {round}", f"new {round}") == [(5, 1)]
            job = system.container.views.job(id)
            assert job is not None
            assert (job["undone"]["reason"], job["undone"]["counts"]["subtracted"]) == (None, 1)
            if not died:
                return rounds
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(LANES) as pool:
        assert sum(pool.map(lane, STARTS)) > 20 // STRIDE

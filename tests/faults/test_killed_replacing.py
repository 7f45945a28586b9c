"""Killed between any two effects and delivered again: the table is a whole file, the last one, whichever way it came.

And the file is archived, and nowhere else any more.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from uuid import UUID

import pytest

from chalicelib.core.dataset import parse_dataset
from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import new_system, settle
from tests.policies import ROSTER, lines
from tests.system import System

LANES = 3  # of each way: the table is exchanged, or (where a view knows it) its rows
STRIDE = 9  # every ninth three contacts: a round takes its time
SETTINGS = {"on_conflict": "replace", "after_load": "archive"}
NAMES = [f"{way}_{lane}" for way in "ab" for lane in range(LANES)]
DATASETS = {name: parse_dataset({**ROSTER, "name": name, "dropload": SETTINGS}) for name in NAMES}


def taught(system: System) -> System:
    """The system with a dataset for each lane."""
    system.container.datasets.update(DATASETS)
    return system


@pytest.fixture
def database(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the tables, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    system = taught(new_system(database_url))
    system.container.schema.apply()
    for name in DATASETS:
        if name.startswith("b"):
            system.rows(f"create view onlooker_{name} as select code from public.{name}")
    return database_url


def test_the_table_is_the_last_file_wherever_a_worker_is_killed(database: str) -> None:
    def lane(name: str) -> int:
        """Kill at contacts further and further on until the file is done before the kill; the kills."""
        system = taught(new_system(database))
        before = table_of(system, name)
        for kills in count():
            contacts = int(name[-1]) + 1 + kills * LANES * STRIDE
            key = f"input/{name}/round-{contacts}.csv"
            tags = [(n, f"{contacts}-{n}", n) for n in range(20)]
            system.drop(key, lines("code,tag,size", [*tags, (1, "twice", 1), (50, "bad", "x")]))
            while not system.deliver(system.settings.intake_queue):
                pass  # a busy emulator announces an object a moment after it was put
            died = work_and_die(system, contacts, taught)
            settle(system, key)
            [job] = system.container.views.jobs(key=key)
            assert (job["state"], job["reason"], job["balanced"]) == ("COMPLETED_WITH_FAILURES", None, True)
            assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (20, 2)
            assert system.rows(f"select code, tag, size from {name} order by 1") == tags
            system.container.tidy.run(UUID(job["id"]))  # as the sweep does, which would take other lanes' files as well
            assert system.objects("input/") == []
            assert f"archive/{name}/job={job['id']}/round-{contacts}.csv" in system.objects("archive/")
            if not died:
                assert (table_of(system, name) == before) is name.startswith("b")
                return kills
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(len(DATASETS)) as pool:
        kills = sum(pool.map(lane, DATASETS))
    assert kills > 100 / STRIDE
    assert new_system(database).rows("select relname from pg_class where relname like 'shadow%%'") == []


def table_of(system: System, name: str) -> int:
    [(oid,)] = system.rows("select %s::regclass::oid::bigint", f"public.{name}")
    return int(oid)

"""Killed between any two effects and delivered again: what is added is added once, what is updated is what is last."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import LANES, STARTS, STEP, STRIDE, new_system, settle


@pytest.fixture
def database(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the tables, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    new_system(database_url)
    return database_url


def kill_everywhere(database: str, dataset: str, file_for: Callable[[int], bytes]) -> Counter[str]:
    """Load one file a round, with a kill at contact 1, 2, 3 ... until files are done before; all counts together."""

    def lane(first: int) -> Counter[str]:
        system = new_system(database)
        counts: Counter[str] = Counter()
        for round in count(first, STEP):
            key = f"input/{dataset}/round-{round}.csv"
            system.drop(key, file_for(round))
            died = work_and_die(system, round)
            settle(system, key)
            [job] = system.container.views.jobs(key=key)
            assert job["balanced"] is True
            counts.update(job["counts"])
            counts["rounds"] += 1
            if not died:
                return counts
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(LANES) as pool:
        return sum(pool.map(lane, STARTS), Counter())


def plays_of(round: int) -> bytes:
    songs = "".join(f"song {n % 4},2026-01-01,{n}\n" for n in range(20))
    return f"song,date,plays\nround {round},2026-01-01,1\n{songs}nothing,2026-01-01,\n".encode()


def test_plays_are_added_once_wherever_a_worker_is_killed(database: str) -> None:
    counts = kill_everywhere(database, "plays", plays_of)
    rounds = counts["rounds"]
    assert rounds > 50 // STRIDE
    found = dict(new_system(database).rows("select song, plays from plays where song like 'song%%' order by 1"))
    assert found == {f"song {rest}": rounds * sum(range(rest, 20, 4)) for rest in range(4)}
    assert (counts["rejected"], counts["inserted"]) == (rounds, rounds + 4)
    assert counts["read"] == rounds * 22 == counts["inserted"] + counts["updated"] + counts["rejected"]


def test_plays_that_the_database_refuses_are_rejected_once_wherever_a_worker_is_killed(database: str) -> None:
    new_system(database).rows("alter table plays add constraint no_third check (song <> 'song 3')")

    counts = kill_everywhere(database, "plays", plays_of)
    rounds = counts["rounds"]
    assert rounds > 50 // STRIDE
    found = dict(new_system(database).rows("select song, plays from plays where song like 'song%%' order by 1"))
    assert found == {f"song {rest}": rounds * sum(range(rest, 20, 4)) for rest in range(3)}
    assert (counts["rejected"], counts["inserted"]) == (6 * rounds, rounds + 3)
    assert counts["read"] == rounds * 22 == counts["inserted"] + counts["updated"] + counts["rejected"]
    query = "select count(*) from pg_class where relname like 'partial%%'"
    assert new_system(database).rows(query) == [(0,)]


def test_products_are_what_came_last_wherever_a_worker_is_killed(database: str) -> None:
    def file_for(round: int) -> bytes:
        products = "".join(f"Lamp {n},{round}-{n % 10},no. {n},active\n" for n in range(20))
        return f"name,sku,description,status\n{products}Lamp,bad,,sold\n".encode()

    counts = kill_everywhere(database, "products", file_for)
    rounds = counts["rounds"]
    assert rounds > 50 // STRIDE
    query = "select count(*), count(*) filter (where name = 'Lamp ' || 10 + split_part(sku, '-', 2)::int) from products"
    assert new_system(database).rows(query) == [(10 * rounds, 10 * rounds)]
    assert (counts["rejected"], counts["inserted"]) == (rounds, 10 * rounds)
    assert new_system(database).rows("select count(*) from dropload.seen") == [(0,)]

"""Killed anywhere, a replay was never there: an atomic file is loaded whole, once; a validated one not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from chalicelib.core.metadata import VALIDATE_ONLY
from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import LANES, STARTS, STEP, STRIDE, new_system, settle
from tests.policies import TAGGED, lines, with_policies

HEADER = "code,tag,size"
DESCRIPTORS = [
    {**TAGGED, "name": "whole", "dropload": {"on_conflict": "reject", "atomic": True}},
    {**TAGGED, "name": "checked", "dropload": {"on_conflict": "reject"}},
]


@pytest.fixture
def database(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the tables, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    with_policies(new_system(database_url), DESCRIPTORS)
    return database_url


def kill_everywhere(
    database: str, dataset: str, file_for: Callable[[int], bytes], metadata: dict[str, str]
) -> list[int]:
    """One file a round, its finaliser killed at contact 1, 2, 3 ... until it is done before; the rounds."""

    def lane(first: int) -> list[int]:
        system = with_policies(new_system(database), DESCRIPTORS, batch_bytes=40)
        rounds = []
        for round in count(first, STEP):
            key = f"input/{dataset}/round-{round}.csv"
            for body in system.split(key, file_for(round), metadata):
                system.container.intake.load(body, lambda: 1.0)  # no time to finish: that is left to the one who dies
            died = work_and_die(system, round)
            settle(system, key)
            rounds.append(round)
            if not died:
                return rounds
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(LANES) as pool:
        return [round for rounds in pool.map(lane, STARTS) for round in rounds]


def records(round: int) -> list[tuple[object, ...]]:
    return [(round * 10 + n, f"{round}-{n}", n) for n in range(6)]


def test_file_is_loaded_whole_and_once_wherever_its_finaliser_is_killed(database: str) -> None:
    rounds = kill_everywhere(database, "whole", lambda round: lines(HEADER, records(round)), {})
    assert len(rounds) > 50 // STRIDE
    system = with_policies(new_system(database), DESCRIPTORS)
    jobs = system.container.views.jobs(dataset="whole", limit=1000)
    assert {(job["state"], job["balanced"], job["counts"]["inserted"]) for job in jobs} == {("COMPLETED", True, 6)}
    assert len(jobs) == len(rounds)
    wanted = sorted(record for round in rounds for record in records(round))
    assert system.rows("select code, tag, size from whole order by 1") == wanted


def test_file_is_validated_and_leaves_nothing_wherever_its_finaliser_is_killed(database: str) -> None:
    def file_for(round: int) -> bytes:
        return lines(HEADER, [*records(round), (records(round)[0][0], None, 7)])

    rounds = kill_everywhere(database, "checked", file_for, {VALIDATE_ONLY: "true"})
    assert len(rounds) > 50 // STRIDE
    system = with_policies(new_system(database), DESCRIPTORS)
    jobs = system.container.views.jobs(dataset="checked", limit=1000)
    outcomes = {(job["state"], job["balanced"], job["counts"]["inserted"], job["counts"]["rejected"]) for job in jobs}
    assert outcomes == {("COMPLETED_WITH_FAILURES", True, 6, 1)}
    assert len(jobs) == len(rounds)
    assert {tuple(rejection["line"] for rejection in system.rejections(job)) for job in jobs} == {(8,)}
    assert {sum(cause["count"] for cause in job["causes"]) for job in jobs} == {1}
    assert system.rows("select count(*) from checked") == [(0,)]

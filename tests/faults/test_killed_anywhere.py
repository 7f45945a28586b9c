"""Killed between any two effects, redelivered, and killed again: the table and the books come out the same."""

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import LANES, STARTS, STEP, STRIDE, VISIBILITY_SECONDS, new_system, settle
from tests.system import MEMBERS, System, member


@pytest.fixture
def database(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the tables and a rule that the descriptor does not know, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    new_system(database_url).rows("alter table members add constraint no_thirteen check (account_id <> 13)")
    return database_url


def file_for(round: int) -> bytes:
    """Good, bad, duplicate and table-refused records in three batches; every round with keys of its own."""
    first = round * 100
    lines = [member(first + n) for n in range(1, 30)]
    lines[3] = member(first + 4, account_id="x")
    lines[20] = member(first + 21, phone_number=f"{first + 1:010d}")
    lines[25] = member(first + 26, account_id="13")  # refused by a CHECK
    return (MEMBERS + "".join(lines)).encode()


def check(system: System, round: int, key: str) -> None:
    [job] = system.container.views.jobs(key=key)
    assert job["state"] == "COMPLETED_WITH_FAILURES"
    assert job["balanced"] is True
    assert job["counts"] == {"read": 29, "inserted": 26, "updated": 0, "unchanged": 0, "ignored": 0, "rejected": 3}
    wanted = {round * 100 + n for n in range(1, 30)} - {round * 100 + n for n in (4, 21, 26)}
    found = system.rows(
        "select client_member_id from members where client_member_id between %s and %s", round * 100, round * 100 + 99
    )
    assert sorted(n for (n,) in found) == sorted(wanted)
    rejected = list(csv.DictReader(io.StringIO(system.rejected_csv(job).decode(), newline="")))
    assert [row["_error_line"] for row in rejected] == ["5", "22", "27"]


def test_killed_between_any_two_effects_the_books_still_balance(database: str) -> None:
    def lane(number: int) -> int:
        """Kill at contacts number, number + STEP ... until the file is done before the kill; the kills."""
        system = new_system(database)
        for kills in count():
            contacts = number + kills * STEP
            key = f"input/members/round-{contacts}.csv"
            system.drop(key, file_for(contacts))
            died = work_and_die(system, contacts)
            settle(system, key)
            check(system, contacts, key)
            if not died:
                return kills
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(LANES) as pool:
        kills = sum(pool.map(lane, STARTS))
    assert kills > 100 // STRIDE


def test_killed_again_and_again_it_still_ends(database: str) -> None:
    system = new_system(database)
    key = "input/members/round-1.csv"
    system.drop(key, file_for(1))
    for contacts in range(5, 60, 5):
        work_and_die(system, contacts)
        time.sleep(VISIBILITY_SECONDS / 4)
    settle(system, key)
    check(system, 1, key)

"""Batches with keys in common load side by side."""

import random
import threading
from dataclasses import replace
from uuid import UUID

import pytest

from chalicelib.bootstrap import Container
from chalicelib.core.schema import OnConflict
from tests.system import MEMBERS, System, forever, member

KEY = "input/members/file.csv"
BATCHES = 2
SHARED = 400  # phones, and as many member numbers, that records of all batches have
OWN = 1_500  # records of a batch that share nothing


def crossing() -> bytes:
    """Batches in which phones and member numbers are shared, never both by the same two records."""
    draw = random.Random(7)
    lines = []
    for batch in range(BATCHES):
        first = 100_000 * (batch + 1)
        numbers = draw.sample(range(SHARED), SHARED)
        part = [member(first + n) for n in range(OWN)]
        part += [member(first + OWN + n, phone_number=f"{9_000_000_000 + number}") for n, number in enumerate(numbers)]
        part += [member(first + 2 * OWN + n, client_member_id=str(number)) for n, number in enumerate(numbers)]
        draw.shuffle(part)
        lines += part
    return (MEMBERS + "".join(lines)).encode()


def test_batches_that_share_keys_wait_for_each_other_without_a_deadlock(system: System) -> None:
    data = crossing()
    settings = replace(system.settings, workers=BATCHES, batch_bytes=len(data) // BATCHES)
    small = System(settings, Container(settings))
    system.drop(KEY, data)
    small.deliver(settings.intake_queue)
    job = UUID(system.job(KEY)["id"])
    numbers = [number for (number,) in system.rows("select number from dropload.batch order by number")]
    assert len(numbers) >= BATCHES - 1
    together = threading.Barrier(len(numbers))

    def load(number: int) -> None:
        worker = Container(settings)
        together.wait()
        worker.load.run(job, number, forever)
        worker.database.close()

    threads = [threading.Thread(target=load, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [(deadlocks,)] = system.rows("select deadlocks from pg_stat_database where datname = current_database()")
    assert deadlocks == 0
    ended = system.job(KEY)
    assert (ended["state"], ended["balanced"]) == ("COMPLETED_WITH_FAILURES", True)
    assert ended["counts"]["inserted"] == BATCHES * OWN + 2 * SHARED
    assert ended["counts"]["rejected"] == 2 * SHARED * (BATCHES - 1)
    assert system.rows("select count(*) from dropload.claim") == [(0,)]


@pytest.mark.parametrize("policy", [OnConflict.REJECT, OnConflict.IGNORE])
def test_batches_that_go_row_by_row_wait_for_each_other_too(system: System, policy: OnConflict) -> None:
    data = crossing() + member(999, first_name="Refused").encode()
    data = data.replace(member(100_001).encode(), member(100_001, first_name="Refused").encode())
    changed = replace(system.container.datasets["members"], on_conflict=policy)
    settings = replace(system.settings, workers=BATCHES, batch_bytes=len(data) // BATCHES)
    small = System(settings, Container(settings))
    system.rows("alter table members add constraint no_such_name check (first_name <> 'Refused')")
    system.drop(KEY, data)
    small.deliver(settings.intake_queue)
    job = UUID(system.job(KEY)["id"])
    numbers = [number for (number,) in system.rows("select number from dropload.batch order by number")]
    together = threading.Barrier(len(numbers))

    def load(number: int) -> None:
        worker = Container(settings)
        worker.datasets["members"] = changed
        together.wait()
        worker.load.run(job, number, forever)
        worker.database.close()

    threads = [threading.Thread(target=load, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [(deadlocks,)] = system.rows("select deadlocks from pg_stat_database where datname = current_database()")
    assert deadlocks == 0
    ended = system.job(KEY)
    assert (ended["state"], ended["balanced"]) == ("COMPLETED_WITH_FAILURES", True)
    left_out = 2 * SHARED * (BATCHES - 1)
    assert ended["counts"]["inserted"] == BATCHES * OWN + 2 * SHARED - 1
    assert ended["counts"]["ignored"] == (left_out if policy is OnConflict.IGNORE else 0)
    assert ended["counts"]["rejected"] == (2 if policy is OnConflict.IGNORE else left_out + 2)
    assert system.rows("select count(*) from members") == [(ended["counts"]["inserted"],)]

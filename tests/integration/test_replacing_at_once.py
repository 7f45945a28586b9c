"""Policy replace while others are at it: workers, other files' jobs, and readers of the table."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.policies import lines, with_policies
from tests.replacing import DEPENDENTS, HEADER, KEY, begun, load, oid, shadows, table
from tests.system import System, load_at_once


@pytest.fixture
def system(system: System) -> System:
    """A worker with small batches that knows datasets of every policy."""
    return with_policies(system, batch_bytes=30)


def test_concurrent_batches_make_one_whole(system: System) -> None:
    load(system, [(1, "old", 1)])
    key = KEY.format("concurrent")
    file = [(n % 60, f"t{n}", n) for n in range(90)]
    system.drop(key, lines(HEADER, file))
    system.deliver(system.settings.intake_queue)
    bodies = [body for body, _ in system.receive(system.settings.batch_queue)]
    assert len(bodies) > 10
    errors = load_at_once(lambda: with_policies(system), (bodies, bodies[::-1], bodies[5:]))
    job = system.job(key)
    assert errors == []
    assert (job["balanced"], job["counts"]["inserted"], job["counts"]["rejected"]) == (True, 60, 30)
    assert system.rows("select count(*), count(distinct code), min(code) from roster") == [(60, 60, 0)]


@pytest.mark.parametrize("who", ["nobody", "a view"])
def test_the_later_job_wins_in_whatever_order_they_end(system: System, who: str) -> None:
    system.rows(DEPENDENTS[who])
    older = begun(system, KEY.format("older"), [(n, f"old{n}", 1) for n in range(9)] + [(None, "bad", "x")])
    newer = begun(system, KEY.format("newer"), [(n, f"new{n}", 2) for n in range(5)])
    system.container.intake.load(older[0])
    for body in [*newer, *older[1:]]:  # the older one draws ids before and after the newer one takes the table's place
        system.container.intake.load(body)
    first, second = (system.job(KEY.format(name)) for name in ("older", "newer"))
    assert (second["state"], second["counts"]["inserted"]) == ("COMPLETED", 5)
    assert first["state"] == "COMPLETED_WITH_FAILURES"
    assert first["counts"] == {"read": 10, "inserted": 0, "updated": 0, "unchanged": 0, "ignored": 9, "rejected": 1}
    assert first["balanced"] is second["balanced"] is True
    assert [tag for _, tag, _ in table(system)] == [f"new{n}" for n in range(5)]
    assert shadows(system) == []


def test_two_jobs_in_their_order_leave_the_second(system: System) -> None:
    first = begun(system, KEY.format("first"), [(n, f"a{n}", 1) for n in range(5)])
    second = begun(system, KEY.format("second"), [(n, f"b{n}", 2) for n in range(9)])
    for body in [*second[:2], *first, *second[2:]]:
        system.container.intake.load(body)
    assert [tag for _, tag, _ in table(system)] == [f"b{n}" for n in range(9)]
    assert [system.job(KEY.format(name))["counts"]["inserted"] for name in ("first", "second")] == [5, 9]
    [(ids, newest, last)] = system.rows(
        "select count(distinct id), max(id), (select last_value from roster_id_seq) from roster"
    )
    assert (ids, newest <= last) == (9, True)


def test_an_older_file_that_comes_again_replaces_again(system: System) -> None:
    key = KEY.format("daily")
    old, new = lines(HEADER, [(1, "old", 1)]), lines(HEADER, [(1, "new", 1)])
    states = [system.load(data, key=key)["state"] for data in (old, new, new, old, old)]
    assert states == ["COMPLETED", "COMPLETED", "DUPLICATE", "COMPLETED", "DUPLICATE"]
    assert table(system) == [(1, "old", 1)]


def reading(system: System, read: Callable[[Any], None]) -> tuple[threading.Thread, threading.Event]:
    """A thread that reads with a cursor of its own, again and again until the event is set."""
    done = threading.Event()

    def work() -> None:
        with closing(psycopg2.connect(system.database_url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                while not done.is_set():
                    read(cursor)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, done


@pytest.mark.parametrize("who", ["nobody", "a view"])
def test_readers_see_the_old_whole_or_the_new_one(system: System, who: str) -> None:
    system = with_policies(system, batch_bytes=1_000)
    system.rows(DEPENDENTS[who])
    load(system, [(n, f"0-{n}", 0) for n in range(300)])
    seen: set[tuple[int, int, int]] = set()

    def read(cursor: Any) -> None:
        cursor.execute("select count(*), min(size), max(size) from roster")
        seen.add(cursor.fetchone())

    thread, done = reading(system, read)
    try:
        for generation in range(1, 5):
            load(system, [(n, f"{generation}-{n}", generation) for n in range(300 + generation)])
    finally:
        done.set()
        thread.join()
    assert seen <= {(300 + generation, generation, generation) for generation in range(5)}
    assert len(seen) > 2


@pytest.fixture
def other(system: System) -> Iterator[Any]:
    """Another session, in a transaction of its own."""
    with closing(psycopg2.connect(system.database_url)) as connection, connection.cursor() as cursor:
        yield cursor


def test_a_reader_that_does_not_end_holds_up_nothing(system: System, other: Any) -> None:
    load(system, [(1, "a", 1)])
    before = oid(system)
    other.execute("select count(*) from roster")
    assert load(system, [(2, "b", 1)])["state"] == "COMPLETED"
    assert table(system) == [(2, "b", 1)]
    assert oid(system) == before


def test_an_older_snapshot_never_sees_half_of_the_new_rows(system: System, other: Any) -> None:
    load(system, [(1, "a", 1)])
    bodies = begun(system, KEY.format("halfway"), [(n, f"b{n}", 1) for n in range(9)])
    system.container.intake.load(bodies[0])
    other.execute("set transaction isolation level repeatable read; select 1")  # a snapshot, and no lock of the table
    for body in bodies[1:]:
        system.container.intake.load(body)
    assert len(table(system)) == 9
    other.execute("select code, tag, size from roster")
    assert other.fetchall() == [(1, "a", 1)]

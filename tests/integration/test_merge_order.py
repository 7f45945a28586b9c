"""Updates and sums come out the same in whatever order, how often and by how many workers batches are delivered."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.claims import KeyFacts
from chalicelib.services.ports import Batch
from tests.policies import lines, with_policies
from tests.system import System

ITEM = "input/items/{}.csv"
Item = tuple[int, str, int]
items = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["a", "b"]), st.just(1)), min_size=1, max_size=4)


def dropped(system: System, *files: tuple[str, bytes]) -> list[str]:
    """Drop and split files one after the other; all their batches' messages, in order."""
    bodies = []
    for key, data in files:
        system.drop(key, data)
        while not system.deliver(system.settings.intake_queue):
            pass
        found = []
        for body, delete in system.receive(system.settings.batch_queue):
            found.append(body)
            delete()
        bodies += sorted(found, key=lambda body: int(json.loads(body)["batch"]))
    return bodies


def in_turns(system: System, bodies: Sequence[str], workers: int = 2) -> list[Exception]:
    """Every worker loads all batches, each in an order of its own, all at the same time; what went wrong."""
    errors: list[Exception] = []

    def work(seed: int) -> None:
        worker = with_policies(system)
        try:
            for body in random.Random(seed).sample(bodies, len(bodies)):
                worker.container.intake.load(body)
        except Exception as error:
            errors.append(error)
        worker.container.database.close()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def totals(system: System, dataset: str) -> Counter[str]:
    """The counts of all jobs of a dataset together; every one of them is balanced."""
    jobs = system.container.views.jobs(dataset=dataset, limit=100)
    assert {job["state"] for job in jobs} == {"COMPLETED"}
    assert all(job["balanced"] is True for job in jobs)
    return sum((Counter(job["counts"]) for job in jobs), Counter())


@pytest.fixture
def small(system: System) -> System:
    """Batches of one or two records."""
    return with_policies(system, batch_bytes=10)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(items, min_size=1, max_size=3), data=st.data())
def test_later_record_wins_in_whatever_order_batches_commit(
    small: System, files: list[list[Item]], data: st.DataObject
) -> None:
    small.rows("truncate items; truncate dropload.job cascade")
    rows = [row for file in files for row in file]
    bodies = dropped(small, *((ITEM.format(n), lines("code,label,size", file)) for n, file in enumerate(files)))
    for body in data.draw(st.permutations(bodies)):
        small.container.intake.load(body)
    last = {row[0]: row for row in rows}
    assert small.rows("select code, label, size from items order by 1") == sorted(last.values())
    assert totals(small, "items")["inserted"] == len(last)
    assert small.rows("select count(*) from dropload.seen") == [(0,)]


def test_row_that_a_later_batch_found_right_is_not_overwritten_by_an_earlier_one(small: System) -> None:
    small.load(lines("code,label,size", [(1, "old", 1)]), key=ITEM.format(0))
    earlier, later = dropped(
        small,
        (ITEM.format(1), lines("code,label,size", [(1, "new", 1)])),
        (ITEM.format(2), lines("code,label,size", [(1, "old", 1)])),
    )
    small.container.intake.load(later)
    small.container.intake.load(earlier)
    assert small.rows("select label from items") == [("old",)]
    assert small.job(ITEM.format(2))["counts"]["unchanged"] == 1
    assert small.job(ITEM.format(1))["counts"]["ignored"] == 1


def test_row_that_a_later_batch_is_about_to_find_right_is_waited_for(
    small: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.load(lines("code,label,size", [(1, "old", 1)]), key=ITEM.format(0))
    earlier, later = dropped(
        small,
        (ITEM.format(1), lines("code,label,size", [(1, "new", 1)])),
        (ITEM.format(2), lines("code,label,size", [(1, "old", 1)])),
    )
    slow, quick = with_policies(small), with_policies(small)
    loading, placed, go_on = slow.container.ledger.loading, threading.Event(), threading.Event()

    @contextmanager
    def loading_slowly(batch: Batch, facts: KeyFacts) -> Iterator[object]:
        with loading(batch, facts) as transaction:
            yield transaction
            placed.set()
            go_on.wait(20)

    monkeypatch.setattr(slow.container.ledger, "loading", loading_slowly)
    threads = [
        threading.Thread(target=system.container.intake.load, args=(body,))
        for system, body in ((slow, later), (quick, earlier))
    ]
    threads[0].start()
    assert placed.wait(20)
    threads[1].start()
    threads[1].join(0.5)
    waits = threads[1].is_alive()
    go_on.set()
    for thread in threads:
        thread.join()
    assert waits
    assert small.rows("select label from items") == [("old",)]
    assert (small.job(ITEM.format(1))["counts"]["ignored"], totals(small, "items")["read"]) == (1, 3)


def test_rows_that_are_right_already_are_not_rewritten(small: System) -> None:
    file = lines("code,label,size", [(n, "a", n) for n in range(50)])
    small.load(file, key=ITEM.format(0))
    before = small.rows("select code, ctid::text, _origin from items order by 1")
    job = small.load(file, key=ITEM.format(1))
    assert job["counts"]["unchanged"] == 50
    assert small.rows("select code, ctid::text, _origin from items order by 1") == before


def test_columns_that_the_file_does_not_have_stay_as_they_are(small: System) -> None:
    small.load(lines("code,label,size", [(1, "a", 5)]), key=ITEM.format(0))
    small.load(lines("code,label", [(1, "b"), (2, "c")]), key=ITEM.format(1))
    assert small.rows("select code, label, size from items order by 1") == [(1, "b", 5), (2, "c", None)]


def test_every_message_delivered_three_times_adds_once(small: System) -> None:
    small.drop("input/tallies/a.csv", lines("item,day,sold,paid", [("x", "2026-01-01", n, "0.1") for n in range(30)]))
    small.pump(times=3)
    assert small.rows("select sold, paid::text from tallies") == [(435, "3.0")]
    assert totals(small, "tallies") == Counter(read=30, inserted=1, updated=29)


@pytest.mark.parametrize("round", range(3))
def test_concurrent_workers_add_every_record_once(system: System, round: int) -> None:
    system = with_policies(system, batch_bytes=400)
    rng = random.Random(round)
    rows = [(f"song {rng.randrange(9)}", f"2026-01-{rng.randrange(10, 20)}", 1, rng.randrange(9)) for _ in range(600)]
    files = [(f"input/tallies/{n}.csv", lines("item,day,sold,paid", rows[n::3])) for n in range(3)]
    assert in_turns(system, dropped(system, *files), workers=3) == []
    wanted: Counter[tuple[str, str]] = Counter()
    for item, day, _, paid in rows:
        wanted[item, day] += paid
    found = system.rows("select item, day::text, paid, sold from tallies")
    assert {(item, day): paid for item, day, paid, _ in found} == wanted
    assert sum(sold for *_, sold in found) == 600
    assert totals(system, "tallies") == Counter(read=600, inserted=len(found), updated=600 - len(found))


@pytest.mark.parametrize("round", range(3))
def test_concurrent_workers_leave_the_last_record_of_each_key(system: System, round: int) -> None:
    system = with_policies(system, batch_bytes=200)
    rng = random.Random(round)
    rows = [(rng.randrange(40), rng.choice("abc"), rng.randrange(3)) for _ in range(600)]
    files = [(ITEM.format(n), lines("code,label,size", rows[n * 200 : n * 200 + 200])) for n in range(3)]
    assert in_turns(system, dropped(system, *files), workers=3) == []
    assert system.rows("select code, label, size from items order by 1") == sorted(
        {row[0]: row for row in rows}.values()
    )
    counts = totals(system, "items")
    assert (counts["read"], counts["inserted"]) == (600, len({row[0] for row in rows}))


@pytest.mark.parametrize("dataset", ["items", "tallies"])
def test_concurrent_workers_on_the_same_keys_in_opposite_orders_never_deadlock(system: System, dataset: str) -> None:
    system = with_policies(system)
    header = {"items": "code,label,size", "tallies": "item,day,sold,paid"}[dataset]
    rest = {"items": ("a", 1), "tallies": ("2026-01-01", 1, 1)}[dataset]
    for round in range(3):
        up = [(n, *rest[:-1], round) for n in range(round, 4000)]
        files = [(f"input/{dataset}/{round}-{len(way)}.csv", lines(header, way)) for way in (up, up[:0:-1])]
        bodies = dropped(system, *files)
        threads = [threading.Thread(target=in_turns, args=(system, [body], 1)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert totals(system, dataset)["inserted"] == 4000
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    system.container.database.close()
    assert system.rows(query) == [(0,)]


def test_concurrent_workers_agree_on_rows_that_only_the_database_refuses(system: System) -> None:
    system = with_policies(system, batch_bytes=200)
    system.rows("alter table tallies add constraint no_odd_item check (item <> 'odd')")
    rows = [("odd" if n % 50 == 0 else f"i{n % 7}", "2026-01-01", 1, 1) for n in range(300)]
    assert in_turns(system, dropped(system, ("input/tallies/a.csv", lines("item,day,sold,paid", rows)))) == []
    job = system.job("input/tallies/a.csv")
    assert (job["balanced"], job["counts"]["rejected"]) == (True, 6)
    assert system.rows("select sum(sold) from tallies") == [(294,)]


def test_sum_beyond_its_column_is_rejected_alone(system: System) -> None:
    system = with_policies(system)
    rows = [
        ("x", "2026-01-01", 2**63 - 2, 1),
        ("x", "2026-01-01", 1, 1),
        ("x", "2026-01-01", 1, 1),
        ("y", "2026-01-01", 1, 1),
    ]
    job = system.load(lines("item,day,sold,paid", rows), key="input/tallies/a.csv")
    assert (job["counts"]["inserted"], job["counts"]["updated"], job["counts"]["rejected"]) == (2, 1, 1)
    assert [rejection["line"] for rejection in system.rejections(job)] == [4]
    assert system.rows("select sold from tallies order by item") == [(2**63 - 1,), (1,)]


def test_measure_that_cannot_be_added_is_rejected(system: System) -> None:
    system = with_policies(system)
    rows = [("x", "2026-01-01", 1, "NaN"), ("x", "2026-01-01", 1, "INF"), ("x", "2026-01-01", 1, "1.5")]
    job = system.load(lines("item,day,sold,paid", rows), key="input/tallies/a.csv")
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (1, 2)

"""An atomic dataset takes a whole file or nothing of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from chalicelib.services.ledger_ports import FinalTransaction
from tests.policies import ITEMS, TAGGED, TALLIES, lines, with_policies
from tests.system import System, forever, load_at_once

HEADER = "code,tag,size"
KEY = "input/{}/file.csv"


def atomic(descriptor: dict[str, Any], name: str | None = None, **settings: Any) -> dict[str, Any]:
    block = {**descriptor["dropload"], "atomic": True, "owners": ["owner@example.com"], **settings}
    return {**descriptor, "name": name or descriptor["name"], "dropload": block}


REJECTED = atomic(TAGGED, "rejected", on_conflict="reject")
IGNORED = atomic(TAGGED, "ignored", on_conflict="ignore")
DESCRIPTORS = (REJECTED, IGNORED, atomic(ITEMS), atomic(TAGGED), atomic(TALLIES))


@pytest.fixture
def small(system: System) -> System:
    """Batches of a few records."""
    return with_policies(system, DESCRIPTORS, batch_bytes=30)


def rows(*numbers: int) -> list[tuple[object, ...]]:
    return [(n, f"t{n}", n) for n in numbers]


def nothing_loaded(system: System, job: dict[str, Any], *, rejected: int) -> None:
    counts = job["counts"]
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "atomic", "file")
    assert f"{rejected} of {counts['read']} records were rejected, so nothing" in job["reason"]["message"]
    assert (counts["rejected"], counts["ignored"]) == (rejected, counts["read"] - rejected)
    assert counts["inserted"] == counts["updated"] == counts["unchanged"] == 0
    assert job["balanced"] is True
    assert sum(cause["count"] for cause in job["causes"]) >= rejected
    assert system.rejected_csv(job).count(b"\n") == 1 + rejected
    assert system.rows("select audience, sent_at is not null from dropload.outbox") == [("owners", True)]


@pytest.mark.parametrize("times", [1, 3])
def test_good_file_is_loaded_whole_and_at_once(small: System, times: int) -> None:
    bodies = small.split(KEY.format("rejected"), lines(HEADER, rows(*range(40))))
    assert len(bodies) > 5
    for body in bodies[:0:-1]:
        small.container.intake.load(body)
    assert small.rows("select count(*) from rejected") == [(0,)]
    assert small.job(KEY.format("rejected"))["state"] == "RUNNING"
    for body in bodies * times:
        small.container.intake.load(body)
    small.pump()
    job = small.job(KEY.format("rejected"))
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 40, True)
    [(number,)] = small.rows("select number from dropload.job")
    found = small.rows("select distinct _origin >> 23, _origin & 8388607 from rejected order by 2")
    assert found == [(number, batch) for batch in range(len(bodies))]
    assert small.rows("select count(*) from dropload.rejection") == [(0,)]


@pytest.mark.parametrize("times", [1, 3])
def test_one_bad_value_keeps_the_whole_file_out(small: System, times: int) -> None:
    small.drop(KEY.format("rejected"), lines(HEADER, [*rows(*range(30)), (30, "t", "x"), *rows(31, 32)]))
    small.pump(times)
    job = small.job(KEY.format("rejected"))
    nothing_loaded(small, job, rejected=1)
    assert small.rows("select count(*) from rejected") == [(0,)]


@pytest.mark.parametrize("times", [1, 3])
def test_one_key_that_two_batches_have_keeps_the_whole_file_out(small: System, times: int) -> None:
    small.drop(KEY.format("rejected"), lines(HEADER, [*rows(*range(30)), (3, "t", 3), *rows(31, 32)]))
    small.pump(times)
    job = small.job(KEY.format("rejected"))
    nothing_loaded(small, job, rejected=1)
    [rejection] = small.rejections(job)
    assert (rejection["line"], rejection["record"]) == (32, 31)
    [error] = rejection["errors"]
    assert (error["column"], error["code"]) == ("code", "unique-error")
    assert error["message"] == "the same code as an earlier record of this file"
    assert small.rows("select count(*) from rejected") == [(0,)]


def test_one_key_of_the_table_keeps_the_whole_file_out(small: System) -> None:
    small.load(lines(HEADER, rows(7)), key=KEY.format("rejected"))
    before = small.rows("select * from rejected")
    job = small.load(lines(HEADER, rows(*range(30))), key="input/rejected/other.csv")
    nothing_loaded(small, job, rejected=1)
    [rejection] = small.rejections(job)
    assert {e["message"].partition(" as ")[2] for e in rejection["errors"]} == {
        f"a row that is in the table already, with id {before[0][0]}"
    }
    assert small.rows("select * from rejected") == before


def test_record_that_only_the_database_refuses_keeps_the_whole_file_out(small: System) -> None:
    small.rows("alter table rejected add constraint no_thirteen check (size <> 13)")
    job = small.load(lines(HEADER, rows(*range(30))), key=KEY.format("rejected"))
    nothing_loaded(small, job, rejected=1)
    assert small.rows("select count(*) from rejected") == [(0,)]


def test_duplicates_that_a_policy_ignores_keep_nothing_out(small: System) -> None:
    job = small.load(lines(HEADER, [*rows(*range(30)), (3, "t", 3)]), key=KEY.format("ignored"))
    assert (job["state"], job["counts"]["inserted"], job["counts"]["ignored"]) == ("COMPLETED", 30, 1)
    assert small.rows("select count(*) from ignored") == [(30,)]


def test_update_is_all_or_nothing(small: System) -> None:
    small.load(lines(HEADER, [(1, "a", 1), (2, "b", 2), (3, "c", 3)]), key=KEY.format("tagged"))
    before = small.rows("select * from tagged order by id")
    bad = [(1, "a", 9), (4, "d", 4), (2, "b", 8), (2, "b", 7), (3, "a", 3), (5, "e", 5)]
    job = small.load(lines(HEADER, bad), key="input/tagged/bad.csv")
    nothing_loaded(small, job, rejected=1)
    assert small.rows("select * from tagged order by id") == before
    good = lines(HEADER, [row for row in bad if row != (3, "a", 3)] + [(3, "c", 3)])
    job = small.load(good, key="input/tagged/good.csv")
    counts = job["counts"]
    assert (job["state"], counts["inserted"], counts["updated"], counts["unchanged"]) == ("COMPLETED", 2, 3, 1)
    assert small.rows("select code, tag, size from tagged order by 1") == [
        (1, "a", 9), (2, "b", 7), (3, "c", 3), (4, "d", 4), (5, "e", 5)
    ]  # fmt: skip
    assert small.rows("select count(*) from dropload.seen") == [(0,)]


def test_sum_is_all_or_nothing(small: System) -> None:
    header = "item,day,sold,paid"
    good = [(f"i{n % 3}", "2026-01-01", n, "0.5") for n in range(20)]
    job = small.load(lines(header, [*good, ("i1", "2026-01-01", "x", "1")]), key=KEY.format("tallies"))
    nothing_loaded(small, job, rejected=1)
    for name in ("one", "two"):
        job = small.load(lines(header, good), key=f"input/tallies/{name}.csv")
        assert job["state"] == "COMPLETED"
    found = small.rows("select item, sold, paid::float from tallies order by 1")
    assert found == [(f"i{rest}", 2 * sum(range(rest, 20, 3)), float(len(range(rest, 20, 3)))) for rest in range(3)]


def test_later_job_that_was_quicker_has_the_last_word(small: System) -> None:
    key = "input/items/{}.csv"
    small.load(lines("code,label,size", [(1, "old", 1), (2, "old", 1)]), key=key.format(0))
    earlier = small.split(key.format(1), lines("code,label,size", [(n, "new", 1) for n in range(1, 6)]))
    later = small.split(key.format(2), lines("code,label,size", [(1, "old", 1), (3, "late", 1)]))
    for body in (*later, *earlier):
        small.container.intake.load(body)
    counts = small.job(key.format(1))["counts"]
    assert (counts["inserted"], counts["updated"], counts["ignored"]) == (2, 1, 2)
    found = small.rows("select code, label from items order by 1")
    assert found == [(1, "old"), (2, "new"), (3, "late"), (4, "new"), (5, "new")]
    assert small.rows("select count(*) from dropload.seen") == [(0,)]


def test_files_with_the_same_keys_side_by_side_are_each_loaded_whole_or_not_at_all(small: System) -> None:
    files = {"up": rows(*range(60)), "down": rows(*range(59, -1, -1)), "odd": rows(*range(1, 60, 2))}
    bodies = [small.split(f"input/tagged/{name}.csv", lines(HEADER, file)) for name, file in files.items()]
    errors = load_at_once(lambda: with_policies(small, DESCRIPTORS), bodies)
    assert errors == []
    jobs = small.container.views.jobs(dataset="tagged", limit=10)
    assert [(job["state"], job["balanced"]) for job in jobs] == [("COMPLETED", True)] * 3
    assert sum(job["counts"]["inserted"] for job in jobs) == 60
    assert small.rows("select code, tag, size from tagged order by 1") == rows(*range(60))


def test_replay_that_another_writer_deadlocks_with_comes_again_with_the_table_to_itself(
    small: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = small.split(KEY.format("rejected"), lines(HEADER, rows(*range(10))))
    other = with_policies(small, DESCRIPTORS, batch_bytes=10_000)
    finalising = small.container.ledger.finalising
    begun, waited = threading.Event(), threading.Event()
    tries = []

    @contextmanager
    def watched(id: UUID) -> Iterator[FinalTransaction | None]:
        with finalising(id) as final:
            tries.append(final)
            yield final

    def in_the_way() -> None:
        """Have a key of the last batch, and wait for one of the first."""
        with other.container.database.transaction() as cursor:
            cursor.execute("insert into rejected (code, tag) values (9, 'x')")
            begun.set()
            waited.wait(20)
            cursor.execute("savepoint s; set local lock_timeout = '20s'; set local deadlock_timeout = '15s'")
            cursor.execute("insert into rejected (code, tag) values (0, 'y') on conflict do nothing")

    def go_on(event: threading.Event) -> None:
        """See to it that the replay has its first rows before the other asks for them."""
        while not small.rows("select 1 from pg_locks where not granted and locktype = 'transactionid'"):
            pass
        event.set()

    monkeypatch.setattr(small.container.ledger, "finalising", watched)
    threads = [threading.Thread(target=in_the_way), threading.Thread(target=go_on, args=(waited,))]
    threads[0].start()
    begun.wait(20)
    threads[1].start()
    for body in bodies:
        small.container.intake.load(body)
    for thread in threads:
        thread.join()
    job = small.job(KEY.format("rejected"))
    assert len([final for final in tries if final is not None]) == 2
    assert (job["state"], job["counts"]["rejected"]) == ("FAILED", 2)
    assert small.rows("select code from rejected order by 1") == [(0,), (9,)]


def test_invocation_without_time_for_a_replay_hands_it_on(small: System) -> None:
    bodies = small.split(KEY.format("rejected"), lines(HEADER, rows(*range(20))))
    for body in bodies:
        small.container.intake.load(body, lambda: 599.0)
    job = small.job(KEY.format("rejected"))
    assert (job["state"], job["counts"]["ignored"]) == ("RUNNING", 20)
    small.container.sweep.run()
    small.pump()
    assert small.job(KEY.format("rejected"))["counts"]["inserted"] == 20


def test_file_that_one_invocation_cannot_replay_fails_and_says_what_to_do(small: System) -> None:
    bodies = small.split(KEY.format("rejected"), lines(HEADER, rows(*range(40))))
    for body in bodies[1:]:
        small.container.intake.load(body)
    seconds = iter([900.0] * 5 + [59.0])  # asked for once before the replay, and then before each batch of it
    small.container.intake.load(bodies[0], lambda: next(seconds))
    job = small.job(KEY.format("rejected"))
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "too-large", "file")
    assert f"for 4 of {len(bodies)} batches" in job["reason"]["message"]
    assert (job["counts"]["ignored"], job["counts"]["inserted"], job["balanced"]) == (40, 0, True)
    assert small.rows("select count(*) from rejected") == [(0,)]


def test_job_whose_replay_fails_again_and_again_is_buried(small: System) -> None:
    bodies = small.split(KEY.format("rejected"), lines(HEADER, rows(*range(20))))
    for body in bodies:
        small.container.intake.load(body, lambda: 599.0)
    small.container.intake.bury_batch(bodies[0])
    job = small.job(KEY.format("rejected"))
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "exhausted", "transient")
    assert (job["counts"]["ignored"], job["balanced"]) == (20, True)


def test_object_that_is_gone_when_it_is_replayed_fails_its_job(system: System) -> None:
    unversioned = System.create(system.database_url, versioned=False)
    small = with_policies(unversioned, DESCRIPTORS, batch_bytes=30)
    bodies = small.split(KEY.format("rejected"), lines(HEADER, rows(*range(20))))
    for body in bodies:
        small.container.intake.load(body, lambda: 599.0)
    small.drop(KEY.format("rejected"), lines(HEADER, rows(99)))
    small.container.intake.load(bodies[0], forever)
    [job] = small.container.views.jobs(key=KEY.format("rejected"), limit=10)
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "source-changed")
    assert small.rows("select count(*) from rejected") == [(0,)]


def test_too_many_errors_stop_an_atomic_job_with_nothing_loaded(system: System) -> None:
    small = with_policies(system, [atomic(TAGGED, "rejected", on_conflict="reject", max_errors=3)], batch_bytes=30)
    job = small.load(lines(HEADER, [*rows(*range(20)), *rows(*range(20))]), key=KEY.format("rejected"))
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "too-many-errors")
    assert job["counts"]["inserted"] == 0
    assert 3 < job["counts"]["rejected"] < 10
    assert job["balanced"] is True
    assert small.rows("select count(*) from rejected") == [(0,)]


def test_job_stays_atomic_when_its_dataset_is_so_no_more(small: System) -> None:
    bodies = small.split(KEY.format("rejected"), lines(HEADER, [*rows(*range(20)), (1, "t", "x")]))
    later = with_policies(small, [{**REJECTED, "dropload": {"on_conflict": "reject"}}])
    for body in bodies:
        later.container.intake.load(body)
    assert later.job(KEY.format("rejected"))["reason"]["code"] == "atomic"
    assert small.rows("select count(*) from rejected") == [(0,)]

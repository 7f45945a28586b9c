"""A large file that is added up waits in a table of its own, and all comes out as if each record was added at once."""

import gzip
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.services.ports import Reason
from tests.gathering import DAY, HEADER, PARTIALS, is_gathering, key_of, table
from tests.integration.test_merge_order import in_turns
from tests.policies import TALLIES, lines, with_policies
from tests.system import System

GAVE_UP = Reason("exhausted", "we tried several times", "transient")
Tally = tuple[str, str, object, object]

tallies = st.lists(
    st.tuples(
        st.sampled_from(["x", "y", "x", "y", "refused"]),
        st.sampled_from([DAY, "2026-01-02"]),
        st.sampled_from([None, -3, 1, 2, "bad", 2**62]),
        st.sampled_from(["0.10", "1e2", "-7", "NaN"]),
    ),
    min_size=3,
    max_size=12,
)


@pytest.fixture
def small(system: System) -> System:
    """Batches of one or two records; and ``straight``, a dataset like ``tallies``."""
    return with_policies(system, [TALLIES, {**TALLIES, "name": "straight"}], batch_bytes=30)


@pytest.fixture
def large(small: System) -> System:
    """The same with batches that hold a whole file, so that nothing waits."""
    return with_policies(small, [TALLIES, {**TALLIES, "name": "straight"}], batch_bytes=1_000_000)


def told(system: System, job: dict[str, Any]) -> list[tuple[Any, ...]]:
    rejections = system.rejections(job)
    return [(found["line"], found["record"], found["errors"]) for found in rejections]


def straight(large: System, file: Sequence[Sequence[object]]) -> dict[str, Any]:
    """The job of the same file where each of its records goes to the table at once."""
    key = key_of("straight")
    job = large.load(lines(HEADER, file), key=key)
    assert not is_gathering(large, key)
    return job


def assert_same(system: System, gathered: dict[str, Any], direct: dict[str, Any]) -> None:
    assert (gathered["state"], gathered["reason"]) == (direct["state"], direct["reason"])
    assert (gathered["counts"], gathered["balanced"]) == (direct["counts"], True)
    assert gathered["causes"] == direct["causes"]
    assert told(system, gathered) == told(system, direct)
    assert system.rejected_csv(gathered) == system.rejected_csv(direct) if direct["counts"]["rejected"] else True
    assert table(system) == table(system, "straight")
    # Of this job alone: what another one has left is that one's fault.
    left = "select relname from pg_class join dropload.job on relname = 'partial_' || number where id = %s"
    assert system.rows(left, gathered["id"]) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(tallies, min_size=1, max_size=2), rule=st.booleans(), data=st.data())
def test_gathered_in_any_order_and_twice_all_is_as_if_added_at_once(
    small: System, large: System, files: list[list[Tally]], rule: bool, data: st.DataObject
) -> None:
    for name in ("tallies", "straight"):
        small.rows(f"truncate {name}; alter table {name} drop constraint if exists no_such_item")
        if rule:
            small.rows(f"alter table {name} add constraint no_such_item check (item <> 'refused')")
    for file in files:
        key = key_of()
        bodies = small.split(key, lines(HEADER, file))
        assert is_gathering(small, key)
        for body in data.draw(st.permutations(bodies + bodies)):
            small.container.intake.load(body)
        small.pump()
        assert_same(small, small.job(key), straight(large, file))


def test_rows_appear_when_the_job_ends_and_have_the_origin_of_their_first_record(small: System) -> None:
    file = [(item, DAY, 1, 1) for item in "abcabc"]
    key = key_of()
    bodies = small.split(key, lines(HEADER, file))
    for body in bodies[:0:-1]:
        small.container.intake.load(body)
    assert (table(small), small.rows(PARTIALS)) == ([], [(1,)])
    assert small.job(key)["counts"]["updated"] == small.job(key)["counts"]["read"] == 5
    small.container.intake.load(bodies[0])
    assert table(small) == [(item, DAY, 2, 2) for item in "abc"]
    assert small.rows("select _origin & 8388607 from tallies order by item") == [(0,), (1,), (2,)]
    assert small.rows("select inserted, updated from dropload.batch order by number") == [(1, 0)] * 3 + [(0, 1)] * 3
    assert small.rows(PARTIALS) == [(0,)]


def test_rows_that_are_there_already_are_added_to(small: System) -> None:
    file = [(f"i{n}", DAY, n or None, n) for n in range(9)]
    for wanted in ((9, 0), (0, 9)):
        job = small.load(lines(HEADER, file), key=key_of())
        assert (job["counts"]["inserted"], job["counts"]["updated"]) == wanted
    assert table(small) == [(f"i{n}", DAY, 2 * n or None, 2 * n) for n in range(9)]


def test_only_files_of_several_batches_or_packed_ones_wait(small: System, large: System) -> None:
    file = lines(HEADER, [("a", DAY, 1, 1)] * 4)
    keys = [key_of(), key_of(), key_of() + ".gz"]
    small.load(file, key=keys[0])
    large.load(file, key=keys[1])
    large.load(gzip.compress(file), key=keys[2])
    assert [is_gathering(small, key) for key in keys] == [True, False, True]
    assert table(small) == [("a", DAY, 12, 12)]


def test_columns_that_nobody_declared_are_left_out(small: System) -> None:
    rows = [("a", DAY, 1, 1, "extra"), ("a", DAY, 2, 1, "more"), ("b", DAY, 1, 1, "")]
    key = key_of()
    job = small.load(lines(HEADER + ",remark", rows), key=key)
    assert is_gathering(small, key)
    assert (job["state"], job["counts"]["inserted"], job["counts"]["updated"]) == ("COMPLETED", 2, 1)
    assert table(small) == [("a", DAY, 3, 2), ("b", DAY, 1, 1)]


RULES = {
    "check": "alter table {0} add check (item <> 'odd')",
    "unique": "create unique index on {0} ((paid > 5)) where paid > 5",
    "trigger": """create trigger picky before insert or update on {0} for each row
                  when (new.item = 'odd') execute function refuse()""",
    "foreign": "alter table {0} add foreign key (item) references known (item)",
}


@pytest.mark.parametrize("rule", RULES)
def test_what_only_the_database_refuses_is_rejected_alone(small: System, large: System, rule: str) -> None:
    small.rows(
        """create table known (item text collate "C" primary key); insert into known values ('a'), ('b'), ('c');
           create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$"""
    )
    for name in ("tallies", "straight"):
        small.rows(RULES[rule].format(name))
    file = [(item, DAY, n, 9 if item == "odd" else 0) for n, item in enumerate(["a", "odd", "b", "odd", "c", "a"])]
    file.insert(1, ("c", "2026-01-02", 5, 9 if rule == "unique" else 0))
    key = key_of()
    job = small.load(lines(HEADER, file), key=key)
    assert job["counts"]["rejected"] == 2
    assert not is_gathering(small, key)
    direct = straight(large, file)
    if rule == "trigger":
        assert_same(small, job, direct)
    else:  # constraints and indexes of two tables have two names
        assert [line for line, *_ in told(small, job)] == [line for line, *_ in told(small, direct)]
        assert table(small) == table(small, "straight")
        assert (job["counts"], job["balanced"]) == (direct["counts"], True)


def test_rule_about_a_measure_is_met_by_each_record_in_its_turn(small: System) -> None:
    small.rows("alter table tallies add check (sold <> 13)")
    job = small.load(lines(HEADER, [("x", DAY, 1, 1), ("x", DAY, 12, 1), ("x", DAY, 3, 1)]), key=key_of())
    assert [rejection["line"] for rejection in small.rejections(job)] == [3]
    assert table(small) == [("x", DAY, 4, 2)]


def test_rule_that_comes_while_rows_wait_is_met_by_each_record_in_its_turn(small: System) -> None:
    key = key_of()
    bodies = small.split(key, lines(HEADER, [("x", DAY, 1, 1), ("x", DAY, 12, 1), ("x", DAY, 3, 1)]))
    assert is_gathering(small, key)
    small.rows("alter table tallies add check (sold <> 13)")
    for body in bodies:
        small.container.intake.load(body)
    assert [rejection["line"] for rejection in small.rejections(small.job(key))] == [3]
    assert table(small) == [("x", DAY, 4, 2)]


def test_sum_of_several_batches_beyond_its_column_is_rejected_alone(small: System) -> None:
    file = [("x", DAY, 2**63 - 2, 1), ("x", DAY, 1, 1), ("x", DAY, 1, 1), ("y", DAY, 1, 1)]
    job = small.load(lines(HEADER, file), key=key_of())
    assert (job["counts"]["inserted"], job["counts"]["updated"], job["counts"]["rejected"]) == (2, 1, 1)
    assert [rejection["line"] for rejection in small.rejections(job)] == [4]
    assert [sold for _, _, sold, _ in table(small)] == [2**63 - 1, 1]


@pytest.mark.parametrize("rule", ["", "alter table tallies add check (item <> 'b')"])
def test_cancelled_after_some_batches_nothing_is_added(small: System, rule: str) -> None:
    small.rows(rule or "select")
    key = key_of()
    bodies = small.split(key, lines(HEADER, [(item, DAY, 1, 1) for item in "abcabc"]))
    for body in bodies[:3]:
        small.container.intake.load(body)
    small.container.cancel.run(UUID(small.job(key)["id"]))
    for body in bodies:
        small.container.intake.load(body)
    job = small.job(key)
    assert (job["state"], job["balanced"], job["counts"]["read"]) == ("CANCELLED", True, 3)
    assert job["counts"]["ignored"] == 3
    assert table(small) == []
    assert small.rows(PARTIALS) == [(0,)]


@pytest.mark.parametrize("rule", ["", "alter table tallies add check (item <> 'bad')"])
def test_failed_batches_are_added_once_when_they_are_redriven_after_the_merge(small: System, rule: str) -> None:
    small.rows(rule or "select")
    key = key_of()
    bodies = small.split(key, lines(HEADER, [(item, DAY, 1, 1) for item in ("a", "b", "a", "c", "a", "bad")]))
    id = UUID(small.job(key)["id"])
    for number in (0, 3):
        small.container.ledger.fail(id, number, GAVE_UP)
    for body in bodies:
        small.container.intake.load(body)
    bad = 0 if rule else 1
    job = small.job(key)
    assert (job["state"], job["reason"]["code"], job["balanced"]) == ("FAILED", "exhausted", True)
    assert (job["counts"]["inserted"], job["counts"]["updated"]) == (2 + bad, 1)
    assert small.rows(PARTIALS) == [(0,)]
    assert small.container.redrive.run(id) == id
    small.pump(times=2)
    job = small.job(key)
    assert (job["state"], job["balanced"]) == ("COMPLETED_WITH_FAILURES" if rule else "COMPLETED", True)
    assert (job["counts"]["inserted"], job["counts"]["updated"]) == (3 + bad, 2)
    wanted = [("a", 3), ("b", 1), ("c", 1)]
    assert [(item, sold) for item, _, sold, _ in table(small) if item != "bad"] == wanted
    assert small.rows(PARTIALS) == [(0,)]


def test_large_and_small_files_and_writers_from_elsewhere_add_up(small: System, large: System) -> None:
    rows = [(f"i{n % 40}", DAY, 1, 1) for n in range(240)]
    bodies = []
    for part in (rows[:100], rows[99:0:-1]):
        bodies.append(small.split(key_of(), lines(HEADER, part)))
    keys = [key_of() for _ in range(8)]
    bodies.append([large.split(key, lines(HEADER, rows[n * 7 :: 9]))[0] for n, key in enumerate(keys)])
    errors: list[list[Exception]] = []
    threads = [threading.Thread(target=lambda part=part: errors.append(in_turns(small, part, 1))) for part in bodies]
    for thread in threads:
        thread.start()
    for n in range(100):
        small.rows("update tallies set sold = sold + 1 where item = %s", f"i{n % 40}")
        small.rows("update tallies set sold = sold - 1 where item = %s", f"i{n % 40}")
    for thread in threads:
        thread.join()
    small.pump()
    assert errors == [[], [], []]
    wanted: Counter[str] = Counter()
    for part in (rows[:100], rows[99:0:-1], *(rows[n * 7 :: 9] for n in range(8))):
        wanted.update(item for item, *_ in part)
    assert {item: paid for item, _, _, paid in table(small)} == wanted
    jobs = small.container.views.jobs(dataset="tallies", limit=100)
    assert {(job["state"], job["balanced"]) for job in jobs} == {("COMPLETED", True)}
    assert sum(job["counts"]["inserted"] for job in jobs) == len(wanted)
    assert small.rows(PARTIALS) == [(0,)]

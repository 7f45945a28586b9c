"""Policy replace: the file is the new whole, loaded beside the table and put in its place at once."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.services.ports import Reason
from tests.policies import lines, with_policies
from tests.replacing import DEPENDENTS, HEADER, KEY, begun, load, oid, shadows, table
from tests.system import System

REFUSED_SIZE = 13  # by a CHECK that the descriptor does not know


@pytest.fixture
def system(system: System) -> System:
    """A worker with small batches that knows datasets of every policy."""
    return with_policies(system, batch_bytes=30)


def portrait(system: System) -> dict[str, list[tuple[Any, ...]]]:
    """Everything about the table that another session could notice, but for its OID."""
    described = {
        "columns": """select attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attcollation,
                             attstorage, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
                      from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
                      where attrelid = 'roster'::regclass and attnum > 0 order by attnum""",
        "indexes": "select indexname, indexdef from pg_indexes where tablename = 'roster' order by 1",
        "constraints": """select conname, contype, pg_get_constraintdef(oid), convalidated from pg_constraint
                          where conrelid = 'roster'::regclass order by 1""",
        "sequence": """select sequencename, start_value, min_value, max_value, increment_by, cycle, cache_size,
                              last_value, pg_get_serial_sequence('roster', 'id') from pg_sequences
                       where schemaname = 'public' and sequencename like 'roster%%'""",
        "table": """select relowner, relpersistence, relkind, relchecks, obj_description(oid), relname
                    from pg_class where oid = 'roster'::regclass""",
        "rows": "select * from roster order by id",
    }
    return {what: system.rows(query) for what, query in described.items()}


@pytest.mark.parametrize("who", DEPENDENTS)
def test_a_table_that_anything_knows_stays_the_same_table(system: System, who: str) -> None:
    load(system, [(1, "a", 1), (2, "b", 2)])
    system.rows(DEPENDENTS[who])
    before = oid(system)
    job = load(system, [(2, "x", 1), (3, "y", 2), (4, "z", 3)])
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 3, True)
    assert table(system) == [(2, "x", 1), (3, "y", 2), (4, "z", 3)]
    assert (oid(system) == before) is (who != "nobody")
    assert shadows(system) == []


def test_both_ways_leave_the_same_table(system: System) -> None:
    system.rows(
        """alter table roster add constraint no_thirteen check (size <> 13);
           alter table roster add constraint odd unique (code, size);
           create index on roster (lower(tag)) where size > 1;
           create unique index "an INDEX ON x USING y" on roster (tag desc, code) include (size);
           alter table roster alter column size set default 4, alter column tag set storage external;
           alter table roster alter column id set increment by 3 set start with 5;
           comment on table roster is 'who''s in'; comment on column roster.tag is 'a tag'"""
    )
    files: list[list[tuple[Any, ...]]]
    files = [[(1, "a", 1), (2, "b", None)], [(2, "c", 1), (5, "d", 13), (3, "e", 2), (2, "f", 2)], [(9, "g", 3)]]
    portraits = []
    for slow in (False, True):
        system.rows(
            "truncate roster restart identity; truncate dropload.job, dropload.replaced restart identity cascade"
        )
        if slow:
            system.rows(DEPENDENTS["a view"])
        found, before = [], oid(system)
        for file in files:
            load(system, file)
            found.append(portrait(system))
        assert (oid(system) == before) is slow
        portraits.append(found)
    assert portraits[0] == portraits[1]
    ids = [row[0] for found in portraits[0] for row in found["rows"]]
    assert len(set(ids)) == len(ids), "an id stands for one row only"
    system.rows("insert into roster (code, tag) values (100, 'new')")
    [(newest,)] = system.rows("select id from roster where code = 100")
    assert newest > max(ids)


rows = st.lists(
    st.tuples(st.integers(1, 5) | st.none(), st.sampled_from("abcd"), st.sampled_from([1, 2, None, REFUSED_SIZE])),
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(rows, max_size=3), watched=st.booleans(), size=st.sampled_from([10, 30, 10_000]))
def test_the_table_is_the_last_file_that_had_a_good_record(
    system: System, files: list[list[tuple[int | None, str, int | None]]], watched: bool, size: int
) -> None:
    system = with_policies(system, batch_bytes=size)
    system.rows("drop view if exists onlooker; truncate roster")
    system.rows("alter table roster drop constraint if exists no_thirteen")
    system.rows(f"alter table roster add constraint no_thirteen check (size <> {REFUSED_SIZE})")
    if watched:
        system.rows(DEPENDENTS["a view"])
    expected: list[tuple[Any, ...]] = []
    for file in files:
        taken: list[tuple[Any, ...]] = []
        rejected = []
        for line, (code, tag, number) in enumerate(file, 2):
            met = any((code is not None and code == kept[0]) or tag == kept[1] for kept in taken)
            if met or number == REFUSED_SIZE:
                rejected.append(line)
            else:
                taken.append((code, tag, number))
        expected = taken or expected
        job = load(system, list(file))
        counts = job["counts"]
        assert job["balanced"] is True
        assert [rejection["line"] for rejection in system.rejections(job)] == rejected
        assert (counts["read"], counts["inserted"], counts["rejected"]) == (len(file), len(taken), len(rejected))
        assert job["state"] == ("FAILED" if not taken else "COMPLETED_WITH_FAILURES" if rejected else "COMPLETED")
    assert sorted(system.rows("select code, tag, size from roster"), key=str) == sorted(expected, key=str)
    assert shadows(system) == []


@pytest.mark.parametrize("batch_bytes", [10, 10_000])
def test_duplicates_are_named_with_the_line_of_the_earlier_record(system: System, batch_bytes: int) -> None:
    load(system, [(1, "a", 1)])
    job = load(with_policies(system, batch_bytes=batch_bytes), [(1, "b", 1), (1, "c", 2)])
    [rejection] = system.rejections(job)
    assert rejection["errors"] == [
        {"column": "code", "code": "unique-error", "message": "the same code as the record on line 2 of this file"}
    ]


@pytest.mark.parametrize("file", [[], [("x", "a", 1), ("y", "b", 2)]], ids=["header only", "all bad"])
def test_a_file_without_a_good_record_replaces_nothing(system: System, file: list[tuple[Any, ...]]) -> None:
    load(system, [(1, "a", 1)])
    job = load(system, file)
    assert (job["state"], job["reason"]["code"], job["balanced"]) == ("FAILED", "nothing-to-load", True)
    assert table(system) == [(1, "a", 1)]
    assert shadows(system) == []
    if file:
        assert system.rejected_csv(job).count(b"\n") == 3


def test_atomic_replaces_with_all_records_or_none(system: System) -> None:
    load(system, [("a", 1)], "lines")
    job = load(system, [("b", 1), ("c", "x"), ("d", 2)], "lines")
    assert (job["state"], job["reason"]["code"], job["balanced"]) == ("FAILED", "atomic", True)
    assert job["reason"]["message"] == "1 of 3 records were rejected, so nothing was replaced"
    assert (job["counts"]["inserted"], job["counts"]["ignored"], job["counts"]["rejected"]) == (0, 2, 1)
    assert system.rows("select what from lines") == [("a",)]
    assert load(system, [("b", 1), ("b", 1)], "lines")["counts"]["inserted"] == 2
    assert system.rows("select what, size from lines") == [("b", 1), ("b", 1)]


def test_a_failed_job_leaves_the_table_as_it_was(system: System) -> None:
    load(system, [(1, "a", 1)])
    first, *others = begun(system, KEY.format("failing"), [(n, f"b{n}", 1) for n in range(9)])
    system.container.intake.bury_batch(first)
    for body in others:
        system.container.intake.load(body)
    job = system.job(KEY.format("failing"))
    assert (job["state"], job["reason"]["code"], job["counts"]["inserted"]) == ("FAILED", "exhausted", 0)
    assert job["counts"]["ignored"] == job["counts"]["read"] > 0
    assert table(system) == [(1, "a", 1)]
    assert shadows(system) == []
    system.container.intake.load(first)  # delivered after all: there is nothing to write into any more
    assert table(system) == [(1, "a", 1)]


def test_a_cancelled_job_leaves_the_table_as_it_was(system: System) -> None:
    load(system, [(1, "a", 1)])
    first, *others = begun(system, KEY.format("cancelled"), [(n, f"b{n}", 1) for n in range(9)])
    system.container.intake.load(first)
    system.rows("update dropload.job set state = 'CANCELLING' where finished_at is null")
    for body in [first, *others]:
        system.container.intake.load(body)
    job = system.job(KEY.format("cancelled"))
    assert (job["state"], job["counts"]["inserted"]) == ("CANCELLED", 0)
    assert table(system) == [(1, "a", 1)]
    assert shadows(system) == []


def test_a_refusal_of_the_file_as_a_whole_fails_it(system: System) -> None:
    load(system, [(1, "a", 1), (2, "b", 2)])
    system.rows("create table other (code bigint references roster (code)); insert into other values (2)")
    assert load(system, [(2, "c", 1), (3, "d", 1)])["state"] == "COMPLETED"
    job = load(system, [(1, "e", 1), (3, "f", 1)])
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "foreign-key", "file")
    assert "other_code_fkey" in job["reason"]["message"]
    assert (job["counts"]["ignored"], job["balanced"]) == (2, True)
    assert table(system) == [(2, "c", 1), (3, "d", 1)]
    assert b'"FAILED"' in system.file(f"error/roster/job={job['id']}/manifest.json")


@pytest.mark.parametrize("action", ["cascade", "set null", "restrict"])
def test_rows_of_other_tables_are_never_lost_with_the_old_ones(system: System, action: str) -> None:
    load(system, [(1, "a", 1)])
    system.rows(f"create table other (code bigint references roster (code) on delete {action})")
    system.rows("insert into other values (1)")
    job = load(system, [(1, "b", 1)])
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "not-replaced", "terminal")
    assert system.rows("select code from other") == [(1,)]
    assert table(system) == [(1, "a", 1)]


def test_a_foreign_key_rejects_its_records_alone(system: System) -> None:
    system.rows(DEPENDENTS["a foreign key"])
    job = load(system, [(1, "a", 1), (2, "b", 99), (3, "c", 3)])
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED_WITH_FAILURES", 2)
    [rejection] = system.rejections(job)
    assert (rejection["line"], rejection["errors"][0]["code"]) == (3, "foreign-key")


def test_a_table_changed_meanwhile_keeps_its_change(system: System) -> None:
    bodies = begun(system, KEY.format("changing"), [(n, f"b{n}", 1) for n in range(9)])
    system.rows("alter table roster add column note text default 'none'; create index roster_note on roster (note)")
    for body in bodies:
        system.container.intake.load(body)
    assert system.job(KEY.format("changing"))["state"] == "COMPLETED"
    assert system.rows("select count(*), min(note) from roster") == [(9, "none")]
    assert system.rows("select 1 from pg_indexes where indexname = 'roster_note'") == [(1,)]


def test_validating_only_replaces_nothing(system: System) -> None:
    load(system, [(1, "a", 1)])
    bodies = begun(system, KEY.format("tried"), [(n, f"b{n}", 1) for n in range(9)])
    system.rows("update dropload.job set validate_only = true where finished_at is null")
    for body in bodies:
        system.container.intake.load(body)
    assert system.job(KEY.format("tried"))["state"] == "COMPLETED"
    assert table(system) == [(1, "a", 1)]
    assert shadows(system) == []


def test_mended_records_are_added_to_the_whole(system: System) -> None:
    parent = load(system, [(1, "a", 1)])
    key = KEY.format(f"job={parent['id']}/mended")
    system.drop(key, lines("_error_line," + HEADER, [(9, 2, "b", 1), (10, 1, "c", 1)]))
    system.pump()
    assert system.job(key)["parent"] == parent["id"]
    assert (system.job(key)["counts"]["inserted"], system.job(key)["counts"]["rejected"]) == (1, 1)
    assert table(system) == [(1, "a", 1), (2, "b", 1)]


def test_the_sweep_drops_what_no_job_needs(system: System) -> None:
    begun(system, KEY.format("open"), [(1, "a", 1)])
    load(system, [(1, "b", 1)])
    system.rows("create table dropload.shadow_999 (); create table dropload.shadow_of_mine ()")
    [(number,)] = system.rows("select min(number) from dropload.job where state = 'COMPLETED'")
    system.rows(f"create table dropload.shadow_{number} ()")
    [(open_number,)] = system.rows("select number from dropload.job where finished_at is null")
    system.container.sweep.run()
    kept = system.rows("select relname from pg_class where relname like 'shadow%%' and relkind = 'r' order by 1")
    assert kept == [(f"shadow_{open_number}",), ("shadow_of_mine",)]


def test_a_split_that_was_given_up_ends_its_job_and_its_shadow(system: System) -> None:
    load(system, [(1, "a", 1)])
    bodies = begun(system, KEY.format("given-up"), [(n, f"b{n}", 1) for n in range(9)])
    job = system.container.ledger.job(UUID(system.job(KEY.format("given-up"))["id"]))
    assert job is not None
    system.container.ledger.end_split(job, Reason("source-gone", "gone", "file"))
    for body in bodies:
        system.container.intake.load(body)
    assert system.job(KEY.format("given-up"))["state"] == "FAILED"
    assert table(system) == [(1, "a", 1)]
    assert shadows(system) == []

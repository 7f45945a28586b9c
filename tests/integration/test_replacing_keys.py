"""Policy replace: keys are met when all of the file is there, as if each record came alone, in file order."""

import itertools
import json
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.aws import client
from chalicelib.core.claims import NO_FACTS as FACTS
from chalicelib.errors import Terminal
from tests.policies import lines, with_policies
from tests.system import System, forever

HEADER = "code,tag,size"
REFUSED_SIZE = 13  # by a CHECK that the descriptor does not know
ELSEWHERE = "a key of this record is taken in the table"
numbers = itertools.count()

Row = tuple[Any, ...]


@pytest.fixture
def system(system: System) -> System:
    return with_policies(system, batch_bytes=30)


def begun(system: System, file: list[Row], header: str = HEADER, **metadata: str) -> tuple[str, list[str]]:
    """Drop and split a file; its key, and the messages of its batches in their order."""
    key = f"input/roster/keys-{next(numbers)}.csv"
    bodies = system.split(key, lines(header, file), {"dropload-validate-only": "true"} if metadata else None)
    return key, bodies


def load(system: System, file: list[Row], header: str = HEADER) -> dict[str, Any]:
    return system.load(lines(header, file), key=f"input/roster/keys-{next(numbers)}.csv")


def one_by_one(file: list[Row]) -> tuple[list[Row], dict[int, list[str]]]:
    """What a table takes of these records, and for each other one, by its line, what is said of it."""
    taken: list[Row] = []
    refused: dict[int, list[str]] = {}
    holders: dict[tuple[str, Any], int] = {}
    for line, row in enumerate(file, 2):
        keys = [(name, value) for name, value in zip(("code", "tag"), row, strict=False) if value is not None]
        met = [(name, holders[name, value]) for name, value in keys if (name, value) in holders]
        if row[2] == REFUSED_SIZE:
            refused[line] = ["the database refuses this record by the constraint no_thirteen"]
        elif met:
            refused[line] = [f"the same {name} as the record on line {holder} of this file" for name, holder in met]
        else:
            taken.append(row)
            holders.update(dict.fromkeys(keys, line))
    return taken, refused


def said(system: System, job: dict[str, Any]) -> dict[int, list[str]]:
    return {each["line"]: [error["message"] for error in each["errors"]] for each in system.rejections(job)}


def table(system: System) -> list[Row]:
    return system.rows("select code, tag, size from roster order by abs(id)")


rows = st.lists(
    st.tuples(st.integers(1, 4) | st.none(), st.sampled_from("abcd"), st.sampled_from([1, 1, 2, None, REFUSED_SIZE])),
    min_size=1,
    max_size=12,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=rows, size=st.sampled_from([8, 20, 60]), extra=st.booleans(), tried=st.booleans(), data=st.data())
def test_what_shares_keys_is_decided_as_if_records_came_alone(
    system: System, file: list[Row], size: int, extra: bool, tried: bool, data: st.DataObject
) -> None:
    system = with_policies(system, batch_bytes=size)
    system.rows("truncate roster; alter table roster drop constraint if exists no_thirteen")
    system.rows(f"alter table roster add constraint no_thirteen check (size <> {REFUSED_SIZE})")
    taken, refused = one_by_one(file)
    wide = [(*row, "x") for row in file] if extra else file  # what the table does not have goes another way
    key, bodies = begun(system, wide, HEADER + ",more" * extra, **{"tried": "yes"} if tried else {})
    for body in data.draw(st.permutations(bodies)):
        system.container.intake.load(body, forever)
    job = system.job(key)
    assert said(system, job) == refused
    assert job["balanced"] is True
    assert job["counts"]["rejected"] == len(refused)
    if taken:
        assert job["counts"]["inserted"] == len(taken)
        assert job["state"] == ("COMPLETED_WITH_FAILURES" if refused else "COMPLETED")
    assert sorted(table(system), key=str) == sorted([] if tried else taken, key=str)
    assert sum(cause["count"] for cause in job["causes"]) == sum(map(len, refused.values()))
    assert system.rows("select count(*) from dropload.drawn") == [(0,)]


@pytest.mark.parametrize("increment", [1, 3, -2])
def test_ids_that_others_draw_meanwhile_are_never_given_twice(system: System, increment: int) -> None:
    bounds = "set minvalue -100000 set maxvalue 100000"
    system.rows(f"alter table roster alter column id set increment by {increment} {bounds} set cache 4")
    file = [(n % 20, f"t{n}", n) for n in range(30)]
    key, bodies = begun(with_policies(system, batch_bytes=60), file)
    drawn = []
    with closing(psycopg2.connect(system.database_url)) as stranger, stranger.cursor() as cursor:
        stranger.autocommit = True
        for body in bodies:
            # Our session has numbers left in its cache, and those that come next are gone.
            cursor.execute("select nextval('roster_id_seq') from generate_series(1, 5)")
            drawn += [number for (number,) in cursor.fetchall()]
            system.container.intake.load(body, forever)
    ids = [id for (id,) in system.rows("select id from roster")]
    assert table(system) == [(n, f"t{n}", n) for n in range(20)]
    assert sorted(ids, key=abs) == sorted(set(ids) - set(drawn), key=abs)
    assert {(id - ids[0]) % increment for id in ids} == {0}
    assert said(system, system.job(key)) == {
        n + 2: [f"the same code as the record on line {n - 18} of this file"] for n in range(20, 30)
    }


@contextmanager
def drawing_ids(system: System) -> Iterator[None]:
    """Somebody draws ids of the table all the time."""
    begun, done = threading.Event(), threading.Event()

    def draw() -> None:
        with closing(psycopg2.connect(system.database_url)) as stranger, stranger.cursor() as cursor:
            stranger.autocommit = True
            while not done.is_set():
                cursor.execute("select count(nextval('roster_id_seq')) from generate_series(1, 20000)")
                begun.set()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        done.set()
        thread.join()


def drawn_at_the_same_moment(system: System, first: int) -> bool:
    """Replace the table while others draw ids, and whether they drew some between those of one batch."""
    key, bodies = begun(system, [(first + n % 60_000, f"t{first + n}", n) for n in range(60_020)])
    with drawing_ids(system):
        for body in bodies[:-1]:
            system.container.intake.load(body, forever)
    in_runs = system.rows("select 1 from dropload.drawn group by batch having count(*) > 1")
    assert system.rows("select sum(count) from dropload.drawn where batch = 0") == system.rows(
        "select b.read from dropload.batch as b join dropload.job as j on j.number = b.job"
        " where key = %s and b.number = 0",
        key,
    )
    system.container.intake.load(bodies[-1], forever)
    assert said(system, system.job(key)) == {
        n + 2: [f"the same code as the record on line {n - 59_998} of this file"] for n in range(60_000, 60_020)
    }
    assert system.rows("select count(*), count(distinct id) from roster") == [(60_000, 60_000)]
    return bool(in_runs)


def test_ids_that_others_draw_at_the_same_moment_are_never_given_twice(system: System) -> None:
    system = with_policies(system, batch_bytes=200_000)
    tries = range(0, 20 * 100_000, 100_000)  # who is quick enough may meet nobody
    assert any(drawn_at_the_same_moment(system, first) for first in tries), "ids of a batch in several runs"


def test_a_stranger_who_has_drawn_an_id_makes_no_reader_wait_long(system: System) -> None:
    with closing(psycopg2.connect(system.database_url)) as stranger, stranger.cursor() as cursor:
        cursor.execute("select nextval('roster_id_seq')")
        began = time.monotonic()
        assert load(system, [(1, "a", 1)])["state"] == "COMPLETED"
        assert time.monotonic() - began < 25  # four tries of a second; a lock is given up after thirty
    assert table(system) == [(1, "a", 1)]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("create unique index theirs on roster (size)", ELSEWHERE),
        ("create unique index theirs on roster (size desc) include (tag)", ELSEWHERE),
        ("create unique index theirs on roster ((size % 10))", ELSEWHERE),
        ("create unique index theirs on roster (size) where size < 50", ELSEWHERE),
        ("create unique index theirs on roster (size int8_ops) nulls not distinct", ELSEWHERE),
        ("alter table roster add constraint theirs exclude using btree (size with =)", ELSEWHERE),
        (
            "alter table roster add constraint theirs unique (size) deferrable initially deferred",
            ELSEWHERE,
        ),
    ],
)
def test_a_key_that_only_the_table_has_refuses_as_well(system: System, rule: str, message: str) -> None:
    system.rows(rule)
    job = load(system, [(1, "a", 4), (2, "b", 5), (3, "c", 4), (4, "d", 6), (4, "e", 7), (3, "f", 8), (None, "g", 5)])
    assert (job["balanced"], job["counts"]["inserted"]) == (True, 4)
    found = said(system, job)
    assert (found[4], found[8]) == ([message], [message])
    assert len(found[6]) == 1
    assert set(found) == {4, 6, 8}
    assert sorted(size for _, _, size in table(system)) == [4, 5, 6, 8]
    assert load(system, [(5, "z", 4)])["state"] == "COMPLETED"


def test_a_key_that_the_table_was_given_meanwhile_refuses_as_well(system: System) -> None:
    key, bodies = begun(system, [(n, f"t{n}", n % 8) for n in range(9)])
    system.rows("create unique index theirs on roster (size)")
    for body in bodies:
        system.container.intake.load(body, forever)
    assert said(system, system.job(key)) == {10: [ELSEWHERE]}
    assert len(table(system)) == 8


@pytest.mark.parametrize("rule", ["unique (note)", "exclude using btree (size with =)"])
def test_a_rule_that_the_table_was_given_meanwhile_refuses_the_whole(system: System, rule: str) -> None:
    load(system, [(1, "a", 1)])
    key, bodies = begun(system, [(n, f"t{n}", n % 8) for n in range(9)])
    system.rows(f"alter table roster add column note text; alter table roster add constraint theirs {rule}")
    system.rows("alter table roster alter column note set default 'one'")
    for body in bodies:
        system.container.intake.load(body, forever)
    job = system.job(key)
    assert (job["state"], job["reason"]["code"], job["counts"]["ignored"]) == ("FAILED", "not-replaced", 9)
    assert table(system) == [(1, "a", 1)]


def test_limits_are_judged_when_what_shares_keys_is_known(system: System) -> None:
    load(system, [(1, "a", 1)])
    datasets = system.container.datasets
    datasets["roster"] = replace(datasets["roster"], max_errors=2)
    assert load(system, [(n % 7, f"t{n}", 1) for n in range(9)])["state"] == "COMPLETED_WITH_FAILURES"
    job = load(system, [(n % 6, f"u{n}", 1) for n in range(9)])
    assert (job["state"], job["reason"]["code"], job["balanced"]) == ("FAILED", "too-many-errors", True)
    assert (job["counts"]["rejected"], job["counts"]["ignored"]) == (3, 6)
    assert system.rejected_csv(job).count(b"\n") == 4
    assert len(table(system)) == 7


def test_an_atomic_file_with_a_key_twice_replaces_nothing(system: System) -> None:
    load(system, [(1, "a", 1)])
    datasets = system.container.datasets
    datasets["roster"] = replace(datasets["roster"], atomic=True)
    job = load(system, [(n % 8, f"t{n}", 1) for n in range(9)])
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "atomic")
    assert job["reason"]["message"] == "1 of 9 records were rejected, so nothing was replaced"
    assert table(system) == [(1, "a", 1)]


def test_rows_that_refer_to_another_table_meet_their_keys_as_well(system: System) -> None:
    system.rows("create table sizes (size bigint primary key); insert into sizes values (1), (2)")
    system.rows("alter table roster add foreign key (size) references sizes (size)")
    job = load(system, [(1, "a", 1), (2, "b", 9), (2, "c", 2), (3, "c", 1), (1, "d", 2)])
    assert {line: len(messages) for line, messages in said(system, job).items()} == {3: 1, 5: 1, 6: 1}
    assert said(system, job)[5] == ["the same tag as the record on line 4 of this file"]
    assert table(system) == [(1, "a", 1), (2, "c", 2)]


def peak_of_refusing(system: System, file: list[Row]) -> int:
    """Bytes that Python has at most while it refuses what shares keys."""
    key, bodies = begun(system, file)
    for body in bodies:
        system.container.intake.load(body, lambda: 599.0)
    with system.container.ledger.finalising(UUID(system.job(key)["id"])) as final:
        assert final is not None
        tracemalloc.start()
        try:
            assert system.container.finalise._bulk.run(final) is None
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert (final.ending.counts["inserted"], final.ending.counts["rejected"]) == (1, len(file) - 1)
    return peak


def test_a_file_of_one_record_again_and_again_is_not_held_in_memory(system: System) -> None:
    system = with_policies(system, batch_bytes=100_000)
    one = [(7, "again", 1)]
    peak_of_refusing(system, one * 10)  # what is made once
    few, many = peak_of_refusing(system, one * 20_000), peak_of_refusing(system, one * 60_000)
    assert many < few * 1.3


@pytest.mark.parametrize("second", [(1, "c", 1), (9, "c", 1)], ids=["a key twice", "no key twice"])
def test_an_object_that_is_gone_by_then_fails_only_where_it_is_needed(system: System, second: Row) -> None:
    load(system, [(5, "z", 5)])
    key, bodies = begun(with_policies(system, batch_bytes=8), [(1, "a", 1), second, (2, "b", 1)])
    for body in bodies:
        batch = system.container.ledger.begin(UUID(system.job(key)["id"]), json.loads(body)["batch"])
        assert batch is not None
        read = system.container.reads.read(batch)
        counts = {"read": 1, "inserted": 1, **dict.fromkeys(("updated", "unchanged", "ignored", "rejected"), 0)}
        with system.container.ledger.loading(batch, FACTS) as transaction:
            assert transaction is not None
            transaction.place(*read)
            transaction.book(counts, [], lambda read, rejected: None)
    versions = client("s3").list_object_versions(Bucket=system.settings.bucket, Prefix=key)["Versions"]
    for version in versions:
        client("s3").delete_object(Bucket=system.settings.bucket, Key=key, VersionId=version["VersionId"])
    system.container.intake.load(bodies[0], forever)
    job = system.job(key)
    if second[0] == 1:
        assert (job["state"], job["reason"]["class"], job["counts"]["ignored"]) == ("FAILED", "file", 3)
        assert (job["counts"]["rejected"], system.rejections(job), table(system)) == (0, [], [(5, "z", 5)])
    else:
        assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 3)
    assert job["balanced"] is True


def test_who_has_no_time_left_hands_the_keys_on(system: System) -> None:
    key, bodies = begun(system, [(n % 8, f"t{n}", 1) for n in range(9)])
    for body in bodies:
        system.container.intake.load(body, lambda: 599.0)
    assert system.job(key)["state"] == "RUNNING"
    system.pump()
    assert said(system, system.job(key)) == {10: ["the same code as the record on line 2 of this file"]}


def look_at_keys_and_die(system: System, key: str) -> None:
    with system.container.ledger.finalising(UUID(system.job(key)["id"])) as final:
        assert final is not None
        with final.contested(system.container.datasets["roster"]) as contested:
            assert contested.batches
            raise Terminal("died", "as far as the database can tell")


def test_keys_are_looked_at_though_a_finaliser_that_died_has_made_indexes(system: System) -> None:
    key, bodies = begun(system, [(n % 8, f"t{n}", 1) for n in range(9)])
    for body in bodies:
        system.container.intake.load(body, lambda: 599.0)
    with pytest.raises(Terminal):
        look_at_keys_and_die(system, key)
    made = "select indexrelid::regclass::text from pg_index where indrelid = 'dropload.shadow_1'::regclass"
    assert len(system.rows(made)) == 2
    system.pump()
    assert said(system, system.job(key)) == {10: ["the same code as the record on line 2 of this file"]}
    assert system.rows("select conname from pg_constraint where contype = 'p' and conrelid = 'roster'::regclass")


def test_keys_that_were_given_up_fail_the_job(system: System) -> None:
    load(system, [(5, "z", 5)])
    key, bodies = begun(system, [(n % 8, f"t{n}", 1) for n in range(9)])
    for body in bodies:
        system.container.intake.load(body, lambda: 599.0)
    system.container.intake.bury_batch(bodies[0])
    job = system.job(key)
    assert (job["state"], job["reason"]["code"], job["counts"]["ignored"]) == ("FAILED", "exhausted", 9)
    assert table(system) == [(5, "z", 5)]

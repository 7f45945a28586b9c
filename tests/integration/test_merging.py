"""Each merge policy, held against an oracle that takes one record after the other into a table in memory."""

import itertools
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.policies import lines, with_policies
from tests.system import System

numbers = itertools.count()
few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

REFUSED_SIZE = 13  # by CHECKs that the descriptor does not know
REFUSED_ITEM = "z"
sizes = st.sampled_from([1, 2, None, 1, 2, None, REFUSED_SIZE])
items = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["a", "b"]), sizes), max_size=10)
tagged = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["a", "b", "c", "d", None]), sizes), max_size=8)
tallies = st.lists(
    st.tuples(
        st.sampled_from(["x", "y", "x", "y", REFUSED_ITEM]),
        st.sampled_from(["2026-01-01", "2026-01-02"]),
        st.none() | st.integers(-3, 3),
        st.sampled_from(["0.10", "1e2", "-7"]),
    ),
    max_size=10,
)
sizes_of_batches = [20, 60, 10_000]
batch_sizes = st.sampled_from(sizes_of_batches)

Item = tuple[int, str | None, int | None]
Tally = tuple[str, str, int | None, str]


def update_one_by_one(table: dict[int, Item], file: list[Item], *, tags: bool) -> Counter[str]:
    """Take the rows of ``file`` into ``table``; what became of each. ``tags``: no two rows may have one tag."""
    counts = Counter(read=len(file))
    for row in file:
        code, tag, size = row
        holder = [kept for kept in table.values() if tags and tag is not None and kept[1] == tag and kept[0] != code]
        if table.get(code) == row:
            counts["unchanged"] += 1
        elif size == REFUSED_SIZE or holder:
            counts["rejected"] += 1
        else:
            counts["updated" if code in table else "inserted"] += 1
            table[code] = row
    return counts


def load(system: System, dataset: str, data: bytes) -> dict[str, Any]:
    job = system.load(data, key=f"input/{dataset}/{next(numbers)}.csv")
    assert job["balanced"] is True
    assert system.rows("select count(*) from dropload.seen") == [(0,)], "nothing earlier may come"
    return job


@pytest.fixture
def systems(system: System) -> dict[int, System]:
    """The same system, with batches of each size."""
    systems = {size: with_policies(system, batch_bytes=size) for size in sizes_of_batches}
    for table in ("items", "tagged"):
        system.rows(f"alter table {table} add constraint no_thirteen check (size <> {REFUSED_SIZE})")
    system.rows(f"alter table tallies add constraint no_such_item check (item <> '{REFUSED_ITEM}')")
    return systems


@few
@given(first=items, second=items, size=batch_sizes)
def test_update_keeps_the_last_record_of_each_key(
    systems: dict[int, System], first: list[Item], second: list[Item], size: int
) -> None:
    system = systems[size]
    system.rows("truncate items")
    table: dict[int, Item] = {}
    for file in (first, second):
        wanted = update_one_by_one(table, file, tags=False)
        assert Counter(load(system, "items", lines("code,label,size", file))["counts"]) == wanted
    assert system.rows("select code, label, size from items order by 1") == sorted(table.values())


@few
@given(first=tagged, second=tagged, size=batch_sizes)
def test_update_rejects_what_another_key_forbids(
    systems: dict[int, System], first: list[Item], second: list[Item], size: int
) -> None:
    system = systems[size]
    system.rows("truncate tagged")
    table: dict[int, Item] = {}
    for file in (first, second):
        wanted = update_one_by_one(table, file, tags=True)
        job = load(system, "tagged", lines("code,tag,size", file))
        assert Counter(job["counts"]) == wanted
        assert all(
            error["column"] == ("tag" if error["code"] == "unique-error" else "size")
            for rejection in system.rejections(job)
            for error in rejection["errors"]
        )
    assert system.rows("select code, tag, size from tagged order by 1") == sorted(table.values())


@few
@given(files=st.lists(tallies, max_size=3), size=batch_sizes)
def test_sum_adds_every_record_once(systems: dict[int, System], files: list[list[Tally]], size: int) -> None:
    system = systems[size]
    system.rows("truncate tallies")
    table: dict[tuple[str, str], tuple[int | None, Decimal]] = {}
    for file in files:
        wanted = Counter(read=len(file))
        for item, day, sold, paid in file:
            before = table.get((item, day))
            old_sold, old_paid = before or (None, Decimal(0))
            if item == REFUSED_ITEM:
                wanted["rejected"] += 1
                continue
            both = [number for number in (old_sold, sold) if number is not None]
            table[item, day] = (sum(both) if both else None, old_paid + Decimal(paid))
            wanted["updated" if before else "inserted"] += 1
        assert Counter(load(system, "tallies", lines("item,day,sold,paid", file))["counts"]) == wanted
    found = system.rows("select item, day::text, sold, paid from tallies order by 1, 2")
    assert found == [(*key, *table[key]) for key in sorted(table)]


@few
@given(files=st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 9))), max_size=3))
def test_append_takes_every_record(systems: dict[int, System], files: list[list[tuple[str, int | None]]]) -> None:
    system = systems[20]
    system.rows("truncate events")
    for file in files:
        counts = load(system, "events", lines("what,size", file))["counts"]
        assert (counts["read"], counts["inserted"]) == (len(file), len(file))
    found = system.rows("select what, size from events")
    assert Counter(found) == Counter(row for file in files for row in file)

"""Whatever jobs ran, and in whatever order some of them are undone: the table is as if those had never been.

But for what only a person can know: a row that others wrote later stays as they wrote it.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.test_undo import keeping
from tests.policies import ITEMS, TALLIES, lines, with_policies
from tests.system import System, forever

Record = tuple[int, str, int | None]
numbers = itertools.count(1)
records = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.sampled_from([None, 0, 1])), min_size=1, max_size=6
)
steps = st.lists(st.one_of(records, st.integers(0, 5)), min_size=2, max_size=9)
"""A file to load, or which of the jobs to undo."""


@pytest.fixture
def small(system: System) -> System:
    return with_policies(system, [keeping(ITEMS), keeping(TALLIES)], batch_bytes=20, max_record_bytes=200)


def load(system: System, key: str, data: bytes) -> UUID:
    """Load a file without any queue: sending is slow, and takes no part in this."""
    system.drop(key, data)
    container = system.container
    container.split.announced(container.objects.stat(key), forever)
    job = system.job(key)
    for number in range(sum(job["progress"]["batches"].values())):
        container.load.run(UUID(job["id"]), number, forever)
    assert system.job(key)["finished_at"]
    return UUID(job["id"])


def undo(system: System, id: UUID) -> None:
    plan = system.container.undo.plan(id)
    if plan["reason"] is not None:
        assert plan["reason"]["code"] in ("undone", "nothing-loaded")
        return
    system.container.undo.ask(id, plan["token"])
    system.container.undo.run(id, forever)
    job = system.container.views.job(id)
    assert job is not None
    assert {**plan["rows"], "unresolved": 0} == job["undone"]["counts"]


@dataclass
class Written:
    """What a job made of a row, and who found that right later."""

    job: int
    values: tuple[str, int | None]
    confirmed: list[int] = field(default_factory=list)


class Updates:
    """A table of rows with all that was written to them."""

    def __init__(self) -> None:
        self.rows: dict[int, list[Written]] = {}

    def load(self, job: int, file: Sequence[Record]) -> None:
        for code, label, size in {record[0]: record for record in file}.values():
            stack = self.rows.setdefault(code, [])
            if stack and stack[-1].values == (label, size):
                stack[-1].confirmed.append(job)
            else:
                stack.append(Written(job, (label, size)))

    def undo(self, job: int) -> None:
        for code, stack in self.rows.items():
            for written in stack:
                written.confirmed = [other for other in written.confirmed if other != job]
                if written.job == job and written.confirmed:
                    written.job = written.confirmed.pop(0)
            self.rows[code] = [written for written in stack if written.job != job]

    def table(self) -> list[tuple[int, str, int | None]]:
        return sorted((code, *stack[-1].values) for code, stack in self.rows.items() if stack)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_updates(small: System, steps: list[list[Record] | int]) -> None:
    base = next(numbers) * 10
    oracle, jobs = Updates(), list[UUID]()
    for step in steps:
        if isinstance(step, int):
            if step < len(jobs):
                undo(small, jobs[step])
                oracle.undo(step)
        else:
            rows = [(base + code, label, size) for code, label, size in step]
            oracle.load(len(jobs), rows)
            jobs.append(load(small, f"input/items/{next(numbers)}.csv", lines("code,label,size", rows)))
        found = small.rows(
            "select code, label, size from items where code >= %s and code < %s order by code", base, base + 10
        )
        assert found == oracle.table()
    for job, id in enumerate(jobs):
        undo(small, id)
        oracle.undo(job)
    assert oracle.table() == []
    assert small.rows("select count(*) from items") == [(0,)]
    assert small.rows("select count(*) from dropload.before") == [(0,)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_sums(small: System, steps: list[list[Record] | int]) -> None:
    name = f"n{next(numbers)}"
    jobs = list[UUID]()
    there: dict[int, list[Record]] = {}
    for step in steps:
        if isinstance(step, int):
            if step < len(jobs):
                undo(small, jobs[step])
                there.pop(step, None)
        else:
            there[len(jobs)] = step
            rows = [(name + label, f"2026-01-0{code + 1}", size, code) for code, label, size in step]
            jobs.append(load(small, f"input/tallies/{next(numbers)}.csv", lines("item,day,sold,paid", rows)))
        sold: dict[tuple[str, int], int | None] = {}
        paid: Counter[tuple[str, int]] = Counter()
        for code, label, size in itertools.chain.from_iterable(there.values()):
            key = (name + label, code + 1)
            before = sold.setdefault(key, None)
            sold[key] = before if size is None else (before or 0) + size
            paid[key] += code
        found = small.rows(
            "select item, extract(day from day)::int, sold, paid::int from tallies where item like %s order by 1, 2",
            f"{name}_",
        )
        assert found == [(*key, sold[key], paid[key]) for key in sorted(sold)]

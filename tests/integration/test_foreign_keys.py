"""A record that refers to a row that is not there is rejected, whatever its keys and its dataset's policy say.

Held against an oracle that takes one record after the other into tables in memory.
"""

import itertools
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.postgres.staging import Staging
from chalicelib.bootstrap import Container
from chalicelib.core.dataset import parse_dataset
from chalicelib.core.schema import ForeignKey
from tests.policies import lines
from tests.system import System

numbers = itertools.count()
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

REGIONS: dict[str, Any] = {
    "name": "regions",
    "schema": {
        "fields": [{"name": "country", "type": "string"}, {"name": "region", "type": "integer"}],
        "primaryKey": ["country", "region"],
    },
}
CODES = {"name": "codes", "schema": {"fields": [{"name": "code", "type": "string"}], "primaryKey": "code"}}
KNOWN = {"fields": ["land", "area"], "reference": {"resource": "regions", "fields": ["country", "region"]}}


def visits(policy: str) -> dict[str, Any]:
    """A dataset of each policy whose records refer to a region by two fields, and to a code."""
    key = {"primaryKey": ["visit"]} if policy != "append" else {}
    if policy == "sum":
        key = {"primaryKey": ["visit", "land", "area", "code"]}
    return {
        "name": f"visits_{policy}",
        "schema": {
            "fields": [
                {"name": "visit", "type": "integer"},
                {"name": "land", "type": "string"},
                {"name": "area", "type": "integer"},
                {"name": "code", "type": "string"},
                {"name": "size", "type": "integer"},
            ],
            **key,
            "foreignKeys": [KNOWN, {"fields": "code", "reference": {"resource": "codes", "fields": "code"}}],
        },
        "dropload": {"on_conflict": policy, **({"measures": ["size"]} if policy == "sum" else {})},
    }


def staff(policy: str) -> dict[str, Any]:
    """A dataset that refers to itself, with another unique key besides."""
    return {
        "name": f"staff_{policy}",
        "schema": {
            "fields": [
                {"name": "number", "type": "integer"},
                {"name": "boss", "type": "integer"},
                {"name": "badge", "type": "string"},
            ],
            "primaryKey": "number",
            "uniqueKeys": [["badge"]],
            "foreignKeys": [{"fields": "boss", "reference": {"resource": "", "fields": "number"}}],
        },
        "dropload": {"on_conflict": policy},
    }


POLICIES = ("reject", "ignore", "update", "sum", "append")
Visit = tuple[int, str | None, int | None, str | None, int]
Worker = tuple[int, int | None, str | None]
PRESENT = {("de", 1), ("de", 2), ("fr", 1)}


@pytest.fixture
def system(system: System) -> System:
    return with_descriptors(
        system, [*map(visits, POLICIES), REGIONS, CODES, *map(staff, ("reject", "ignore", "update"))], batch_bytes=2000
    )


def with_descriptors(system: System, descriptors: list[dict[str, Any]], **changes: Any) -> System:
    container = Container(replace(system.settings, **changes))
    container.datasets.update({dataset.name: dataset for dataset in map(parse_dataset, descriptors)})
    container.schema.apply()
    return System(container.settings, container)


def load(system: System, dataset: str, data: bytes) -> dict[str, Any]:
    job = system.load(data, key=f"input/{dataset}/{next(numbers)}.csv")
    assert job["balanced"] is True
    return job


def parents(system: System) -> None:
    system.rows("insert into regions (country, region) values ('de', 1), ('de', 2), ('fr', 1)")
    system.rows("insert into codes (code) values ('a'), ('b')")


VISIT = "visit,land,area,code,size"
some_visits = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(["de", "fr", None]),
        st.sampled_from([1, 2, None]),
        st.sampled_from(["a", "b", "b", "x", None]),
        st.integers(1, 2),
    ),
    max_size=9,
)


def wrong(visit: Visit) -> list[str]:
    _, land, area, code, _ = visit
    lost = ["land,area"] if None not in (land, area) and (land, area) not in PRESENT else []
    return lost + (["code"] if code not in ("a", "b", None) else [])


@few
@given(policy=st.sampled_from(["reject", "ignore", "update", "append"]), files=st.lists(some_visits, max_size=2))
def test_records_that_refer_to_nothing_are_rejected_and_all_others_are_loaded(
    system: System, policy: str, files: list[list[Visit]]
) -> None:
    table_name = f"visits_{policy}"
    system.rows(f"truncate {table_name}; truncate regions cascade; truncate codes cascade")
    parents(system)
    table: list[Visit] = []
    for file in files:
        wanted = Counter(read=len(file))
        refused = []
        for line, visit in enumerate(file, 2):
            held = [at for at, kept in enumerate(table) if kept[0] == visit[0] and policy != "append"]
            if wrong(visit):
                wanted["rejected"] += 1
                refused.append((line, [(column, "foreign-key") for column in wrong(visit)]))
            elif held and policy == "reject":
                wanted["rejected"] += 1
                refused.append((line, [("visit", "unique-error")]))
            elif held and policy == "ignore":
                wanted["ignored"] += 1
            elif held:
                wanted["unchanged" if table[held[0]] == visit else "updated"] += 1
                table[held[0]] = visit
            else:
                wanted["inserted"] += 1
                table.append(visit)
        job = load(system, table_name, lines(VISIT, file))
        assert Counter(job["counts"]) == wanted
        found = system.rejections(job)
        assert [(r["line"], [(e["column"], e["code"]) for e in r["errors"]]) for r in found] == refused
    rows = system.rows(f"select visit, land, area, code, size from {table_name}")
    assert Counter(rows) == Counter(table)


def test_sums_leave_out_what_refers_to_nothing(system: System) -> None:
    parents(system)
    rows = [(1, "de", 1, "a", 5), (1, "de", 3, "a", 5), (1, "de", 1, "a", 2), (1, "de", 1, "x", 1)]
    job = load(system, "visits_sum", lines(VISIT, rows))
    assert (job["counts"]["inserted"], job["counts"]["updated"], job["counts"]["rejected"]) == (1, 1, 2)
    assert system.rows("select size from visits_sum") == [(7,)]


def test_the_error_names_fields_and_dataset_and_no_value(system: System) -> None:
    parents(system)
    job = load(system, "visits_reject", lines(VISIT, [(1, "secretland", 7, "a", 5)]))
    [rejection] = system.rejections(job)
    assert rejection["errors"] == [
        {
            "column": "land,area",
            "code": "foreign-key",
            "message": "no row of regions has this country and region",
        }
    ]


def test_file_without_the_columns_refers_to_nothing(system: System) -> None:
    job = load(system, "visits_append", b"visit,land,size\n1,xx,3\n")
    assert job["counts"]["inserted"] == 1


def accepted_one_by_one(table: dict[int, Worker], file: list[Worker], policy: str) -> tuple[Counter[str], list[int]]:
    """Take the rows of ``file`` into ``table``; what became of each, and the lines that were rejected."""
    counts, refused = Counter(read=len(file)), []
    for line, worker in enumerate(file, 2):
        number, boss, badge = worker
        badges = [kept[0] for kept in table.values() if badge is not None and kept[2] == badge]
        if boss is not None and boss != number and boss not in table:
            outcome = "rejected"
        elif policy == "update":
            if table.get(number) == worker:
                outcome = "unchanged"
            elif [holder for holder in badges if holder != number]:
                outcome = "rejected"
            else:
                outcome = "updated" if number in table else "inserted"
                table[number] = worker
        elif number in table or badges:
            outcome = "rejected" if policy == "reject" else "ignored"
        else:
            outcome = "inserted"
            table[number] = worker
        counts[outcome] += 1
        if outcome == "rejected":
            refused.append(line)
    return counts, refused


some_staff = st.lists(
    st.tuples(
        st.integers(1, 5), st.none() | st.integers(1, 6), st.sampled_from(["a", "b", "c", "d", "e", "f", "g", None])
    ),
    max_size=8,
)


@settings(parent=few, max_examples=100)
@example(policy="reject", files=[[(1, None, "a"), (2, None, "a"), (3, 2, "b"), (2, None, "c")]])
@example(policy="ignore", files=[[(1, None, "a")], [(2, None, "a"), (3, 2, "b"), (2, None, "c")]])
@example(policy="ignore", files=[[(1, None, "a"), (2, None, "a"), (1, 2, "a")]])
@example(policy="update", files=[[(1, None, "a")], [(2, 1, None), (3, 2, "b"), (2, 3, "c"), (4, 5, "d"), (5, 4, "e")]])
@given(policy=st.sampled_from(["reject", "ignore", "update"]), files=st.lists(some_staff, max_size=2))
def test_a_dataset_may_refer_to_itself_to_rows_and_to_earlier_records(
    system: System, policy: str, files: list[list[Worker]]
) -> None:
    name = f"staff_{policy}"
    system.rows(f"truncate {name} cascade")
    table: dict[int, Worker] = {}
    for file in files:
        counts, refused = accepted_one_by_one(table, file, policy)
        job = load(system, name, lines("number,boss,badge", file))
        assert Counter(job["counts"]) == counts
        assert [rejection["line"] for rejection in system.rejections(job)] == refused
    assert system.rows(f"select number, boss, badge from {name} order by 1") == sorted(table.values())


def test_records_that_refer_to_nothing_do_not_send_their_batch_down_the_slow_path(system: System) -> None:
    parents(system)
    system.rows("drop function dropload.insert_singly, dropload.merge_singly")  # whoever goes there fails
    rows = [(n, "de", 1 + n % 3, "a", 1) for n in range(60)]
    for policy in POLICIES:
        job = load(system, f"visits_{policy}", lines(VISIT, rows))
        assert (job["state"], job["counts"]["rejected"]) == ("COMPLETED_WITH_FAILURES", 20)
    twice = [(n, "de", 1 + n % 3, "b", size) for size in (1, 2) for n in range(30)]
    counts = load(system, "visits_update", lines(VISIT, twice))["counts"]
    assert (counts["updated"], counts["rejected"]) == (40, 20)


def test_staff_comes_in_at_once_where_bosses_stand_first(system: System) -> None:
    system.rows("drop function dropload.insert_singly, dropload.merge_singly")
    file = [(n, n // 2 or None, f"b{n}") for n in range(1, 60)]
    for policy in ("reject", "ignore", "update"):
        counts = load(system, f"staff_{policy}", lines("number,boss,badge", file))["counts"]
        assert counts["inserted"] == 59
        again = load(system, f"staff_{policy}", lines("number,boss,badge", [*file, (60, 1, "b60")]))["counts"]
        assert (again["inserted"], again["read"]) == (1, 60)


@pytest.mark.parametrize("policy", POLICIES)
def test_row_that_goes_between_look_and_insert_is_found_by_the_constraint(
    system: System, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parents(system)

    def look_then_lose(staging: Staging, link: ForeignKey) -> set[int]:
        rows = look(staging, link)
        if link.dataset == "codes":
            system.rows("delete from codes where code = 'b'")  # committed, in a connection of its own
        return rows

    look = Staging.dangling
    monkeypatch.setattr(Staging, "dangling", look_then_lose)
    rows = [(1, "de", 1, "a", 1), (2, "de", 1, "b", 1), (3, "xx", 1, "a", 1)]
    job = load(system, f"visits_{policy}", lines(VISIT, rows))
    found = [(r["line"], r["errors"][0]["column"], r["errors"][0]["message"]) for r in system.rejections(job)]
    assert found == [
        (3, "code", "no row of codes has this code"),
        (4, "land,area", "no row of regions has this country and region"),
    ]
    assert job["counts"]["inserted"] == 1


def test_update_of_what_others_refer_to_is_rejected_alone(system: System) -> None:
    badges = {
        "name": "badges",
        "schema": {
            "fields": [
                {"name": "badge", "type": "integer"},
                {"name": "code", "type": "string", "constraints": {"required": True}},
            ],
            "primaryKey": "badge",
            "uniqueKeys": [["code"]],
        },
        "dropload": {"on_conflict": "update"},
    }
    doors = {
        "name": "doors",
        "schema": {
            "fields": [{"name": "code", "type": "string"}],
            "foreignKeys": [{"fields": "code", "reference": {"resource": "badges", "fields": "code"}}],
        },
        "dropload": {"on_conflict": "append"},
    }
    system = with_descriptors(system, [badges, doors])
    load(system, "badges", b"badge,code\n1,a\n2,b\n")
    load(system, "doors", b"code\na\n")
    job = load(system, "badges", b"badge,code\n1,x\n1,a\n2,y\n")
    [rejection] = system.rejections(job)
    assert (rejection["line"], rejection["errors"][0]["code"]) == (2, "foreign-key")
    assert "rows of another table refer to" in rejection["errors"][0]["message"]
    assert (job["counts"]["updated"], job["counts"]["unchanged"]) == (1, 1)


def test_workers_on_parents_and_children_at_once_never_deadlock(system: System) -> None:
    accounts = {
        "name": "accounts",
        "schema": {
            "fields": [{"name": "code", "type": "integer"}, {"name": "label", "type": "string"}],
            "primaryKey": "code",
        },
        "dropload": {"on_conflict": "update"},
    }
    link = {"fields": "account", "reference": {"resource": "accounts", "fields": "code"}}
    bookings = {
        "name": "bookings",
        "schema": {"fields": [{"name": "account", "type": "integer"}], "foreignKeys": [link]},
        "dropload": {"on_conflict": "append"},
    }
    both = [accounts, bookings]
    system = with_descriptors(system, both)
    codes = list(range(1, 800))
    load(system, "accounts", lines("code,label", [(code, "old") for code in codes]))
    system.drop("input/bookings/up.csv", b"account\n" + b"".join(b"%d\n" % code for code in codes))
    system.drop("input/bookings/down.csv", b"account\n" + b"".join(b"%d\n" % code for code in codes[::-1]))
    system.drop("input/accounts/new.csv", lines("code,label", [(code, "new") for code in codes[::-1]]))
    while len(system.container.views.jobs(limit=10)) < 4:
        system.deliver(system.settings.intake_queue)
    bodies = []
    for body, delete in system.receive(system.settings.batch_queue):
        bodies.append(body)
        delete()

    def work(body: str) -> None:
        worker = with_descriptors(system, both)
        worker.container.intake.load(body)
        worker.container.database.close()

    with ThreadPoolExecutor(len(bodies)) as pool:
        list(pool.map(work, bodies))
    assert {job["state"] for job in system.container.views.jobs(limit=10)} == {"COMPLETED"}
    assert system.rows("select count(*) from bookings") == [(2 * len(codes),)]
    assert system.rows("select distinct label from accounts") == [("new",)]
    system.container.database.close()
    assert system.rows("select deadlocks from pg_stat_database where datname = current_database()") == [(0,)]


def test_job_under_way_goes_on_by_the_descriptor_of_whoever_loads_it(system: System) -> None:
    def things(*fields: dict[str, Any]) -> dict[str, Any]:
        return {"name": "things", "schema": {"fields": list(fields)}, "dropload": {"on_conflict": "append"}}

    size: dict[str, Any] = {"name": "size", "type": "integer", "constraints": {"minimum": 0, "maximum": 99}}
    before = with_descriptors(system, [things(size)], batch_bytes=20)
    before.drop("input/things/a.csv", b"size,note\n" + b"".join(b"%d,words\n" % n for n in range(10, 20)))
    while not before.deliver(before.settings.intake_queue):
        pass
    bodies = []
    for body, delete in before.receive(before.settings.batch_queue):
        bodies.append(body)
        delete()
    bodies.sort(key=lambda body: int(json.loads(body)["batch"]))
    before.container.intake.load(bodies[0])
    note = {"name": "note", "type": "string"}
    after = with_descriptors(system, [things(note, {"name": "size", "type": "number"})])
    for body in bodies[1:]:
        after.container.intake.load(body)
    job = after.job("input/things/a.csv")
    assert (job["state"], job["balanced"], job["counts"]["inserted"]) == ("COMPLETED", True, 10)
    assert after.rows("select sum(size), count(note) from things") == [(145, 8)]

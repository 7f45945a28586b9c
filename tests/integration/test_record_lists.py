"""Lists of records: filters that an index serves, pages that show each row once, and how much there is."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.postgres.rowreads import page_query
from chalicelib.core.access import EVERYONE
from chalicelib.core.dataset import Dataset
from chalicelib.errors import RequestRefused
from chalicelib.services.filters import check_filters
from tests.policies import with_policies
from tests.system import System, members

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

WIDE = {
    "name": "wide",
    "schema": {
        "fields": [
            {"name": "flag", "type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]},
            {"name": "at", "type": "datetime"},
            {"name": "took", "type": "duration"},
            {"name": "paid", "type": "number", "decimalChar": ","},
            {"name": "origin", "type": "string"},
            {"name": "data", "type": "object"},
            {"name": "note", "type": "string"},
        ]
    },
    "dropload": {"on_conflict": "append", "filters": ["flag", "at", "took", "paid", "origin"]},
}


def page(
    system: System, name: str, cursor: str | None = None, limit: int = 100, **filters: str
) -> tuple[list[Any], Any]:
    found = system.container.records.page(EVERYONE, name, filters=filters, cursor=cursor, limit=limit)
    return [json.loads(body) for body in found.bodies], found.next_cursor


def all_pages(system: System, name: str, limit: int, **filters: str) -> list[Any]:
    found, cursor = page(system, name, None, limit, **filters)
    while cursor is not None:
        more, cursor = page(system, name, cursor, limit, **filters)
        assert len(more) <= limit
        found += more
    return found


def refused(system: System, name: str, code: str, **filters: Any) -> str:
    with pytest.raises(RequestRefused) as found:
        page(system, name, **filters)
    assert (found.value.status, found.value.code) == (400, code)
    return found.value.message


def test_members_are_found_by_each_of_their_ids(system: System) -> None:
    system.load(members(*range(10)))
    [row] = page(system, "members", phone_number="0000000003")[0]
    assert row["client_member_id"] == 3
    assert page(system, "members", client_member_id="3")[0] == [row]
    assert page(system, "members", client_member_id="+003", phone_number="0000000003")[0] == [row]
    assert page(system, "members", client_member_id="3", phone_number="0000000004") == ([], None)
    assert len(all_pages(system, "members", 3, account_id="7")) == 10


def test_filters_are_declared_ones_and_keys_and_the_refusal_names_them(system: System) -> None:
    declared = "the dataset's filters are: phone_number, client_member_id, account_id"
    assert refused(system, "members", "bad-filter", first_name="Ana") == declared
    assert refused(system, "members", "bad-filter", nothing="1") == declared
    assert refused(system, "members", "bad-filter", id="1") == declared
    assert refused(system, "members", "bad-filter", client_member_id="x", account_id="") == (
        "client_member_id: not an integer; account_id: required, but empty"
    )
    system = with_policies(system)
    assert page(system, "tallies", item="a", day="2026-01-31") == ([], None)
    assert (
        refused(system, "tallies", "bad-filter", day="2026-01-31") == "the dataset's filters are: item, day (with item)"
    )


def test_values_are_compared_as_files_have_them(system: System) -> None:
    system = with_policies(system, [WIDE])
    record = {
        "flag": True,
        "at": "2026-01-31T12:00:00+02:00",
        "took": "P30D",
        "paid": "1,50",
        "origin": "x'; --",
        "data": {"a": 1.50},
    }
    records = system.container.records
    made = json.loads(records.create(EVERYONE, "wide", json.dumps(record).encode()).body)
    records.create(EVERYONE, "wide", b"{}")
    for name, text in {
        "flag": "yes",
        "at": "2026-01-31T10:00:00Z",
        "took": "P1M",
        "paid": "1,5",
        "origin": "x'; --",
    }.items():
        assert page(system, "wide", None, 100, **{name: text})[0] == [made], name
        assert [row["data"] for row in page(system, "wide", None, 100, **{name: ""})[0]] == [None]
    changed = records.patch(EVERYONE, "wide", made["id"], b'{"origin": "%(y)s", "took": null}', None)
    assert json.loads(changed.body) == {**made, "origin": "%(y)s", "took": None}


def test_a_cursor_is_of_one_list(system: System) -> None:
    system.load(members(*range(5)))
    _, cursor = page(system, "members", limit=2)
    assert cursor is not None
    refused(system, "members", "bad-cursor", cursor=cursor, account_id="7")
    refused(system, "plays", "bad-cursor", cursor=cursor)
    refused(system, "members", "bad-cursor", cursor="x")


@pytest.mark.parametrize(("text", "rows"), [("x" * 900_000, 3), ("\x01" * 150_000, 4)])
def test_a_page_of_large_records_ends_early_and_none_is_lost(system: System, text: str, rows: int) -> None:
    """By their own size, and by that of the JSON that they make."""
    system = with_policies(system, [WIDE])
    records = system.container.records
    for _ in range(7):
        records.create(EVERYONE, "wide", json.dumps({"note": text}).encode())
    first, cursor = page(system, "wide", limit=1000)
    assert len(first) == rows
    assert cursor is not None
    assert len(all_pages(system, "wide", 1000)) == 7


@given(
    st.lists(st.tuples(st.sampled_from(["insert", "delete", "page"]), st.integers(0, 2)), max_size=25),
    st.integers(1, 4),
)
@few
def test_every_row_that_stays_is_on_one_page_whatever_comes_and_goes(
    system: System, steps: list[tuple[str, int]], limit: int
) -> None:
    system = with_policies(system)
    records = system.container.records
    records.delete_all(EVERYONE, "events", "events")
    bodies = [{"what": "ab"[n % 2], "size": n % 3} for n in range(8)]
    staying = {item["id"] for item in records.put(EVERYONE, "events", json.dumps(bodies).encode())["items"]}
    seen: list[int] = []
    cursor: str | None = None
    for step, number in [*steps, *(("page", 0) for _ in range(40))]:
        if step == "insert":
            records.create(EVERYONE, "events", b'{"what": "new"}')
        elif step == "delete" and len(staying) > number:
            gone = sorted(staying)[number]
            records.delete(EVERYONE, "events", gone, None)
            staying.discard(gone)
        elif step == "page" and (cursor is not None or not seen):
            rows, cursor = page(system, "events", cursor, limit)
            seen += [row["id"] for row in rows]
    assert seen == sorted(set(seen))
    assert staying <= set(seen)


def test_each_filter_is_served_by_an_index(system: System) -> None:
    """On a table that is large enough for the planner to care, and that nothing was switched off for."""
    system.rows(
        "insert into members (first_name, last_name, phone_number, client_member_id, account_id)"
        " select 'A', 'B', lpad(n::text, 10, '0'), n, n % 1000 from generate_series(1, 100000) as n"
    )
    system.rows("insert into products (name, sku, status) select 'A', n, 'active' from generate_series(1, 100000) as n")
    system.rows(
        "insert into plays (song, date, plays) select n % 1000, date '2026-01-01' + n / 1000, 1"
        " from generate_series(1, 100000) as n"
    )
    system.rows("analyze members, plays, products")
    lookups = {
        "members": [{"phone_number": "0000000007"}, {"client_member_id": "7"}, {"account_id": "7"}, {}],
        "products": [{"sku": "7"}, {"status": "active"}, {"status": "inactive"}],
        "plays": [{"song": "7"}, {"date": "2026-01-07"}, {"song": "7", "date": "2026-01-07"}],
    }
    for name, filters in ((name, filters) for name, each in lookups.items() for filters in each):
        dataset = system.container.datasets[name]
        plan = plan_of(system, dataset, filters)
        assert "Index" in plan or "Bitmap" in plan, (name, filters, plan)
        assert "Seq Scan" not in plan, (name, filters, plan)


def plan_of(system: System, dataset: Dataset, filters: dict[str, str]) -> str:
    with system.container.database.transaction() as cursor:
        query = page_query(dataset, check_filters(dataset, filters), 0, 101).as_string(cursor)
    return "\n".join(line for (line,) in system.rows("explain " + query.replace("%", "%%")))


def test_small_tables_are_counted_and_large_ones_estimated(system: System) -> None:
    def rows() -> Any:
        return system.container.dataset_answers.get(EVERYONE, "members")["rows"]

    assert rows() == {"count": 0, "estimated": False}
    numbers = itertools.count(1)
    system.load(members(*itertools.islice(numbers, 10)))
    assert rows() == {"count": 10, "estimated": False}
    system.load(members(*itertools.islice(numbers, 20_000)), key="input/members/more.csv")
    assert rows()["count"] > 10_000, "whatever the planner knows by now"
    system.rows("analyze members")
    estimated = rows()
    assert estimated["estimated"] is True
    assert 15_000 < estimated["count"] < 25_000


def test_a_dataset_shows_its_descriptor_its_jobs_and_what_came_on_each_day(system: System) -> None:
    answers = system.container.dataset_answers
    system.load(members(1, 2) + b"bad\n", key="input/members/a.csv")
    system.load(members(1), key="input/members/b.csv")
    system.load(members(1), key="input/members/b.csv")
    system.rows("update dropload.job set created_at = now() - interval '2 days' where key = 'input/members/a.csv'")
    found = answers.get(EVERYONE, "members")
    assert [job["state"] for job in found["jobs"]] == [
        "DUPLICATE",
        "COMPLETED_WITH_FAILURES",
        "COMPLETED_WITH_FAILURES",
    ]
    assert found["descriptor"]["schema"]["uniqueKeys"] == [["phone_number"], ["client_member_id"]]
    assert found["descriptor"]["schema"]["fields"][2] == {
        "name": "phone_number",
        "type": "string",
        "constraints": {"required": True, "unique": True, "pattern": "[0-9]{10}"},
    }
    json.dumps(found)
    days = answers.volumes(EVERYONE, "members", 4)
    assert [(day["files"], day["records"], day["rejected"]) for day in days] == [
        (0, 0, 0),
        (1, 3, 1),
        (0, 0, 0),
        (1, 1, 1),
    ]
    assert days[-1]["day"] == str(system.rows("select (now() at time zone 'UTC')::date")[0][0])
    assert [one["name"] for one in answers.all(EVERYONE)] == ["members", "plays", "products"]

"""A job is undone: its rows go, what it changed is as it was, what it added is taken away; shown first, done once."""

from collections.abc import Mapping
from contextlib import closing
from itertools import count
from typing import Any
from uuid import UUID

import psycopg2
import pytest

from chalicelib.adapters.postgres import hurry
from chalicelib.core.access import EVERYONE
from chalicelib.errors import RequestRefused
from chalicelib.services import undo as undoing
from chalicelib.services.redrive import What
from tests.policies import EVENTS, ITEMS, PARTS, ROSTER, TAGGED, TALLIES, lines, with_policies
from tests.system import MEMBERS, System, forever, member, members


def keeping(descriptor: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The descriptor with undo_days."""
    return {**descriptor, "dropload": {**descriptor["dropload"], "undo_days": 30}, **changes}


@pytest.fixture
def small(system: System) -> System:
    """Batches of a few records, of datasets whose changes are kept."""
    kept = [keeping(ITEMS), keeping(TAGGED), keeping(TALLIES), EVENTS, ROSTER]
    return with_policies(system, kept, batch_bytes=60, max_record_bytes=200)


def load(system: System, dataset: str, name: str, rows: list[tuple[object, ...]], header: str = "") -> dict[str, Any]:
    header = header or {"items": "code,label,size", "tallies": "item,day,sold,paid", "events": "what,size"}.get(
        dataset, "code,tag,size"
    )
    return system.load(lines(header, rows), key=f"input/{dataset}/{name}.csv")


def plan(system: System, job: Mapping[str, Any]) -> dict[str, Any]:
    found = system.container.undo.plan(UUID(job["id"]))
    return {**found, "rows": {fate: rows for fate, rows in found["rows"].items() if rows}}


def undo(system: System, job: Mapping[str, Any]) -> dict[str, Any]:
    """Do what the plan shows, and check that it was done; what became of which number of rows."""
    shown = plan(system, job)
    assert shown["possible"], shown
    system.container.undo.ask(UUID(job["id"]), shown["token"])
    system.pump()
    done = system.container.views.job(UUID(job["id"]))
    assert done is not None
    assert done["undone"]["reason"] is None
    assert (done["state"], done["counts"], done["balanced"]) == (job["state"], job["counts"], True)
    return {fate: rows for fate, rows in done["undone"]["counts"].items() if rows}


def items(system: System) -> list[tuple[Any, ...]]:
    return system.rows("select code, label, size from items order by code")


def test_rows_that_it_made_are_removed_and_the_file_loads_again(system: System) -> None:
    system.load(members(1, 2), key="input/members/first.csv")
    job = system.load(members(3, 4, 5), key="input/members/a.csv")
    assert plan(system, job)["rows"] == {"deleted": 3}
    assert undo(system, job) == {"deleted": 3}
    assert system.rows("select count(*), max(phone_number) from members") == [(2, f"{2:010d}")]
    again = system.load(members(3, 4, 5), key="input/members/a.csv")
    assert (again["state"], again["counts"]["inserted"]) == ("COMPLETED", 3)


def test_what_it_changed_is_as_it_was_and_whose_it_was(small: System) -> None:
    load(small, "items", "a", [(1, "a", 1), (2, "a", 2), (3, "a", 3)])
    before = small.rows("select * from items order by id")
    job = load(small, "items", "b", [(2, "b", 9), (3, "a", 3), (4, "b", 4), (2, "c", 9), (5, "b", None)])
    assert undo(small, job) == {"deleted": 2, "restored": 1}
    assert small.rows("select * from items order by id") == before
    assert small.rows("select count(*) from dropload.before") == [(0,)]


def test_columns_that_its_file_has_not_are_left_alone(small: System) -> None:
    load(small, "items", "a", [(1, "a", 1)])
    job = load(small, "items", "b", [(1, "b")], "code,label")
    assert undo(small, job) == {"restored": 1}
    assert items(small) == [(1, "a", 1)]


def test_what_others_have_changed_since_stays_and_goes_with_them(small: System) -> None:
    load(small, "items", "a", [(1, "a", 1)])
    second = load(small, "items", "b", [(1, "b", 2), (2, "b", 2)])
    third = load(small, "items", "c", [(1, "c", 3), (2, "c", 3)])
    assert undo(small, second) == {"changed": 2}
    assert items(small) == [(1, "c", 3), (2, "c", 3)]
    assert undo(small, third) == {"deleted": 1, "restored": 1}
    assert items(small) == [(1, "a", 1)]


def test_what_others_have_found_right_since_stays_and_is_theirs(small: System) -> None:
    load(small, "items", "a", [(1, "a", 1)])
    second = load(small, "items", "b", [(1, "b", 2), (2, "b", 2)])
    third = load(small, "items", "c", [(1, "b", 2), (2, "b", 2)])
    assert third["counts"]["unchanged"] == 2
    assert undo(small, second) == {"changed": 2}
    assert items(small) == [(1, "b", 2), (2, "b", 2)]
    fourth = load(small, "items", "d", [(1, "b", 2)])
    assert undo(small, third) == {"changed": 1, "deleted": 1}
    assert undo(small, fourth) == {"restored": 1}
    assert items(small) == [(1, "a", 1)]


def test_what_somebody_has_changed_by_hand_stays(small: System) -> None:
    load(small, "items", "a", [(1, "a", 1), (2, "a", 2)])
    job = load(small, "items", "b", [(1, "b", 1), (2, "b", 2), (3, "b", 3)])
    small.rows("update items set label = 'x' where code = 1")
    small.rows("delete from items where code = 2")
    small.rows("update items set label = 'y', _origin = 0 where code = 3")
    assert plan(small, job)["rows"] == {"changed": 1, "gone": 2}
    assert undo(small, job) == {"changed": 1, "gone": 2}
    assert items(small) == [(1, "x", 1), (3, "y", 3)]


def test_a_value_that_somebody_else_has_now_is_refused_alone(small: System) -> None:
    header = "code,tag,size"
    load(small, "tagged", "a", [(1, "one", 1), (2, "two", 2)], header)
    job = load(small, "tagged", "b", [(1, "uno", 1), (2, "due", 2)], header)
    load(small, "tagged", "c", [(3, "one", 3)], header)
    assert undo(small, job) == {"restored": 1, "refused": 1}
    assert small.rows("select code, tag from tagged order by code") == [(1, "uno"), (2, "two"), (3, "one")]


def test_values_that_went_from_row_to_row_go_back(small: System) -> None:
    header = "code,tag,size"
    load(small, "tagged", "a", [(1, "x", 1), (2, "y", 2)], header)
    job = load(small, "tagged", "b", [(1, "z", 1), (2, "x", 2), (3, "y", 3), (1, "w", 5)], header)
    assert small.rows("select code, tag from tagged order by code") == [(1, "w"), (2, "x"), (3, "y")]
    assert undo(small, job) == {"deleted": 1, "restored": 2}
    assert small.rows("select code, tag, size from tagged order by code") == [(1, "x", 1), (2, "y", 2)]


def test_rows_that_others_refer_to_stay(system: System) -> None:
    system = with_policies(system, [keeping(ITEMS), PARTS])
    job = load(system, "items", "a", [(1, "a", 1), (2, "a", 2)])
    parts = load(system, "parts", "p", [(1, 2)], "no,of")
    assert plan(system, job)["rows"] == {"deleted": 1, "held": 1}
    assert undo(system, parts) == {"deleted": 1}
    assert undo(system, job) == {"deleted": 2}
    assert items(system) == []


def test_rows_of_its_own_that_refer_to_each_other_go_together(system: System) -> None:
    tree = {
        "name": "tree",
        "schema": {
            "fields": [{"name": "no", "type": "integer"}, {"name": "up", "type": "integer"}],
            "primaryKey": "no",
            "foreignKeys": [{"fields": "up", "reference": {"resource": "", "fields": "no"}}],
        },
    }
    system = with_policies(system, [tree])
    job = load(system, "tree", "a", [(1, None), (2, 1), (3, 2), (7, None), (8, 7)], "no,up")
    load(system, "tree", "b", [(4, 3)], "no,up")
    assert undo(system, job) == {"deleted": 2, "held": 3}
    assert system.rows("select no from tree order by no") == [(1,), (2,), (3,), (4,)]


@pytest.mark.parametrize("way", ["gathered", "directly", "singly"])
def test_what_it_added_is_taken_away(small: System, way: str) -> None:
    if way == "singly":
        small.rows("alter table tallies add check (sold <> 13)")
    if way == "directly":
        small = with_policies(small, [keeping(TALLIES)], batch_bytes=100_000)
    day = "2026-01-01"
    first = load(small, "tallies", "a", [("x", day, 1, 1), ("y", day, 2, "0.5"), ("x", day, 10, 1), ("z", day, 5, 5)])
    second = load(small, "tallies", "b", [("x", day, 3, 1), ("w", day, 4, 4), ("y", day, None, 0), ("x", day, 9, 1)])
    table = "select item, sold, paid::float from tallies order by item"
    assert small.rows(table) == [("w", 4, 4), ("x", 23, 4), ("y", 2, 0.5), ("z", 5, 5)]
    assert undo(small, first) == {"deleted": 1, "subtracted": 2}
    assert small.rows(table) == [("w", 4, 4), ("x", 12, 2), ("y", None, 0)]
    theirs = "select distinct _origin >> 23 = number from tallies, dropload.job where job.id = %s"
    assert small.rows(theirs, second["id"]) == [(True,)]
    assert undo(small, second) == {"deleted": 3}
    assert small.rows(table) == []
    assert load(small, "tallies", "a", [("x", day, 1, 1), ("y", day, 2, "0.5"), ("x", day, 10, 1), ("z", day, 5, 5)])[
        "state"
    ] == "COMPLETED"  # fmt: skip


def test_a_correction_takes_what_it_resolved_along(system: System) -> None:
    parent = system.load((MEMBERS + member(1) + member(2, account_id="x")).encode())
    mended = system.rejected_csv(parent).replace(b",x\n", b",7\n")
    child = system.load(mended, key=f"input/members/job={parent['id']}/mended.csv")
    assert system.job("input/members/file.csv")["resolved"] == 1
    assert plan(system, child)["unresolved"] == 1
    assert undo(system, child) == {"deleted": 1, "unresolved": 1}
    assert system.job("input/members/file.csv")["resolved"] == 0
    again = system.container.redrive.run(UUID(parent["id"]), What.REJECTED)
    assert again != UUID(child["id"])


def test_a_cancelled_job_is_undone_and_loaded_whole(small: System) -> None:
    key = "input/members/file.csv"
    bodies = small.split(key, members(*range(1, 20)))
    small.container.intake.load(bodies[0])
    id = UUID(small.job(key)["id"])
    small.container.cancel.run(id)
    small.pump()
    undo(small, small.job(key))
    with pytest.raises(RequestRefused, match="undone"):
        small.container.redrive.run(id, What.REJECTED)
    small.container.redrive.run(id, What.ALL)
    small.pump()
    assert small.job(key)["counts"]["inserted"] == 19
    assert small.rows("select count(*) from members") == [(19,)]


def test_what_was_shown_is_what_is_done(small: System) -> None:
    load(small, "items", "a", [(1, "a", 1), (2, "a", 2)])
    job = load(small, "items", "b", [(1, "b", 1), (2, "b", 2)])
    id = UUID(job["id"])
    token = plan(small, job)["token"]
    with pytest.raises(RequestRefused, match="plan-changed"):
        small.container.undo.ask(id, "another")
    small.container.undo.ask(id, token)
    [(body, delete)] = small.receive(small.settings.batch_queue)
    delete()
    load(small, "items", "c", [(1, "c", 1)])
    small.container.intake.load(body, forever)
    refused = small.container.views.job(id)
    assert refused is not None
    assert refused["undone"]["reason"]["code"] == "plan-changed"
    assert items(small) == [(1, "c", 1), (2, "b", 2)]
    assert undo(small, job) == {"changed": 1, "restored": 1}  # with a plan that holds


def test_once_done_it_is_done_once(small: System) -> None:
    load(small, "tallies", "a", [("x", "2026-01-01", 1, 1)])
    job = load(small, "tallies", "b", [("x", "2026-01-01", 2, 1)])
    token = plan(small, job)["token"]
    small.container.undo.ask(UUID(job["id"]), token)
    small.container.undo.ask(UUID(job["id"]), token)
    small.pump(times=2)
    small.container.undo.ask(UUID(job["id"]), token)
    small.pump()
    assert plan(small, job)["reason"]["code"] == "undone"
    assert small.rows("select sold from tallies") == [(1,)]


def test_what_got_lost_is_sent_again(small: System) -> None:
    job = load(small, "events", "a", [("x", 1)])
    small.container.undo.ask(UUID(job["id"]), plan(small, job)["token"])
    list(small.receive(small.settings.batch_queue))
    assert small.container.undo.sweep() == 0
    small.rows("update dropload.undo set sent_at = now() - interval '1 hour'")
    assert small.container.sweep.run().undos == 1
    small.pump()
    assert small.rows("select count(*) from events") == [(0,)]


def test_given_up_it_may_be_asked_for_again(small: System) -> None:
    job = load(small, "events", "a", [("x", 1)])
    small.container.undo.ask(UUID(job["id"]), plan(small, job)["token"])
    for body, delete in small.receive(small.settings.batch_queue):
        small.container.intake.bury_batch(body)
        delete()
    found = small.container.views.job(UUID(job["id"]))
    assert found is not None
    assert found["undone"]["reason"]["code"] == "exhausted"
    assert undo(small, job) == {"deleted": 1}


def reason(system: System, job: Mapping[str, Any]) -> str:
    return str(plan(system, job)["reason"]["code"])


def test_what_cannot_be_undone_says_why(small: System) -> None:
    replaced = load(small, "roster", "a", [(1, "a", 1)])
    assert reason(small, replaced) == "not-kept"
    bodies = small.split("input/members/a.csv", members(1))
    assert reason(small, small.job("input/members/a.csv")) == "not-ended"
    for body in bodies:
        small.container.intake.load(body, forever)
    assert reason(small, small.load(members(1), key="input/members/a.csv")) == "nothing-loaded"
    tried = small.load(members(2), key="input/members/b.csv", metadata={"dropload-validate-only": "true"})
    assert reason(small, tried) == "nothing-loaded"
    with pytest.raises(RequestRefused, match="not-found"):
        small.container.undo.plan(UUID(int=7))


def test_where_nothing_was_kept_nothing_is_guessed(small: System) -> None:
    kept = load(small, "items", "a", [(1, "a", 1)])
    careless = with_policies(small, [ITEMS])
    unkept = load(careless, "items", "b", [(1, "b", 1)])
    assert reason(small, unkept) == reason(small, kept) == "not-kept"
    assert small.rows("select count(*) from dropload.before") == [(0,)]


def test_what_was_written_through_the_api_since_stays(small: System) -> None:
    load(small, "items", "a", [(1, "a", 1), (2, "a", 2)])
    job = load(small, "items", "b", [(1, "b", 1), (2, "b", 2), (3, "b", 3)])
    small.container.records.put(EVERYONE, "items", b'[{"code": 1, "label": "x", "size": 1}]')
    small.container.records.put(EVERYONE, "items", b'[{"code": 2, "label": "b", "size": 2}]')
    assert undo(small, job) == {"deleted": 1, "changed": 2}
    assert items(small) == [(1, "x", 1), (2, "b", 2)]


def test_what_the_api_added_since_stays(small: System) -> None:
    job = load(small, "tallies", "a", [("x", "2026-01-01", 5, 1), ("y", "2026-01-01", 5, 1)])
    small.container.records.put(EVERYONE, "tallies", b'[{"item": "x", "day": "2026-01-01", "sold": 2, "paid": 3}]')
    assert undo(small, job) == {"deleted": 1, "subtracted": 1}
    assert small.rows("select item, sold, paid::int from tallies") == [("x", 2, 3)]


def test_what_the_api_added_one_by_one_stays(small: System) -> None:
    small.rows("alter table tallies add check (sold <> 13)")
    job = load(small, "tallies", "a", [("x", "2026-01-01", 5, 1), ("y", "2026-01-01", 5, 1)])
    body = (
        b'[{"item": "x", "day": "2026-01-01", "sold": 2, "paid": 3}, {"item": "z", "day": "2026-01-01", "sold": 13,'
        b' "paid": 3}, {"item": "w", "day": "2026-01-01", "sold": 1, "paid": 1}]'
    )
    small.container.records.put(EVERYONE, "tallies", body)
    assert undo(small, job) == {"deleted": 1, "subtracted": 1}
    assert small.rows("select item, sold, paid::int from tallies order by item") == [("w", 1, 1), ("x", 2, 3)]


def test_all_that_a_plan_asks_takes_no_longer_than_somebody_waits(
    small: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = load(small, "items", "a", [(1, "a", 1)])
    seconds = count(step=6)  # each statement, none of which takes 20
    monkeypatch.setattr(hurry, "monotonic", lambda: next(seconds))
    with pytest.raises(RequestRefused) as refused:
        plan(small, job)
    assert (refused.value.status, refused.value.code) == (409, "too-large")


def test_a_statement_of_a_plan_is_cancelled_when_the_time_is_over(
    small: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = load(small, "items", "a", [(1, "a", 1)])
    monkeypatch.setattr(undoing, "_LOOK_SECONDS", 0.5)
    with closing(psycopg2.connect(small.database_url)) as other, other.cursor() as cursor:
        cursor.execute("lock table items in access exclusive mode")
        with pytest.raises(RequestRefused, match="too-large"):
            plan(small, job)
    assert plan(small, job)["possible"]

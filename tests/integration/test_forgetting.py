"""What is old goes, and nothing that something needs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from chalicelib.adapters.postgres import forgetting
from chalicelib.core.access import EVERYONE
from chalicelib.services.export_ports import ExportFormat
from tests.integration.test_records import put
from tests.integration.test_undo import items, keeping, load, plan, undo
from tests.policies import ITEMS, ROSTER, lines, with_policies
from tests.system import MEMBERS, System, member, members


def age(system: System, job: Mapping[str, Any], days: int) -> None:
    """As if the job had been opened and ended so long ago."""
    system.rows(
        "update dropload.job set created_at = created_at - %s * interval '1 day',"
        " finished_at = finished_at - %s * interval '1 day' where id = %s",
        days,
        days,
        job["id"],
    )


def known(system: System) -> set[str]:
    return {job["id"] for job in system.container.views.jobs(limit=100)}


def test_an_old_job_goes_with_all_that_is_about_it(system: System) -> None:
    old = system.load((MEMBERS + member(1) + member(2, account_id="x")).encode(), key="input/members/a.csv")
    young = system.load(members(3), key="input/members/b.csv")
    age(system, old, 731)
    assert system.container.sweep.run().forgotten == 1
    assert known(system) == {young["id"]}
    for table in ("batch", "rejection", "cause", "outbox"):
        orphans = f"select count(*) from dropload.{table} where job not in (select number from dropload.job)"
        assert system.rows(orphans) == [(0,)]
    assert system.rows("select count(*) from members") == [(2,)]
    system.pump()
    assert system.container.sweep.run().missed == 0  # its object has no job, and is not loaded for that
    assert system.load(members(1), key="input/members/a.csv")["state"] == "COMPLETED_WITH_FAILURES"


def test_a_job_that_others_need_stays_until_they_go(system: System) -> None:
    parent = system.load((MEMBERS + member(2, account_id="x")).encode(), key="input/members/a.csv")
    child = system.load(system.rejected_csv(parent), key=f"input/members/job={parent['id']}/a.csv")
    original = system.load(members(5), key="input/members/b.csv")
    duplicate = system.load(members(5), key="input/members/b.csv")
    assert (child["parent"], duplicate["duplicate_of"]) == (parent["id"], original["id"])
    age(system, parent, 800)
    age(system, original, 800)
    assert system.container.sweep.run().forgotten == 0
    age(system, child, 800)
    age(system, duplicate, 800)
    assert system.container.sweep.run().forgotten == 4
    assert known(system) == set()


@pytest.mark.parametrize(
    "still",
    [
        "finished_at = null",
        "retry_at = now() + interval '1 hour'",
        "after_load = 'delete', tidied_at = null",
    ],
)
def test_a_job_that_something_is_to_be_done_about_stays(system: System, still: str) -> None:
    job = system.load(members(1))
    age(system, job, 800)
    system.rows(f"update dropload.job set {still}, swept_at = now()")
    assert system.container.forget.run(lambda: 900.0) == 0


def test_a_notice_that_was_given_up_keeps_no_job(system: System) -> None:
    job = system.load((MEMBERS + member(1, account_id="x")).encode())
    age(system, job, 800)
    system.rows("update dropload.outbox set sent_at = null, letter = null")
    assert system.container.forget.run(lambda: 900.0) == 0
    system.rows("update dropload.outbox set given_up_at = now()")
    assert system.container.forget.run(lambda: 900.0) == 1


def test_who_replaced_a_table_last_is_remembered(system: System) -> None:
    system = with_policies(system, [ROSTER])
    jobs = [system.load(lines("code,tag,size", [(n, "a", 1)]), key=f"input/roster/{n}.csv") for n in range(2)]
    for job in jobs:
        age(system, job, 800)
    assert system.container.forget.run(lambda: 900.0) == 1
    assert known(system) == {jobs[1]["id"]}


def test_exports_are_forgotten_too(system: System) -> None:
    export = system.container.exports.start(
        EVERYONE, "members", format=ExportFormat.CSV, filters={}, max_part_bytes=10**6, with_id=False
    )
    system.pump()
    system.rows("update dropload.export set finished_at = now() - interval '800 days'")
    assert system.container.forget.run(lambda: 900.0) == 1
    assert system.container.export_ledger.view(UUID(export["id"])) is None


def test_many_rejections_go_in_slices_and_no_slice_is_begun_without_time(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "_ROWS", 3)
    job = system.load((MEMBERS + "".join(member(n, account_id="x") for n in range(10))).encode())
    age(system, job, 800)
    seconds = iter([900.0, 900.0, 900.0, 1.0, 1.0, 1.0, 1.0])
    assert system.container.forget.run(lambda: next(seconds)) == 0
    assert system.rows("select count(*) from dropload.rejection") == [(4,)]
    assert system.container.forget.run(lambda: 900.0) == 1


def test_what_was_changed_is_kept_as_long_as_a_job_beside_it_may_be_undone(system: System) -> None:
    system = with_policies(system, [keeping(ITEMS)])
    first = load(system, "items", "a", [(1, "a", 1), (2, "a", 1)])
    second = load(system, "items", "b", [(1, "b", 1), (2, "b", 1)])
    third = load(system, "items", "c", [(2, "c", 1)])
    age(system, first, 40)
    system.container.forget.run(lambda: 900.0)
    assert plan(system, first)["reason"]["code"] == "not-kept"
    assert plan(system, second)["possible"]
    age(system, third, 40)  # which ended before the second began, as far as anyone can tell
    system.rows("update dropload.job set finished_at = now() where id = %s", third["id"])
    system.container.forget.run(lambda: 900.0)
    assert undo(system, second) == {"restored": 1, "changed": 1}
    assert undo(system, third) == {"restored": 1}
    assert items(system) == [(1, "a", 1), (2, "a", 1)]


def test_changes_older_than_undo_days_are_forgotten(system: System) -> None:
    system = with_policies(system, [keeping(ITEMS)])
    jobs = [load(system, "items", f"{n}", [(1, f"{n}", n)]) for n in range(3)]
    for job in jobs:
        age(system, job, 40)
    system.container.forget.run(lambda: 900.0)
    assert system.rows("select count(*) from dropload.before") == [(0,)]
    assert {plan(system, job)["reason"]["code"] for job in jobs} == {"not-kept"}


def test_without_undo_days_nothing_is_kept_any_longer(system: System) -> None:
    keeper = with_policies(system, [keeping(ITEMS)])
    load(keeper, "items", "a", [(1, "a", 1)])
    load(keeper, "items", "b", [(1, "b", 1)])
    with_policies(system, [ITEMS]).container.forget.run(lambda: 900.0)
    assert system.rows("select count(*) from dropload.before") == [(0,)]


def test_what_the_api_wrote_is_kept_for_as_long_as_an_earlier_job_may_be_undone(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "_WRITERS", 2)  # looked at by one transaction
    system = with_policies(system, [keeping(ITEMS)])
    first = load(system, "items", "a", [(1, "a", 1)])
    for n in range(5):
        put(system, "items", [{"code": 1, "label": f"{n}", "size": n}])
    written = "select count(*) from dropload.before where origin >> 23 not in (select number from dropload.job)"
    for _ in range(5):
        system.container.forget.run(lambda: 900.0)
    assert system.rows(written) == [(5,)]
    age(system, first, 40)
    second = load(system, "items", "b", [(1, "b", 2)])
    put(system, "items", [{"code": 1, "label": "last", "size": 9}])
    for _ in range(5):
        system.container.forget.run(lambda: 900.0)
    assert system.rows(written) == [(1,)]
    assert plan(system, second)["rows"]["changed"] == 1


def test_what_the_api_did_and_answered_is_forgotten_in_slices(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "_ROWS", 2)
    event = "insert into dropload.record_event (dataset, event, ids, write, told, created_at) values"
    for told, days in [(True, 800)] * 5 + [(True, 700), (False, 800)]:
        system.rows(event + " ('m', 'record.created', '{1}', 0, %s, now() - %s * interval '1 day')", told, days)
    answer = "insert into dropload.answer (caller, key, request, created_at)"
    answer += " values ('me', %s, '', now() - %s * interval '1 hour')"
    for key, hours in enumerate([25, 26, 27, 28, 29, 23]):
        system.rows(answer, str(key), hours)
    system.container.forget.run(lambda: 900.0)
    assert system.rows("select told, created_at < now() - interval '730 days' from dropload.record_event") == [
        (True, False),
        (False, True),
    ]
    assert system.rows("select key from dropload.answer") == [("5",)]

"""Where features meet: each is told of elsewhere, here two or three hold at once."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg2
import pytest

from chalicelib.core.claims import NO_FACTS, key_facts
from chalicelib.errors import RequestRefused
from chalicelib.services.ports import Reason
from tests.policies import lines, with_policies
from tests.system import MEMBERS, System, member, members
from tests.tables import parquet, workbook

VALIDATE = {"dropload-validate-only": "true"}
STAFF = {
    "name": "staff",
    "schema": {
        "fields": [{"name": "code", "type": "integer"}, {"name": "boss", "type": "integer"}],
        "primaryKey": "code",
        "foreignKeys": [{"fields": "boss", "reference": {"fields": "code"}}],
    },
    "dropload": {"on_conflict": "replace"},
}


def things(**changes: Any) -> dict[str, Any]:
    """A dataset of two columns."""
    fields = [
        {"name": "code", "type": "integer", "constraints": {"unique": True}},
        {"name": "tag", "type": "string", "constraints": {"required": True}},
    ]
    return {"name": "things", "schema": {"fields": fields}, "dropload": {}, **changes}


def test_a_file_that_replaces_refers_to_its_own_records_and_to_no_old_ones(system: System) -> None:
    system = with_policies(system, [STAFF], batch_bytes=20)
    first = system.load(lines("code,boss", [(1, ""), (2, 1), (3, 1), (4, 3), (5, 4), (6, 5)]), key="input/staff/1.csv")
    assert (first["state"], first["counts"]["inserted"]) == ("COMPLETED", 6)
    second = system.load(lines("code,boss", [(11, ""), (12, 11), (13, 1), (14, 12)]), key="input/staff/2.csv")
    assert (second["state"], second["counts"]["inserted"]) == ("COMPLETED_WITH_FAILURES", 3)
    assert [(each["line"], each["errors"][0]["code"]) for each in system.rejections(second)] == [(4, "foreign-key")]
    assert system.rows("select code, boss from staff order by 1") == [(11, None), (12, 11), (14, 12)]


def test_validating_what_would_replace_refers_to_its_own_records(system: System) -> None:
    system = with_policies(system, [STAFF], batch_bytes=20)
    data = lines("code,boss", [(1, ""), (2, 1), (3, 2), (4, 9), (5, 4)])
    tried = system.load(data, key="input/staff/1.csv", metadata=VALIDATE)
    loaded = system.load(data, key="input/staff/1.csv")
    assert (tried["state"], tried["counts"]) == (loaded["state"], loaded["counts"])
    assert loaded["counts"]["inserted"] == 3


@pytest.mark.parametrize(
    ("dialect", "header"),
    [
        ({"header": False}, []),
        ({"headerRows": [2]}, [["made", "today"], ["code", "tag"]]),
        ({"headerRows": [1, 2], "headerJoin": ""}, [["co", "ta"], ["de", "g"]]),
    ],
)
def test_a_conversion_that_is_handed_on_reads_the_header_as_its_dataset_has_it(
    system: System, dialect: Mapping[str, Any], header: list[list[str]]
) -> None:
    small = with_policies(system, [things(dialect=dialect)], batch_bytes=100, max_record_bytes=100)
    rows = [[n, f"no. {n}"] for n in range(1, 61)]
    small.drop("input/things/a.xlsx", workbook([*header, *rows]))
    small.deliver(small.settings.intake_queue)
    while messages := list(small.receive(small.settings.convert_queue)):
        for body, delete in messages:
            small.container.intake.convert(body, lambda: 1.0)
            delete()
    small.pump()
    job = small.job("input/things/a.xlsx")
    assert (job["state"], job["reason"], job["counts"]["inserted"]) == ("COMPLETED", None, 60)


def test_a_stopped_job_is_not_redriven_though_none_of_its_batches_was_cancelled(system: System) -> None:
    small = System.create(system.database_url, batch_bytes=300, max_record_bytes=100, chunk_bytes=500)
    datasets = small.container.datasets
    datasets["members"] = replace(datasets["members"], max_errors=0)
    key = "input/members/file.csv"
    small.drop(key, (MEMBERS + "".join(member(n, account_id="x" if n == 20 else "7") for n in range(1, 21))).encode())
    while not small.deliver(small.settings.intake_queue):
        pass
    id = UUID(small.job(key)["id"])
    small.container.ledger.fail(id, 0, Reason("exhausted", "we tried several times", "transient"))
    small.pump()
    job = small.job(key)
    assert (job["state"], job["reason"]["code"], job["progress"]["batches"]["cancelled"]) == ("FAILED", "exhausted", 0)
    with pytest.raises(RequestRefused) as refusal:
        small.container.redrive.run(id)
    assert refusal.value.code == "stopped"


def test_a_replay_under_way_does_not_hold_up_the_sweep(system: System) -> None:
    datasets = system.container.datasets
    datasets["members"] = replace(datasets["members"], atomic=True)
    system.drop("input/members/long.csv", members(1, 2))
    while not system.deliver(system.settings.intake_queue):
        pass
    id = UUID(system.job("input/members/long.csv")["id"])
    system.container.ledger.begin(id, 0)
    system.rows("update dropload.batch set state = 'succeeded', read = 2, ignored = 2, finished_at = now()")
    system.rows("update dropload.job set batches_ended = 1, read = 2, ignored = 2")
    long_ago = "created_at = now() - interval '1 hour'"
    system.rows(f"update dropload.job set {long_ago}; update dropload.batch set {long_ago}, started_at = null")
    system.rows("update dropload.batch set finished_at = now() - interval '1 hour'")
    with system.container.ledger.finalising(id) as final:
        assert final is not None
        began = time.monotonic()
        assert system.container.sweep.run().stuck == 0
        assert time.monotonic() - began < 10
    assert system.container.sweep.run().stuck == 1


def test_what_a_late_worker_has_claimed_is_forgotten(system: System) -> None:
    system.drop("input/members/a.csv", members(1, 2))
    while not system.deliver(system.settings.intake_queue):
        pass
    id = UUID(system.job("input/members/a.csv")["id"])
    late = system.container.ledger.begin(id, 0)
    assert late is not None
    system.pump()
    assert system.job("input/members/a.csv")["state"] == "COMPLETED"
    system.container.ledger.claim(late, key_facts([("phone_number",)], lambda _: ["1", "2"]))
    with system.container.ledger.loading(late, NO_FACTS) as transaction:
        assert transaction is None
    system.container.sweep.run()
    assert system.rows("select count(*) from dropload.claim") == [(0,)]


def test_a_validation_of_what_replaces_does_not_make_readers_wait_for_another_files_swap(system: System) -> None:
    system = with_policies(system)
    system.load(lines("code,tag,size", [(1, "a", 1)]), key="input/roster/1.csv")
    system.drop("input/roster/tried.csv", lines("code,tag,size", [(2, "b", 1), (2, "c", 1)]), VALIDATE)
    while not system.deliver(system.settings.intake_queue):
        pass
    id = UUID(system.job("input/roster/tried.csv")["id"])
    system.container.load.run(id, 0, lambda: 599.0)  # too few seconds for looking at keys, which is handed on
    for _, delete in system.receive(system.settings.batch_queue):
        delete()
    with system.container.ledger.finalising(id) as final:
        assert final is not None
        with final.contested(system.container.datasets["roster"]) as contested:
            for batch in contested.batches:
                contested.refuse(batch, system.container.reads.read(batch).parsed)
            with psycopg2.connect(system.database_url) as reader, reader.cursor() as cursor:
                cursor.execute("set statement_timeout = '8s'")
                done = _aside(lambda: system.load(lines("code,tag,size", [(3, "c", 1)]), key="input/roster/3.csv"))
                while done.is_alive():
                    cursor.execute("select count(*) from roster")
                    reader.commit()
                    time.sleep(0.05)
            reader.close()
    assert system.job("input/roster/3.csv")["state"] == "COMPLETED"
    assert system.rows("select code from roster") == [(3,)]


def _aside(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_validation_is_no_later_file_that_replaces(system: System) -> None:
    system = with_policies(system)
    old = lines("code,tag,size", [(1, "a", 1)])
    first = system.load(old, key="input/roster/1.csv")
    system.load(lines("code,tag,size", [(2, "b", 1)]), key="input/roster/2.csv", metadata=VALIDATE)
    again = system.load(old, key="input/roster/1.csv")
    assert (again["state"], again["duplicate_of"]) == ("DUPLICATE", first["id"])


def test_mended_records_of_a_file_that_was_replaced_are_not_added_to_the_one_that_came_after(system: System) -> None:
    system = with_policies(system)
    first = system.load(lines("code,tag,size", [(1, "a", 1), ("x", "b", 1)]), key="input/roster/1.csv")
    error_file = system.rejected_csv(first)
    system.load(lines("code,tag,size", [(9, "z", 1)]), key="input/roster/2.csv")
    with pytest.raises(RequestRefused) as refusal:
        system.container.redrive.run(UUID(first["id"]))
    assert refusal.value.code == "parent-not-loaded"
    mended = system.load(error_file.replace(b'x,"b"', b'2,"b"'), key=f"input/roster/job={first['id']}/rejected.csv")
    assert (mended["state"], mended["reason"]["code"], mended["reason"]["class"]) == (
        "FAILED",
        "parent-not-loaded",
        "file",
    )
    assert system.rows("select code from roster") == [(9,)]


def test_mended_records_of_a_file_that_was_refused_as_a_whole_are_not_added_to_the_one_before(system: System) -> None:
    system = with_policies(system)
    system.load(lines("what,size", [("old", 1)]), key="input/lines/1.csv")
    refused = system.load(lines("what,size", [("new", 1), ("bad", "x")]), key="input/lines/2.csv")
    assert (refused["state"], refused["reason"]["code"]) == ("FAILED", "atomic")
    error_file = system.rejected_csv(refused).replace(b'bad,"x"', b"bad,2")
    mended = system.load(error_file, key=f"input/lines/job={refused['id']}/rejected.csv")
    assert (mended["state"], mended["reason"]["code"]) == ("FAILED", "parent-not-loaded")
    assert system.rows("select what from lines") == [("old",)]


def test_mended_records_of_an_atomic_file_are_not_loaded_without_their_file(system: System) -> None:
    dataset = system.container.datasets["members"]
    system.container.datasets["members"] = replace(dataset, atomic=True)
    refused = system.load(members(1, 2) + member(3, account_id="x").encode())
    assert (refused["state"], refused["reason"]["code"]) == ("FAILED", "atomic")
    error_file = system.rejected_csv(refused).replace(b",x\n", b",7\n")
    mended = system.load(error_file, key=f"input/members/job={refused['id']}/rejected.csv")
    assert (mended["state"], mended["reason"]["code"]) == ("FAILED", "parent-not-loaded")
    assert system.rows("select count(*) from members") == [(0,)]


def test_corrections_of_corrections_are_added_as_long_as_their_file_is_the_whole(system: System) -> None:
    system = with_policies(system)
    first = system.load(lines("code,tag,size", [(1, "a", 1), ("x", "b", 1), ("x", "c", 1)]), key="input/roster/1.csv")
    half = system.rejected_csv(first).replace(b'x,"b"', b'2,"b"')
    child = system.load(half, key=f"input/roster/job={first['id']}/rejected.csv")
    assert (child["state"], child["counts"]["inserted"]) == ("COMPLETED_WITH_FAILURES", 1)
    rest = system.rejected_csv(child).replace(b"x,c", b"3,c")
    last = system.load(rest, key=f"input/roster/job={child['id']}/rejected.csv")
    assert (last["state"], last["counts"]["inserted"]) == ("COMPLETED", 1)
    system.load(lines("code,tag,size", [(9, "z", 1)]), key="input/roster/2.csv")
    late = system.load(rest, key=f"input/roster/job={child['id']}/again.csv")
    assert (late["state"], late["reason"]["code"]) == ("FAILED", "parent-not-loaded")


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet"])
def test_an_error_file_saved_as_a_table_is_no_new_whole_of_a_dataset_without_a_header(
    system: System, name: str
) -> None:
    system = with_policies(system, [things(dialect={"header": False}, dropload={"on_conflict": "replace"})])
    system.load(b"1,a\n", key="input/things/1.csv")
    labels = ["_error_line", "_error_code", "code", "tag"]
    row = [3, 4, 2, "b"]
    data = workbook([labels, row]) if name == "a.xlsx" else parquet({k: [v] for k, v in zip(labels, row, strict=True)})
    job = system.load(data, key=f"input/things/{name}")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "correction-in-table")
    assert system.rows("select tag from things") == [("a",)]

"""Records written through the API: the rules, words and policies of files, the row's own tag, and who is told."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.core.access import EVERYONE, Caller, Scope
from chalicelib.errors import RequestRefused
from chalicelib.services.records import MAX_RECORDS
from tests.policies import with_policies
from tests.system import System

ANA = {
    "first_name": "Ana",
    "last_name": "Silva",
    "phone_number": "5550000001",
    "client_member_id": 1,
    "account_id": 7,
}


def as_body(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def create(system: System, name: str, record: object) -> dict[str, Any]:
    return shown(system.container.records.create(EVERYONE, name, as_body(record)).body)


def put(system: System, name: str, records: object) -> dict[str, Any]:
    return system.container.records.put(EVERYONE, name, as_body(records))


def shown(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body)
    return found


def events(system: System) -> list[tuple[Any, ...]]:
    return system.rows("select event, ids from dropload.record_event order by number")


def refused(call: Any, status: int, code: str) -> RequestRefused:
    with pytest.raises(RequestRefused) as found:
        call()
    assert (found.value.status, found.value.code) == (status, code)
    return found.value


def of_file(system: System, *records: Mapping[str, object] | str, name: str = "members") -> list[Any]:
    """The errors that a JSON Lines file with these records gives, record by record; None for those it loads."""
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    job = system.load("\n".join(lines).encode() + b"\n", key=f"input/{name}/file.jsonl")
    found = {rejection["record"]: rejection["errors"] for rejection in system.rejections(job)}
    return [found.get(number) for number in range(1, len(records) + 1)]


def test_a_record_is_made_and_found_again(system: System) -> None:
    record = system.container.records.create(EVERYONE, "members", as_body(ANA))
    assert record.created
    assert shown(record.body) == {"id": record.id, **ANA}
    again = system.container.records.get(EVERYONE, "members", record.id)
    assert (again.body, again.etag) == (record.body, record.etag)
    assert events(system) == [("record.created", [record.id])]


def test_a_record_is_refused_in_the_words_of_a_file(system: System) -> None:
    wrong = {**ANA, "phone_number": "555", "client_member_id": "x", "account_id": None}
    errors = refused(lambda: create(system, "members", wrong), 422, "record-rejected").more["errors"]
    assert [(error["column"], error["code"]) for error in errors] == [
        ("phone_number", "constraint-error"),
        ("client_member_id", "type-error"),
        ("account_id", "constraint-error"),
    ]
    assert [errors] == of_file(system, wrong)
    assert not events(system)


def test_a_key_that_is_taken_is_a_conflict_that_names_the_row(system: System) -> None:
    id = create(system, "members", ANA)["id"]
    other = {**ANA, "phone_number": "5550000002"}
    errors = refused(lambda: create(system, "members", other), 409, "record-rejected").more["errors"]
    message = f"the same client_member_id as a row that is in the table already, with id {id}"
    assert errors == [{"column": "client_member_id", "code": "unique-error", "message": message}]
    assert [errors] == of_file(system, other)
    assert system.rows("select count(*) from members") == [(1,)]


def test_a_batch_says_of_each_record_what_became_of_it(system: System) -> None:
    id = create(system, "members", ANA)["id"]
    two = {**ANA, "phone_number": "5550000002", "client_member_id": 2}
    records = [
        two,
        ANA,
        {**two, "first_name": None},
        two,
        7,
        {**ANA, "phone_number": "5550000003", "client_member_id": 3},
    ]
    answer = put(system, "members", records)
    assert [item["status"] for item in answer["items"]] == [201, 409, 422, 409, 422, 201]
    assert answer["counts"] == {
        "read": 6, "inserted": 2, "updated": 0, "unchanged": 0, "ignored": 0, "rejected": 4,
    }  # fmt: skip
    messages = [error["message"] for item in answer["items"] for error in item["errors"]]
    assert messages == [
        f"the same phone_number as a row that is in the table already, with id {id}",
        f"the same client_member_id as a row that is in the table already, with id {id}",
        "required, but empty",
        "the same phone_number as the record on line 1 of this file",
        "the same client_member_id as the record on line 1 of this file",
        "valid JSON, but no object",
    ]
    made = [item["id"] for item in answer["items"] if item["id"]]
    assert system.rows("select id, client_member_id from members order by id") == [(id, 1), (made[0], 2), (made[1], 3)]
    assert events(system)[1:] == [("record.created", sorted(made))]


def test_a_batch_of_a_thousand_and_no_more(system: System) -> None:
    def records(count: int) -> list[dict[str, object]]:
        return [{**ANA, "phone_number": f"{n:010d}", "client_member_id": n} for n in range(count)]

    refused(lambda: put(system, "members", records(MAX_RECORDS + 1)), 413, "too-many-records")
    assert system.rows("select count(*) from members") == [(0,)]
    answer = put(system, "members", records(MAX_RECORDS))
    assert {item["status"] for item in answer["items"]} == {201}
    found = dict(system.rows("select client_member_id, id from members"))
    assert [item["id"] for item in answer["items"]] == [found[n] for n in range(MAX_RECORDS)]
    assert put(system, "members", [])["items"] == []


def test_numbers_keep_their_digits_and_members_stand_once(system: System) -> None:
    system = with_policies(system)
    body = b'[{"item": "a", "day": "2026-01-31",\r\n "sold": 3, "paid": 0.12345678901234567890123},'
    body += b'{"item": "b", "day": "2026-01-31", "sold": 1, "paid": 1, "sold": 2}]'
    answer = system.container.records.put(EVERYONE, "tallies", body)
    assert [item["status"] for item in answer["items"]] == [201, 422]
    assert answer["items"][1]["errors"][0]["message"] == "names a member more than once: sold"
    row = system.container.records.get(EVERYONE, "tallies", answer["items"][0]["id"])
    assert b'"paid": 0.12345678901234567890123' in row.body


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": NaN}', b'{"a": "\n"}', b"\xff", b"[" * 100_000, b'{"a": 1} {}', b"[1,]"]
)
def test_a_body_that_is_no_json_is_refused_as_a_whole(system: System, body: bytes) -> None:
    records = system.container.records
    refused(lambda: records.create(EVERYONE, "members", body), 400, "bad-body")
    refused(lambda: records.put(EVERYONE, "members", body), 400, "bad-body")
    refused(lambda: records.put(EVERYONE, "members", as_body(ANA)), 400, "bad-body")


def test_json_that_is_nested_too_deeply_is_a_record_that_is_wrong(system: System) -> None:
    deep = b'{"first_name": ' + b"[" * 100 + b"]" * 100 + b"}"
    errors = refused(lambda: system.container.records.create(EVERYONE, "members", deep), 422, "record-rejected").more[
        "errors"
    ]
    assert [errors] == of_file(system, deep.decode())


def test_update_changes_the_row_that_has_the_key(system: System) -> None:
    system = with_policies(system)
    made = create(system, "items", {"code": 1, "label": "a", "size": 1})
    assert create(system, "items", {"code": 1, "label": "b", "size": 1}) == {**made, "label": "b"}
    answer = put(
        system,
        "items",
        [
            {"code": 1, "label": "b", "size": 1},
            {"code": 2, "label": "x"},
            {"code": 1, "label": "c"},
            {"code": 2, "label": "y"},
        ],
    )
    assert [item["status"] for item in answer["items"]] == [200, 201, 200, 200]
    new = answer["items"][1]["id"]
    assert [item["id"] for item in answer["items"]] == [made["id"], new, made["id"], new]
    assert answer["counts"]["inserted"] == 1
    assert system.rows("select id, code, label, size from items order by code") == [
        (made["id"], 1, "c", None),
        (new, 2, "y", None),
    ]
    assert events(system) == [
        ("record.created", [made["id"]]),
        ("record.updated", [made["id"]]),
        ("record.created", [new]),
        ("record.updated", [made["id"]]),
    ]
    put(system, "items", [{"code": 1, "label": "c"}])  # as it is
    assert len(events(system)) == 4


def test_a_later_record_that_would_take_another_key_is_refused(system: System) -> None:
    system = with_policies(system)
    one = create(system, "tagged", {"code": 1, "tag": "a"})
    answer = put(system, "tagged", [{"code": 2, "tag": "a"}, {"code": 3, "tag": "b"}, {"code": 1, "tag": "c"}])
    assert [item["status"] for item in answer["items"]] == [409, 201, 200]
    assert answer["items"][2]["id"] == one["id"]


def test_sums_are_added_to(system: System) -> None:
    system = with_policies(system)
    first = create(system, "tallies", {"item": "a", "day": "2026-01-31", "sold": 3, "paid": "1.50"})
    assert create(system, "tallies", {"item": "a", "day": "2026-01-31", "sold": 4, "paid": 1}) == {
        **first,
        "sold": 7,
        "paid": 2.5,
    }
    answer = put(
        system,
        "tallies",
        [{"item": item, "day": "2026-01-31", "sold": 1, "paid": 0} for item in ("b", "a", "b")],
    )
    assert [item["status"] for item in answer["items"]] == [201, 200, 200]
    assert system.rows("select item, sold from tallies order by item") == [("a", 8), ("b", 2)]
    assert system.rows("select id from tallies order by item") == [
        (answer["items"][1]["id"],),
        (answer["items"][0]["id"],),
    ]


def test_where_there_is_no_key_every_record_is_a_row(system: System) -> None:
    system = with_policies(system)
    answer = put(system, "events", [{"what": "a", "size": 1}, {"what": "a", "size": 1}, {"what": None}])
    assert [item["status"] for item in answer["items"]] == [201, 201, 201]
    found = system.rows("select id, what from events order by id")
    assert found == [(item["id"], what) for item, what in zip(answer["items"], ["a", "a", None], strict=True)]


def test_records_join_what_the_last_file_has_put_in_the_place_of_all(system: System) -> None:
    system = with_policies(system)
    system.load(b"code,tag,size\n1,a,1\n", key="input/roster/file.csv")
    answer = put(system, "roster", [{"code": 2, "tag": "b"}, {"code": 3, "tag": "a"}])
    assert [item["status"] for item in answer["items"]] == [201, 409]
    system.load(b"code,tag,size\n7,z,1\n", key="input/roster/file2.csv")
    assert system.rows("select code from roster") == [(7,)]
    assert put(system, "roster", [{"code": 8, "tag": "y"}])["items"][0]["status"] == 201


def test_what_is_passed_over_names_the_row_that_has_its_key(system: System) -> None:
    system = with_policies(system, [IGNORING])
    made = create(system, "seats", {"seat": "1a", "who": "Ana"})
    assert create(system, "seats", {"seat": "1a", "who": "Bo"}) == made
    answer = put(system, "seats", [{"seat": "1a"}, {"seat": "1b"}, {"seat": "1b", "who": "Cy"}])
    assert [item["status"] for item in answer["items"]] == [200, 201, 200]
    new = answer["items"][1]["id"]
    assert [item["id"] for item in answer["items"]] == [made["id"], new, new]
    assert answer["counts"]["ignored"] == 2


IGNORING = {
    "name": "seats",
    "schema": {
        "fields": [{"name": "seat", "type": "string"}, {"name": "who", "type": "string"}],
        "uniqueKeys": [["seat"]],
    },
    "dropload": {"on_conflict": "ignore"},
}


def test_a_record_is_replaced_patched_and_deleted_only_if_it_is_the_one_that_is_meant(system: System) -> None:
    records = system.container.records
    first = records.create(EVERYONE, "members", as_body(ANA))
    other = {**ANA, "first_name": "Bea"}
    second = records.replace(EVERYONE, "members", first.id, as_body(other), first.etag)
    assert shown(second.body) == {"id": first.id, **other}
    assert second.etag != first.etag
    for call in (
        lambda: records.replace(EVERYONE, "members", first.id, as_body(ANA), first.etag),
        lambda: records.patch(EVERYONE, "members", first.id, b"{}", f'"x", {first.etag}'),
        lambda: records.delete(EVERYONE, "members", first.id, first.etag),
        lambda: records.delete(EVERYONE, "members", first.id, f"W/{second.etag}"),
    ):
        refused(call, 412, "changed-meanwhile")
    third = records.patch(EVERYONE, "members", first.id, as_body({"last_name": "Luz"}), second.etag)
    assert shown(third.body) == {"id": first.id, **other, "last_name": "Luz"}
    assert records.patch(EVERYONE, "members", first.id, third.body, "*") == third  # what was answered may be sent
    records.delete(EVERYONE, "members", first.id, f'"x", {third.etag}')
    refused(lambda: records.get(EVERYONE, "members", first.id), 404, "not-found")
    refused(lambda: records.delete(EVERYONE, "members", first.id, None), 404, "not-found")
    kinds = [event for event, ids in events(system) if ids == [first.id]]
    assert kinds == ["record.created", "record.updated", "record.updated", "record.deleted"]


def test_what_is_replaced_keeps_to_the_rules(system: System) -> None:
    records = system.container.records
    first, second = (
        create(system, "members", {**ANA, "phone_number": f"555000000{n}", "client_member_id": n}) for n in (1, 2)
    )
    id = second["id"]
    taken = as_body({**ANA, "client_member_id": 2})
    errors = refused(lambda: records.replace(EVERYONE, "members", id, taken, None), 409, "record-rejected").more[
        "errors"
    ]
    assert [error["message"] for error in errors] == [
        f"the same phone_number as a row that is in the table already, with id {first['id']}"
    ]
    refused(lambda: records.patch(EVERYONE, "members", id, as_body({"account_id": "x"}), None), 422, "record-rejected")
    refused(lambda: records.patch(EVERYONE, "members", id, as_body({"first_name": None}), None), 422, "record-rejected")
    refused(lambda: records.patch(EVERYONE, "members", id, as_body([]), None), 422, "record-rejected")
    refused(lambda: records.patch(EVERYONE, "members", id, as_body({"id": 7}), None), 422, "record-rejected")
    refused(lambda: records.replace(EVERYONE, "members", id, as_body({}), None), 422, "record-rejected")
    assert shown(records.get(EVERYONE, "members", id).body) == second


def test_all_are_deleted_in_one_go_when_that_is_confirmed(system: System) -> None:
    records = system.container.records
    put(system, "members", [{**ANA, "phone_number": f"{n:010d}", "client_member_id": n} for n in range(30)])
    refused(lambda: records.delete_all(EVERYONE, "members", None), 400, "not-confirmed")
    refused(lambda: records.delete_all(EVERYONE, "members", "plays"), 400, "not-confirmed")
    assert records.delete_all(EVERYONE, "members", "members") == 30
    assert system.rows("select count(*) from members") == [(0,)]
    assert events(system)[1:] == [("record.deleted", None)]
    assert records.delete_all(EVERYONE, "members", "members") == 0
    last = create(system, "members", ANA)["id"]
    assert last > 30, "no id is ever given twice"


def test_a_dataset_that_a_caller_may_not_see_is_not_there(system: System) -> None:
    id = create(system, "members", ANA)["id"]
    stranger = Caller("k", "k", frozenset(Scope), frozenset({"plays"}))
    records, body = system.container.records, as_body(ANA)
    for call in (
        lambda: records.get(stranger, "members", id),
        lambda: records.page(stranger, "members", filters={}, cursor=None, limit=1),
        lambda: records.create(stranger, "members", body),
        lambda: records.put(stranger, "members", b"[]"),
        lambda: records.replace(stranger, "members", id, body, None),
        lambda: records.patch(stranger, "members", id, body, None),
        lambda: records.delete(stranger, "members", id, None),
        lambda: records.delete_all(stranger, "members", "members"),
        lambda: records.get(EVERYONE, "nothing", 1),
        lambda: system.container.dataset_answers.get(stranger, "members"),
        lambda: system.container.dataset_answers.volumes(stranger, "members", 1),
    ):
        refused(call, 404, "not-found")
    assert [found["name"] for found in system.container.dataset_answers.all(stranger)] == ["plays"]
    assert system.rows("select count(*) from members") == [(1,)]


@pytest.mark.parametrize("id", [0, -1, 2**63, 10**30])
def test_an_id_that_no_row_can_have_is_not_found(system: System, id: int) -> None:
    refused(lambda: system.container.records.get(EVERYONE, "members", id), 404, "not-found")
    refused(lambda: system.container.records.patch(EVERYONE, "members", id, b"{}", None), 404, "not-found")


def test_what_is_written_here_comes_after_the_files_so_far_and_before_those_to_come(system: System) -> None:
    system = with_policies(system)
    [waiting] = system.split("input/items/early.csv", b"code,label\n1,early\n2,early\n3,early\n")
    put(system, "items", [{"code": 1, "label": "api"}, {"code": 2, "label": "early"}])
    records = system.container.records
    [(two,)] = system.rows("select id from items where code = 2")
    records.patch(EVERYONE, "items", two, as_body({"label": "patched"}), None)
    system.container.intake.load(waiting, lambda: 900.0)
    system.pump()
    assert system.rows("select code, label from items order by code") == [(1, "api"), (2, "patched"), (3, "early")]
    assert system.job("input/items/early.csv")["counts"]["ignored"] == 2
    assert system.job("input/items/early.csv")["balanced"] is True
    system.load(b"code,label\n1,late\n", key="input/items/late.csv")
    assert system.rows("select label from items where code = 1") == [("late",)]


def test_a_row_that_was_found_to_be_right_is_not_overwritten_by_an_earlier_file(system: System) -> None:
    system = with_policies(system)
    system.load(b"code,label\n1,right\n", key="input/items/first.csv")
    [waiting] = system.split("input/items/early.csv", b"code,label\n1,wrong\n")
    put(system, "items", [{"code": 1, "label": "right"}])
    system.container.intake.load(waiting, lambda: 900.0)
    assert system.rows("select label from items") == [("right",)]


def test_rows_from_here_tell_when_they_were_written(system: System) -> None:
    id = create(system, "members", ANA)["id"]
    query = "select event.ids from members join dropload.record_event as event on event.write = _origin >> 23"
    assert system.rows(query) == [([id],)]
    assert system.rows("select 1 from members join dropload.job on job.number = _origin >> 23") == []


def test_a_file_and_the_api_give_one_key_to_one_row(system: System) -> None:
    create(system, "members", ANA)
    job = system.load(b"first_name,last_name,phone_number,client_member_id,account_id\n" + b"A,B,5550000001,9,9\n")
    assert job["counts"]["rejected"] == 1

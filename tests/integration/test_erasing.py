"""A person's records are erased wherever we know of them, and the answer says what else may hold them."""

import json
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.postgres import erasing, hurry
from chalicelib.core.access import EVERYONE, Caller, Scope
from chalicelib.errors import RequestRefused
from chalicelib.services.export_ports import ExportFormat
from chalicelib.services.idempotency import Asked, Given
from tests.integration.test_undo import items, keeping, load, plan, undo
from tests.policies import ITEMS, PARTS, with_policies
from tests.system import MEMBERS, System, member, members

HER = f"{77:010d}"


def erase(system: System, dataset: str = "members", **key: str) -> dict[str, Any]:
    erasure = system.container.erase.start(EVERYONE, dataset, key)
    system.pump()
    return system.container.erase.get(EVERYONE, UUID(erasure["id"]))


def everything(system: System) -> bytes:
    """All that our schema of the database has, as text."""
    tables = [name for (name,) in system.rows("select tablename from pg_tables where schemaname = 'dropload'")]
    return b"".join(repr(system.rows(f"select t::text from dropload.{name} as t")).encode() for name in tables)


def versions(system: System, key: str) -> list[bytes]:
    """What all versions of an object hold."""
    s3, bucket = client("s3"), system.settings.bucket
    found = s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
    ids = [entry["VersionId"] for entry in found]
    return [s3.get_object(Bucket=bucket, Key=key, VersionId=id)["Body"].read() for id in ids]


def test_rows_and_rejected_records_go_and_those_of_others_stay(system: System) -> None:
    system.load(members(1, 77), key="input/members/a.csv")
    bad = member(5, account_id="x") + member(77, account_id="y") + member(6, account_id="z")
    job = system.load((MEMBERS + bad).encode(), key="input/members/b.csv")
    before = system.rejected_csv(job).decode().splitlines()
    erasure = erase(system, phone_number=HER)
    assert erasure["finished_at"]
    assert {what: count for what, count in erasure["erased"].items() if count} == {
        "rows": 1,
        "rejected_records": 1,
        "error_files": 1,
    }
    assert (erasure["error_files_left"], erasure["columns"]) == (0, ["phone_number"])
    assert [file["key"] for file in erasure["may_hold"]["input"]] == ["input/members/a.csv", "input/members/b.csv"]
    assert system.rows("select client_member_id from members") == [(1,)]
    after = system.rejected_csv(job).decode().splitlines()
    assert [after[0], after[1], after[3]] == [before[0], before[1], before[3]]
    assert after[2].endswith(",_raw:")
    assert [HER.encode() in held for held in versions(system, f"error/members/job={job['id']}/rejected.csv")] == [False]
    assert HER.encode() not in everything(system)
    assert HER.encode().hex().encode() not in everything(system)


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (f"Ana,Silva,{HER},77,x\n", True),
        (f"Ana,Silva,{HER},77\n", True),  # too few cells
        (f'Ana,"Silva"x,{HER},77,7\n', True),  # no CSV
        (f"Ana,Silva,1{HER},77,x\n", False),
        (f"{HER},Silva,0000000001,77,x\n", False),  # in another column
        (f"Ana,Silva, {HER} ,77,x\n", True),
    ],
)
def test_a_broken_record_is_hers_where_her_number_stands(system: System, record: str, found: bool) -> None:
    job = system.load((MEMBERS + record).encode())
    assert job["counts"]["rejected"] == 1
    assert erase(system, phone_number=HER)["erased"]["rejected_records"] == found
    assert (HER in system.rejected_csv(job).decode()) is not found


def test_of_json_lines_too(system: System) -> None:
    record = {"first_name": "Ana", "last_name": "S", "phone_number": HER, "client_member_id": 77, "account_id": "x"}
    job = system.load((json.dumps(record) + "\n").encode(), key="input/members/a.jsonl")
    assert erase(system, phone_number=HER)["erased"]["rejected_records"] == 1
    file = system.file(f"error/members/job={job['id']}/rejected.jsonl")
    assert json.loads(file)["_raw"] == "_raw:"


def test_of_several_values_all_must_be_met(system: System) -> None:
    system.load(members(1, 2))
    assert erase(system, account_id="7", client_member_id="2")["erased"]["rows"] == 1
    assert system.rows("select client_member_id from members") == [(1,)]


def test_what_was_kept_of_her_for_an_undo_goes_and_is_not_given_back(system: System) -> None:
    system = with_policies(system, [keeping(ITEMS, dropload={**keeping(ITEMS)["dropload"], "filters": ["label"]})])
    load(system, "items", "a", [(1, "her", 1), (2, "her", 1), (3, "his", 1)])
    job = load(system, "items", "b", [(1, "her", 2), (2, "its", 2), (3, "its", 2)])
    assert erase(system, "items", label="her")["erased"]["earlier_values"] == 2
    assert items(system) == [(2, "its", 2), (3, "its", 2)]
    assert b"her" not in json.dumps(system.rows("select was from dropload.before")).encode()
    assert plan(system, job)["rows"] == {"changed": 1, "restored": 1}
    assert undo(system, job) == {"changed": 1, "restored": 1}
    assert items(system) == [(2, "its", 2), (3, "his", 1)]


def test_rows_that_others_refer_to_are_left_with_all_the_rest(system: System) -> None:
    system = with_policies(system, [ITEMS, PARTS])
    load(system, "items", "a", [(1, "a", 1)])
    load(system, "parts", "p", [(1, 1)], "no,of")
    with pytest.raises(RequestRefused, match="referred-to"):
        erase(system, "items", code="1")
    assert erase(system, "parts", no="1")["erased"]["rows"] == 1
    assert erase(system, "items", code="1")["erased"]["rows"] == 1


def test_of_a_file_that_is_being_loaded_the_error_file_is_written_without_her(system: System) -> None:
    small = with_policies(system, [], batch_bytes=200, max_record_bytes=200)
    key = "input/members/a.csv"
    bodies = small.split(key, (MEMBERS + member(77, account_id="x") + "".join(map(member, range(1, 20)))).encode())
    small.container.intake.load(bodies[0])
    erasure = erase(small, phone_number=HER)
    assert (erasure["finished_at"], erasure["error_files_left"], erasure["may_hold"]["open_jobs"]) == (None, 1, 1)
    for body in bodies:
        small.container.intake.load(body)
    assert HER not in small.rejected_csv(small.job(key)).decode()
    small.rows("update dropload.erasure set sent_at = now() - interval '1 hour'")
    small.container.sweep.run()
    small.pump()
    assert small.container.erase.get(EVERYONE, UUID(erasure["id"]))["finished_at"]


def test_once_more_does_nothing(system: System) -> None:
    system.load((MEMBERS + member(77) + member(77, account_id="x")).encode())
    erase(system, phone_number=HER)
    assert set(erase(system, phone_number=HER)["erased"].values()) == {0}


@pytest.mark.parametrize(
    "key", [{}, {"first_name": "Ana"}, {"nothing": "1"}, {"phone_number": ""}, {"client_member_id": "one"}]
)
def test_whom_it_cannot_tell_it_does_not_erase(system: System, key: dict[str, str]) -> None:
    with pytest.raises(RequestRefused) as refused:
        system.container.erase.start(EVERYONE, "members", key)
    assert (refused.value.status, refused.value.code) == (400, "bad-key")
    assert "one" not in refused.value.message.split()


def test_a_dataset_that_is_not_there_for_the_caller_is_not_there(system: System) -> None:
    stranger = Caller("k", "k", frozenset({Scope.ADMIN}), frozenset({"plays"}))
    with pytest.raises(RequestRefused, match="not-found"):
        system.container.erase.start(stranger, "members", {"phone_number": HER})
    erasure = system.container.erase.start(EVERYONE, "members", {"phone_number": HER})
    with pytest.raises(RequestRefused, match="not-found"):
        system.container.erase.get(stranger, UUID(erasure["id"]))


def test_news_of_webhooks_stay_and_answers_are_not_given_again_for_this_dataset_alone(system: System) -> None:
    system.load(members(1, 77))
    system.rows(
        "insert into dropload.webhook_message (event, dataset, payload) values ('job.completed', 'members', '7')"
    )
    served = []

    def ask(dataset: str | None) -> Given:
        def serve() -> Given:
            served.append(dataset)
            return Given(b"x", 200, {}, f'{{"phone_number": "{HER}", "account_id": 7}}')

        return system.container.idempotency.once(Asked("me", f"of {dataset}", b"x", dataset), serve, keeps_body=True)

    for dataset in ("members", "plays", None):
        ask(dataset)
    assert erase(system, account_id="7", client_member_id="77")["erased"]["kept_answers"] == 1
    assert (ask("plays").status, ask(None).status) == (200, 200)
    with pytest.raises(RequestRefused, match="answered-once"):
        ask("members")
    assert served == ["members", "plays", None]
    assert system.rows("select payload from dropload.webhook_message where event = 'job.completed'") == [("7",)]


def test_that_rows_are_gone_is_booked_to_be_told(system: System) -> None:
    system.load(members(1, 77))
    [(id,)] = system.rows("select id from members where client_member_id = 77")
    erase(system, phone_number=HER)
    erase(system, phone_number=HER)
    assert system.rows("select dataset, event, ids from dropload.record_event") == [("members", "record.deleted", [id])]


def test_an_export_does_not_tell_any_more_that_it_was_of_her(system: System) -> None:
    policy = json.loads(json.dumps(ITEMS))
    policy.setdefault("dropload", {})["filters"] = ["label"]
    system = with_policies(system, [policy])
    load(system, "items", "a", [(1, "her", 1), (2, "his", 1)])
    exports = system.container.exports

    def export(label: str) -> UUID:
        asked = exports.start(
            EVERYONE, "items", format=ExportFormat.CSV, filters={"label": label}, max_part_bytes=10**6, with_id=False
        )
        return UUID(asked["id"])

    ended = [export("her"), export("his")]
    system.pump()
    under_way = export("her")
    erasure = erase(system, "items", label="her")
    assert erasure["erased"]["export_filters"] == 2
    shown = [exports.get(EVERYONE, id) for id in (*ended, under_way)]
    assert [one["filters"] for one in shown] == [{"label": ""}, {"label": "his"}, {"label": ""}]
    assert [one["state"] for one in shown] == ["COMPLETED", "COMPLETED", "CANCELLED"]


def test_an_error_file_is_written_as_it_was_and_an_expired_one_not_at_all(system: System) -> None:
    jobs = [
        system.load((MEMBERS + member(77, account_id=bad)).encode(), key=f"input/members/{bad}.csv") for bad in "xy"
    ]
    keys = [f"error/members/job={job['id']}/rejected.csv" for job in jobs]
    s3, bucket = client("s3"), system.settings.bucket
    said = s3.head_object(Bucket=bucket, Key=keys[0])["Metadata"]
    assert said
    s3.delete_object(Bucket=bucket, Key=keys[1])
    assert erase(system, phone_number=HER)["finished_at"]
    assert s3.head_object(Bucket=bucket, Key=keys[0])["Metadata"] == said
    assert versions(system, keys[1]) == []


def test_what_takes_too_long_is_refused_and_nothing_is_erased(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "_PAGE", 1)
    system.load((MEMBERS + member(77) + member(77, account_id="x") * 20).encode())
    seconds = count()  # each statement, and each page of candidates
    with monkeypatch.context() as late:
        late.setattr(hurry, "monotonic", lambda: next(seconds))
        with pytest.raises(RequestRefused) as refused:
            erase(system, phone_number=HER)
    assert (refused.value.status, refused.value.code) == (409, "too-large")
    assert erase(system, phone_number=HER)["erased"]["rejected_records"] == 20

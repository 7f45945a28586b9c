"""A batch through the API and a JSON Lines file come to the same, whatever the policy; and nobody gets into the way."""

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.postgres.records import PostgresRecords
from chalicelib.adapters.postgres.rowwrites import Patience
from chalicelib.core.access import EVERYONE
from chalicelib.errors import RequestRefused, Terminal, Transient
from chalicelib.services.records import Records
from tests.policies import with_policies
from tests.system import System, members

few = settings(
    max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)

POLICIES = ("reject", "ignore", "update", "sum", "append", "replace")
CODES = {"name": "codes", "schema": {"fields": [{"name": "code", "type": "string"}], "primaryKey": "code"}}


def things(policy: str, suffix: str) -> dict[str, Any]:
    """A dataset of each policy, with two keys where it may have two, that refers to another one."""
    adds = policy == "sum"
    keys: dict[str, Any] = {} if policy == "append" else {"primaryKey": ["number"]}
    keys = {"primaryKey": ["number", "badge", "code"]} if adds else keys
    badge: dict[str, Any] = {"name": "badge", "type": "string"}
    if policy in ("reject", "ignore", "update", "replace"):
        badge["constraints"] = {"unique": True}
    return {
        "name": f"{policy}_{suffix}",
        "schema": {
            "fields": [
                {"name": "number", "type": "integer", "constraints": {"minimum": 0}},
                badge,
                {"name": "code", "type": "string"},
                {"name": "size", "type": "number"},
            ],
            **keys,
            "foreignKeys": [{"fields": "code", "reference": {"resource": "codes", "fields": "code"}}],
        },
        "dropload": {"on_conflict": policy, "extra_columns": "reject", **({"measures": ["size"]} if adds else {})},
    }


numbers = st.sampled_from(["1", "2", "3", '"4"', "-1", '"x"', "1.0", "null"])
badges = st.sampled_from(['"a"', '"b"', '"c"', "null", "7", '"\\u0000"'])
codes = st.sampled_from(['"p"', '"p"', '"q"', "null", '"missing"'])
sizes = st.sampled_from(["1", "0.10", "1e3", '"NaN"', "null", "true", "[1]", "100000000000000000000000.5"])


@st.composite
def records(draw: st.DrawFn) -> str:
    members = [
        f'"{name}": {draw(values)}'
        for name, values in (("number", numbers), ("badge", badges), ("code", codes), ("size", sizes))
        if draw(st.integers(0, 9))
    ]
    if not draw(st.integers(0, 9)):
        members.append(draw(st.sampled_from(['"other": 1', '"badge": "z"', '"number": 9'])))
    return draw(st.sampled_from(["{%s}"] * 15 + ["[%s]", "7"])).replace("%s", ", ".join(members))


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


files = st.lists(records().filter(is_json), max_size=8)


def with_things(system: System, policy: str) -> System:
    system = with_policies(system, [CODES, things(policy, "by_file"), things(policy, "by_api")])
    system.rows("insert into codes (code) select unnest(array['p', 'q']) on conflict do nothing")
    return system


def without_ids(errors: Any) -> Any:
    return json.loads(re.sub(r"with id \d+", "with id N", json.dumps(errors)))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_batch_and_a_file_come_to_the_same(system: System, policy: str) -> None:
    system = with_things(system, policy)
    serial = iter(range(1_000))

    @given(st.lists(files, min_size=1, max_size=3))
    @few
    def compare(rounds: list[list[str]]) -> None:
        by_file, by_api = f"{policy}_by_file", f"{policy}_by_api"
        system.rows(f"truncate {by_file}; truncate {by_api}")
        for lines in rounds:
            if policy == "replace":  # a batch is added; so is a file to an empty table
                system.rows(f"truncate {by_file}; truncate {by_api}")
            text = "".join(line + "\n" for line in lines).encode()
            answer = system.container.records.put(EVERYONE, by_api, f"[{','.join(lines)}]".encode())
            key = f"input/{by_file}/{next(serial)}.jsonl"
            job = system.load(text, key=key) if text else None
            if job is not None and not (policy == "replace" and job["state"] == "FAILED"):
                assert answer["counts"] == job["counts"]
                found = {one["record"]: one["errors"] for one in system.rejections(job)}
                wanted = [found.get(number, []) for number in range(1, len(lines) + 1)]
                assert without_ids([item["errors"] for item in answer["items"]]) == without_ids(wanted)
                columns = "number, badge, code, size::text"  # no NaN is another one's equal
                rows = [system.rows(f"select {columns} from {name} order by {columns}") for name in (by_file, by_api)]
                assert rows[0] == rows[1]
            for item, line in zip(answer["items"], lines, strict=True):
                assert (item["status"] in (200, 201)) == (not item["errors"]) == (item["id"] is not None), line

    compare()


def refused(call: Callable[[], object], status: int) -> list[dict[str, Any]]:
    with pytest.raises(RequestRefused) as found:
        call()
    assert found.value.status == status
    errors: list[dict[str, Any]] = found.value.more["errors"]
    return errors


def test_references_hold_for_one_record_as_for_files(system: System) -> None:
    system = with_things(system, "reject")
    api = system.container.records
    missing = b'{"number": 1, "code": "missing"}'
    no_such = [{"column": "code", "code": "foreign-key", "message": "no row of codes has this code"}]
    assert refused(lambda: api.create(EVERYONE, "reject_by_api", missing), 422) == no_such
    made = api.create(EVERYONE, "reject_by_api", b'{"number": 1, "code": "p"}')
    assert refused(lambda: api.replace(EVERYONE, "reject_by_api", made.id, missing, None), 422) == no_such
    assert refused(lambda: api.patch(EVERYONE, "reject_by_api", made.id, b'{"code": "missing"}', None), 422) == no_such
    api.patch(EVERYONE, "reject_by_api", made.id, b'{"code": null}', None)
    api.patch(EVERYONE, "reject_by_api", made.id, b'{"code": "q"}', None)


def test_what_others_refer_to_stays(system: System) -> None:
    system = with_things(system, "reject")
    api = system.container.records
    api.create(EVERYONE, "reject_by_api", b'{"number": 1, "code": "p"}')
    [(id,)] = system.rows("select id from codes where code = 'p'")
    [error] = refused(lambda: api.delete(EVERYONE, "codes", id, None), 409)
    assert error["code"] == "foreign-key"
    [error] = refused(lambda: api.delete_all(EVERYONE, "codes", "codes"), 409)
    assert error["code"] == "foreign-key"
    [error] = refused(lambda: api.patch(EVERYONE, "codes", id, b'{"code": "r"}', None), 422)
    assert error["code"] == "foreign-key"
    assert system.rows("select count(*) from codes") == [(2,)]
    assert system.rows("select count(*) from dropload.record_event") == [(1,)]
    api.delete_all(EVERYONE, "reject_by_api", "reject_by_api")
    assert api.delete_all(EVERYONE, "codes", "codes") == 2


def test_a_rule_that_only_the_database_knows_refuses_a_record_alone(system: System) -> None:
    system = with_policies(system)
    api = system.container.records
    system.rows("alter table items add constraint small check (size < 10)")
    answer = api.put(EVERYONE, "items", b'[{"code": 1, "size": 1}, {"code": 2, "size": 99}, {"code": 3, "size": 3}]')
    assert [item["status"] for item in answer["items"]] == [201, 422, 201]
    assert [item["id"] for item in answer["items"]][::2] == [
        id for (id,) in system.rows("select id from items order by code")
    ]
    id = answer["items"][0]["id"]
    [error] = refused(lambda: api.patch(EVERYONE, "items", id, b'{"size": 99}', None), 422)
    assert (error["code"], error["message"]) == (
        "constraint-error",
        "the database refuses this record by the constraint small",
    )


def test_what_is_written_and_what_is_told_of_it_stand_or_fall_together(system: System) -> None:
    api = system.container.records
    system.rows("alter table dropload.record_event add constraint never check (false)")
    body = b'{"song": "a", "date": "2026-01-31", "plays": 1}'
    with pytest.raises(Terminal):
        api.create(EVERYONE, "plays", body)
    assert system.rows("select 1 from plays") == []


def test_writers_of_the_same_records_wait_for_each_other_and_none_fails(system: System) -> None:
    """In all orders, with a file of the same records at the same time; each key is one row's in the end."""
    api = system.container.records
    people = [
        {"first_name": "A", "last_name": "B", "phone_number": f"{n:010d}", "client_member_id": 200 - n, "account_id": n}
        for n in range(200)
    ]
    products = [{"name": "A", "sku": str(n), "status": "active"} for n in range(200)]
    answers: list[Any] = []
    failed: list[BaseException] = []

    def write(turn: int) -> None:
        step = (1, -1, 7, -7)[turn % 4]
        try:
            for name, records in (("members", people), ("products", products)):
                order = [records[(n * step + turn) % len(records)] for n in range(len(records))]
                answers.append(api.put(EVERYONE, name, json.dumps(order).encode()))
        except BaseException as error:
            failed.append(error)
            raise

    loading = threading.Thread(target=lambda: system.load(members(*range(0, 200, 2))))
    loading.start()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(12)))
    loading.join()
    assert failed == []
    for name, key in (("members", "phone_number"), ("members", "client_member_id"), ("products", "sku")):
        [(rows, keys)] = system.rows(f"select count(*), count(distinct {key}) from {name}")
        assert rows == keys
    made = sum(answer["counts"]["inserted"] for answer in answers)
    assert made + system.job("input/members/file.csv")["counts"]["inserted"] == sum(
        system.rows(f"select count(*) from {name}")[0][0] for name in ("members", "products")
    )
    created = system.rows(
        "select sum(cardinality(ids))::bigint from dropload.record_event where event = 'record.created'"
    )
    assert created == [(made,)]


def test_a_record_that_somebody_holds_is_not_waited_for_long(system: System) -> None:
    container = system.container
    made = container.records.create(EVERYONE, "plays", b'{"song": "a", "date": "2026-01-31", "plays": 1}')
    store = PostgresRecords(container.database, Patience(lock=0.2))
    hasty = Records(store=store, datasets=container.datasets, max_record_bytes=1 << 20)
    other = psycopg2.connect(system.database_url)
    try:
        with other, other.cursor() as cursor:
            cursor.execute("update plays set plays = 7")
            for call in (
                lambda: hasty.patch(EVERYONE, "plays", made.id, b'{"plays": 3}', None),
                lambda: hasty.create(EVERYONE, "plays", b'{"song": "a", "date": "2026-01-31", "plays": 1}'),
                lambda: hasty.delete(EVERYONE, "plays", made.id, None),
                lambda: hasty.delete_all(EVERYONE, "plays", "plays"),
            ):
                with pytest.raises(Transient):
                    call()
            assert json.loads(hasty.get(EVERYONE, "plays", made.id).body)["plays"] == 1
    finally:
        other.close()
    assert system.rows("select plays from plays") == [(7,)]

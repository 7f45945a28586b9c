"""What the page shows of a job: its batches, and its rejected records with sensitive columns masked."""

import json
import uuid
from typing import Any

import pytest

from chalicelib.core.access import EVERYONE, Caller, Scope
from chalicelib.errors import RequestRefused
from chalicelib.services.details import MAX_RECORD_BYTES
from tests.system import MEMBERS, System, member

FIRST = (-1, 0)


def cells(system: System, job: dict[str, Any]) -> list[Any]:
    page = system.container.details.rejections(EVERYONE, uuid.UUID(job["id"]), after=FIRST, limit=100)
    return [
        None if item["cells"] is None else {cell["column"]: cell["text"] for cell in item["cells"]}
        for item in page["items"]
    ]


def test_rejected_records_are_shown_without_what_is_sensitive(system: System) -> None:
    data = MEMBERS + member(1, account_id="seven") + member(2) + "Ana,Silva,12\n" + member(3, phone_number="1")
    job = system.load(data.encode())
    hidden = {"first_name": None, "last_name": None, "phone_number": None}
    assert cells(system, job) == [
        {**hidden, "client_member_id": "1", "account_id": "seven"},
        None,
        {**hidden, "client_member_id": "3", "account_id": "7"},
    ]


def test_pages_of_records_follow_one_another(system: System) -> None:
    job = system.load((MEMBERS + "".join(member(n, account_id="x") for n in range(5))).encode())
    after: Any = FIRST
    seen = []
    while after is not None:
        page = system.container.details.rejections(EVERYONE, uuid.UUID(job["id"]), after=after, limit=2)
        seen += [
            cell["text"] for item in page["items"] for cell in item["cells"] if cell["column"] == "client_member_id"
        ]
        assert page["causes"] == job["causes"]
        after = page["next_cursor"]
    assert seen == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("file.csv", "account_id;client_member_id;phone_number;last_name;first_name;x\nno;5;0000000001;S;Ana;secret\n"),
        (
            "file.jsonl",
            '{"account_id": "no", "client_member_id": 5, "phone_number": "0000000001", "last_name": "S", '
            '"first_name": "Ana", "x": "secret"}\n',
        ),
    ],
)
def test_columns_are_known_by_name_in_every_form(system: System, key: str, data: str) -> None:
    if key.endswith("csv"):
        data = data.replace(";", ",")
    job = system.load(data.encode(), key=f"input/members/{key}")
    assert cells(system, job) == [
        {"account_id": "no", "client_member_id": "5", "phone_number": None, "last_name": None, "first_name": None}
    ]


def test_corrections_are_shown_without_their_error_cells(system: System) -> None:
    parent = system.load((MEMBERS + member(1, account_id="x")).encode())
    child = system.load(system.rejected_csv(parent), key="input/members/again.csv")
    assert child["parent"] == parent["id"]
    assert cells(system, child) == cells(system, parent)


def test_long_records_are_not_shown(system: System) -> None:
    long = "x" * MAX_RECORD_BYTES
    job = system.load((MEMBERS + member(1, account_id="x", first_name=long) + member(2, account_id="x")).encode())
    assert [shown is None for shown in cells(system, job)] == [True, False]


def test_batches_are_told_in_file_order_page_by_page(database_url: str, aws: None) -> None:
    system = System.create(database_url, batch_bytes=65_536)
    job = system.load((MEMBERS + "".join(map(member, range(8_000))) + member(1)).encode())
    after: Any = -1
    batches: list[Any] = []
    while after is not None:
        page = system.container.details.batches(EVERYONE, uuid.UUID(job["id"]), after=after, limit=2)
        assert len(page["items"]) <= 2
        batches += page["items"]
        after = page["next_cursor"]
    assert len(batches) == sum(job["progress"]["batches"].values()) > 2
    assert [batch["number"] for batch in batches] == list(range(len(batches)))
    assert {batch["state"] for batch in batches} == {"succeeded"}
    assert sum(batch["read"] for batch in batches) == job["counts"]["read"] == 8_001
    assert sum(batch["rejected"] for batch in batches) == 1
    assert [batch["byte_end"] for batch in batches[:-1]] == [batch["byte_start"] for batch in batches[1:]]
    json.dumps(batches)  # as the API does


def test_jobs_of_other_datasets_are_not_there(system: System) -> None:
    job = system.load((MEMBERS + member(1, account_id="x")).encode())
    stranger = Caller("s", "s", frozenset({Scope.READ}), frozenset({"plays"}))
    details = system.container.details
    for caller, id in ((stranger, uuid.UUID(job["id"])), (EVERYONE, uuid.uuid4())):
        with pytest.raises(RequestRefused) as no_batches:
            details.batches(caller, id, after=-1, limit=1)
        with pytest.raises(RequestRefused) as no_rejections:
            details.rejections(caller, id, after=FIRST, limit=1)
        assert (no_batches.value.status, no_rejections.value.status) == (404, 404)

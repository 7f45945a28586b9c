"""Files that cannot be loaded as a whole: each has a declared outcome and a message that says what to do."""

import pytest

from chalicelib.adapters.aws import client
from tests.system import MEMBERS, System, members


@pytest.mark.parametrize(
    ("data", "code", "hint"),
    [
        (b"", "empty-file", "empty"),
        (members(1).decode().replace(",", ";").encode(), "wrong-delimiter", ";"),
        (members(1).decode().encode("utf-16-le"), "encoding-error", "UTF-16"),
        (b"first_name,last_name,phone_number\nAna,Li,1234567890\n", "missing-label", "client_member_id"),
        (b"Ana,Li,1234567890,12,7\nBo,Ek,1234567891,13,7\n", "no-header", "header"),
    ],
    ids=["empty", "delimiter", "utf-16", "missing column", "no header"],
)
def test_unloadable_file_fails_at_once_with_its_reason(system: System, data: bytes, code: str, hint: str) -> None:
    job = system.load(data)
    assert job["state"] == "FAILED"
    assert (job["reason"]["code"], job["reason"]["class"]) == (code, "file")
    assert hint in job["reason"]["message"]
    assert sum(job["progress"]["batches"].values()) == 0


def test_header_alone_completes_with_no_records(system: System) -> None:
    job = system.load(MEMBERS.encode())
    assert (job["state"], job["counts"]["read"], job["balanced"]) == ("COMPLETED", 0, True)


def test_unknown_dataset_folder_fails_naming_the_datasets(system: System) -> None:
    job = system.load(members(1), key="input/nosuch/file.csv")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "unknown-dataset")
    assert "members" in job["reason"]["message"]


def test_object_deleted_before_it_loads_fails_as_gone(database_url: str, aws: None) -> None:
    system = System.create(database_url, versioned=False)
    system.drop("input/members/file.csv", members(1))
    client("s3").delete_object(Bucket=system.settings.bucket, Key="input/members/file.csv")
    system.pump()
    assert system.job("input/members/file.csv")["reason"]["code"] == "source-gone"


def test_object_overwritten_before_it_loads_is_never_mixed_with_its_successor(database_url: str, aws: None) -> None:
    system = System.create(database_url, versioned=False, batch_bytes=100)
    key = "input/members/file.csv"
    system.drop(key, members(*range(1, 40)))
    system.deliver(system.settings.intake_queue)
    system.drop(key, members(*range(101, 140)))
    system.pump()
    new, old = system.container.views.jobs(key=key, limit=10)
    assert (old["state"], old["reason"]["code"]) == ("FAILED", "source-changed")
    assert (new["state"], new["counts"]["inserted"]) == ("COMPLETED", 39)
    assert system.rows("select count(*) from members where client_member_id < 100") == [(0,)]


def test_deleted_version_of_a_versioned_bucket_still_loads(system: System) -> None:
    system.drop("input/members/file.csv", members(1))
    client("s3").delete_object(Bucket=system.settings.bucket, Key="input/members/file.csv")
    system.pump()
    assert system.job("input/members/file.csv")["state"] == "COMPLETED"


def test_record_longer_than_the_limit_is_one_rejection_and_its_neighbours_load(system: System) -> None:
    small = System.create(system.database_url, max_record_bytes=1000, batch_bytes=2000, chunk_bytes=4096)
    head, good = members(1), members(2).decode().split("\n")[1].encode() + b"\n"
    job = small.load(head + b"x" * 50_000 + b"\n" + good)
    assert (job["counts"]["read"], job["counts"]["inserted"], job["counts"]["rejected"]) == (3, 2, 1)
    assert job["balanced"] is True
    [rejection] = small.rejections(job)
    assert (rejection["line"], rejection["record"], rejection["errors"][0]["code"]) == (3, 2, "row-error")


def test_quote_that_never_closes_costs_one_line(system: System) -> None:
    lines = members(1, 2, 3).decode().splitlines(keepends=True)
    lines[2] = '"' + lines[2]
    job = system.load("".join(lines).encode())
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (2, 1)
    assert [r["line"] for r in system.rejections(job)] == [3]


def test_folder_marker_is_no_file(system: System) -> None:
    system.drop("input/members/", b"")
    system.pump()
    assert system.container.views.jobs(limit=10) == []

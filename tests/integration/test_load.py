"""From a dropped file to rows, books, error file and receipt."""

import csv
import io
import json

import pytest

from tests.system import MEMBERS, System, member, members


def test_good_file_becomes_rows_and_balanced_books(system: System) -> None:
    job = system.load(members(1, 2, 3))
    assert job["state"] == "COMPLETED", system.rejections(job)
    assert job["counts"] == {"read": 3, "inserted": 3, "updated": 0, "unchanged": 0, "ignored": 0, "rejected": 0}
    assert job["balanced"] is True
    assert job["causes"] == []
    assert system.rows("select client_member_id, phone_number from members order by 1") == [
        (n, f"{n:010d}") for n in (1, 2, 3)
    ]


def test_rows_can_be_traced_to_job_and_batch(system: System) -> None:
    system.load(members(1))
    [(origin,)] = system.rows("select _origin from members")
    [(number,)] = system.rows("select number from dropload.job")
    assert (origin >> 23, origin & (1 << 23) - 1) == (number, 0)


def test_each_bad_record_comes_back_with_line_column_and_reason(system: System) -> None:
    data = MEMBERS + member(1) + member(2, account_id="x") + member(3, first_name="") + member(4)
    job = system.load(data.encode())
    assert job["state"] == "COMPLETED_WITH_FAILURES"
    assert job["counts"]["inserted"] == 2
    assert job["counts"]["rejected"] == 2
    rows = list(csv.DictReader(io.StringIO(system.rejected_csv(job).decode(), newline="")))
    assert [(row["_error_line"], row["_error_record"], row["_error_column"], row["_error_code"]) for row in rows] == [
        ("3", "2", "account_id", "type-error"),
        ("4", "3", "first_name", "constraint-error"),
    ]
    assert [row["client_member_id"] for row in rows] == ["2", "3"]
    assert [(r["line"], r["record"]) for r in system.rejections(job)] == [(3, 2), (4, 3)]


def test_record_numbers_go_on_across_batches(system: System) -> None:
    small = System.create(system.database_url, batch_bytes=100)
    lines = [member(n, account_id="x" if n % 7 == 0 else "7") for n in range(1, 60)]
    job = small.load((MEMBERS + "".join(lines)).encode())
    assert job["progress"]["batches"]["succeeded"] > 5
    rejected = small.rejections(job)
    assert [r["record"] for r in rejected] == list(range(7, 60, 7))
    assert [r["line"] for r in rejected] == list(range(8, 61, 7))
    rows = list(csv.DictReader(io.StringIO(small.rejected_csv(job).decode(), newline="")))
    assert [int(row["_error_record"]) for row in rows] == list(range(7, 60, 7))


def test_manifest_is_the_receipt(system: System) -> None:
    data = members(1) + member(2, account_id="x").encode()
    job = system.load(data)
    receipt = json.loads(system.file(f"error/members/job={job['id']}/manifest.json"))
    assert receipt["state"] == "COMPLETED_WITH_FAILURES"
    assert receipt["counts"] == job["counts"]
    assert receipt["causes"] == job["causes"]
    [batch] = receipt["batches"]
    assert (batch["byte_start"], batch["byte_end"], batch["first_line"]) == (len(MEMBERS), len(data), 2)


def test_same_bytes_under_the_same_name_are_a_duplicate_of_the_first_job(system: System) -> None:
    first = system.load(members(1))
    second = system.load(members(1))
    assert second["state"] == "DUPLICATE"
    assert second["duplicate_of"] == first["id"]
    assert system.rows("select count(*) from members") == [(1,)]


def test_new_bytes_under_the_same_name_are_a_new_job(system: System) -> None:
    system.load(members(1))
    second = system.load(members(2))
    assert second["state"] == "COMPLETED"
    assert system.rows("select count(*) from members") == [(2,)]


def test_same_file_can_be_dropped_again_after_it_failed(system: System) -> None:
    first = system.load(b"phone\n")
    second = system.load(b"phone\n")
    assert (first["state"], second["state"]) == ("FAILED", "FAILED")


def test_records_that_are_in_the_table_name_the_row_they_collide_with(system: System) -> None:
    system.load(members(1, 2))
    job = system.load(members(1, 2, 3), key="input/members/other.csv")
    assert job["counts"]["inserted"] == 1
    ids = dict(system.rows("select client_member_id, id from members"))
    rejections = system.rejections(job)
    assert [[e["column"] for e in r["errors"]] for r in rejections] == [["phone_number", "client_member_id"]] * 2
    assert [{e["message"].rsplit(" ", 1)[1] for e in r["errors"]} for r in rejections] == [{str(ids[1])}, {str(ids[2])}]


def test_duplicates_within_a_file_name_the_line_they_collide_with(system: System) -> None:
    data = MEMBERS + member(1) + member(2, phone_number=f"{1:010d}") + member(3, client_member_id="001")
    job = system.load(data.encode())
    assert job["counts"]["inserted"] == 1
    first, second = (r["errors"][0] for r in system.rejections(job))
    assert first["column"] == "phone_number"
    assert "line 2" in first["message"]
    assert second["column"] == "client_member_id"
    assert "line 2" in second["message"]


def test_record_refused_by_the_table_claims_no_key_within_its_file(system: System) -> None:
    system.load(members(1))
    # The first record's phone is in the table, so its member number is free for the second.
    data = MEMBERS + member(2, phone_number=f"{1:010d}") + member(2, phone_number="9999999999")
    job = system.load(data.encode(), key="input/members/b.csv")
    assert [r["line"] for r in system.rejections(job)] == [2]
    assert system.rows("select phone_number from members where client_member_id = 2") == [("9999999999",)]


@pytest.mark.parametrize(
    ("rule", "code", "column"),
    [
        (
            "alter table members add constraint odd_accounts check (account_id % 2 = 1)",
            "constraint-error",
            "account_id",
        ),
        (
            "create table account (id integer primary key); insert into account values (7);"
            "alter table members add foreign key (account_id) references account",
            "foreign-key",
            "account_id",
        ),
        (
            "create table account (id integer primary key); insert into account values (7);"
            "alter table members add foreign key (account_id) references account deferrable initially deferred",
            "foreign-key",
            "account_id",
        ),
    ],
    ids=["check", "foreign key", "deferred foreign key"],
)
def test_row_that_only_the_database_refuses_is_rejected_alone(
    system: System, rule: str, code: str, column: str
) -> None:
    system.rows(rule)
    lines = [member(1), member(2, account_id="8"), member(3), member(2, phone_number=f"{9:010d}"), member(3)]
    job = system.load((MEMBERS + "".join(lines)).encode())
    assert job["counts"]["inserted"] == 3
    refused, duplicate = system.rejections(job)
    assert (refused["line"], refused["errors"][0]["code"], refused["errors"][0]["column"]) == (3, code, column)
    assert (duplicate["line"], duplicate["errors"][0]["code"]) == (6, "unique-error")
    assert job["balanced"] is True


def test_values_reach_the_table_unchanged(system: System) -> None:
    names = [
        "\\.",
        "back\\slash",
        "tab\there",
        'quote"inside',
        "comma, too",
        "new\nline",
        "cr\r\nlf",
        "José",
        "\\N",
        " x ",
    ]
    out = io.StringIO(newline="")
    rows = [[name, "x", f"{n:010d}", str(n), "7"] for n, name in enumerate(names)]
    csv.writer(out, lineterminator="\n").writerows([MEMBERS.strip().split(","), *rows])
    job = system.load(out.getvalue().encode())
    assert job["state"] == "COMPLETED"
    assert system.rows("select first_name from members order by client_member_id") == [(name,) for name in names]

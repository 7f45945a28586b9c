"""Workbooks and Parquet files, end to end: dropped, converted, cut, loaded, handed back."""

import csv
import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from tests.system import MEMBERS, System
from tests.tables import parquet, sheet_of, workbook

LABELS = MEMBERS.strip().split(",")


def good(number: int) -> list[Any]:
    return ["Ana", "Silva", f"{number:010}", number, 7]


def members_workbook(*rows: Sequence[Any], labels: Sequence[Any] = LABELS) -> bytes:
    return workbook([labels, *rows])


def members_parquet(numbers: Sequence[int], *, row_group_size: int = 1000, **changes: Any) -> bytes:
    columns = dict(zip(LABELS, zip(*map(good, numbers), strict=True), strict=True))
    return parquet({**columns, **changes}, row_group_size=row_group_size)


def rejected(system: System, job: dict[str, Any]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(system.rejected_csv(job).decode())))


def test_a_workbooks_good_rows_load_and_its_bad_ones_come_back_with_the_sheets_row_numbers(system: System) -> None:
    bad_phone, bad_id = ["Bo", 'Ek, "the 2nd"', "12", 2, 7], ["Cy", "Li", "5550000003", "three", 7.5]
    job = system.load(members_workbook(good(1), [], bad_phone, good(4), bad_id), key="input/members/Members.XLSX")
    assert (job["state"], job["balanced"]) == ("COMPLETED_WITH_FAILURES", True)
    assert (job["counts"]["read"], job["counts"]["inserted"], job["counts"]["rejected"]) == (4, 2, 2)
    assert (job["found"]["container"], job["found"]["format"]) == ("xlsx", "jsonl")
    assert [each["line"] for each in system.rejections(job)] == [4, 6]
    assert [each["record"] for each in system.rejections(job)] == [2, 4]
    assert system.rows("select phone_number, client_member_id from members order by 2") == [
        ("0000000001", 1),
        ("0000000004", 4),
    ]
    header, first, second = rejected(system, job)
    assert header[5:] == LABELS
    assert first[:2] == ["4", "2"]
    assert first[5:] == ["Bo", 'Ek, "the 2nd"', "12", "2", "7"]
    assert second[2] == "client_member_id; account_id"
    assert second[5:] == ["Cy", "Li", "5550000003", "three", "7.5"]


def test_a_number_of_excel_is_a_phone_number_without_a_point(system: System) -> None:
    job = system.load(members_workbook(["Ana", "Silva", 5551234567.0, 1.0, 7]), key="input/members/a.xlsx")
    assert job["counts"]["inserted"] == 1
    assert system.rows("select phone_number, client_member_id from members") == [("5551234567", 1)]


def test_a_failed_formula_rejects_its_record_and_comes_back_escaped(system: System) -> None:
    job = system.load(members_workbook(good(1), ["#REF!", "Silva", "5550000002", 2, 7]), key="input/members/b.xlsx")
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (1, 1)
    [rejection] = system.rejections(job)
    assert [(error["code"], error["column"]) for error in rejection["errors"]] == [("type-error", "first_name")]
    assert rejected(system, job)[1][5].startswith('_raw:{"first_name": {"error": "#REF!"}')


def test_parquet_loads_by_row_groups_with_nulls_and_rows_for_lines(system: System) -> None:
    numbers = list(range(1, 26))
    phones = [f"{number:010}" if number != 17 else "x" for number in numbers]
    names = [None if number == 23 else "Silva" for number in numbers]
    data = members_parquet(numbers, row_group_size=10, phone_number=phones, last_name=names)
    job = system.load(data, key="input/members/file.parquet")
    assert (job["state"], job["balanced"], job["counts"]["inserted"]) == ("COMPLETED_WITH_FAILURES", True, 23)
    assert job["found"]["container"] == "parquet"
    assert [(each["line"], each["record"]) for each in system.rejections(job)] == [(17, 17), (23, 23)]
    assert [line[5:] for line in rejected(system, job)[1:]] == [
        ["Ana", "Silva", "x", "17", "7"],
        ["Ana", "", "0000000023", "23", "7"],
    ]


@pytest.mark.parametrize(
    ("key", "data", "code"),
    [
        ("a.xlsx", members_workbook(good(1))[:-400], "archive-damaged"),
        ("a.xlsx", members_workbook(labels=["first_name", "phone_number"]), "missing-label"),
        ("a.xlsx", members_workbook(labels=["Ana", "Silva"]), "no-header"),
        ("a.xlsx", members_workbook(labels=[]), "empty-file"),
        ("a.xlsx", sheet_of(b" " * (65 << 20)), "archive-bomb"),
        ("a.parquet", members_parquet([1])[:-400], "archive-truncated"),
        ("a.parquet", members_parquet([1])[:-100] + members_parquet([1])[-8:], "archive-damaged"),
        (
            "a.parquet",
            members_parquet([1], phone_number=pa.nulls(1)).replace(b"phone_number", b"phone_numbeR"),
            "missing-label",
        ),
    ],
    ids=[
        "xlsx cut",
        "xlsx column",
        "xlsx header",
        "xlsx empty",
        "xlsx bomb",
        "parquet cut",
        "parquet damaged",
        "parquet column",
    ],
)
def test_a_table_that_cannot_be_loaded_fails_at_once_with_its_reason(
    system: System, key: str, data: bytes, code: str
) -> None:
    job = system.load(data, key=f"input/members/{key}")
    assert job["state"] == "FAILED"
    assert (job["reason"]["code"], job["reason"]["class"]) == (code, "file")


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_a_conversion_that_is_handed_on_after_each_batch_ends_the_same(system: System, kind: str) -> None:
    small = System.create(system.database_url, batch_bytes=2_000, max_record_bytes=500)
    numbers = range(1, 201)
    data = members_workbook(*map(good, numbers)) if kind == "xlsx" else members_parquet(list(numbers), row_group_size=7)
    hurried = HandsOnEachTime(small)
    job = hurried.load(data, f"input/members/file.{kind}")
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 200, True)
    assert hurried.invocations > (1 if kind == "xlsx" else 10)
    whole = small.load(data, key=f"input/members/again.{kind}")
    assert whole["counts"]["rejected"] == 200  # each of them is there
    assert cuts(small, job) == cuts(small, whole)


class HandsOnEachTime:
    """Delivers with so little time left that each invocation makes no more headway than it must."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.invocations = 0

    def load(self, data: bytes, key: str) -> dict[str, Any]:
        system = self.system
        system.drop(key, data)
        system.deliver(system.settings.intake_queue)
        while messages := list(system.receive(system.settings.convert_queue)):
            for body, delete in messages:
                self.invocations += 1
                system.container.intake.convert(body, lambda: 1.0)
                delete()
        system.pump()
        return system.job(key)


def cuts(system: System, job: dict[str, Any]) -> list[tuple[Any, ...]]:
    return system.rows(
        "select batch.number, byte_start, byte_end, first_line from dropload.batch"
        " join dropload.job on job.number = batch.job where job.id = %s order by 1",
        job["id"],
    )


def test_a_table_that_is_announced_and_converted_twice_is_loaded_once(system: System) -> None:
    system.drop("input/members/a.xlsx", members_workbook(*map(good, range(1, 20))))
    system.pump(times=2)
    job = system.job("input/members/a.xlsx")
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 19, True)


def test_a_conversion_whose_message_was_lost_is_resumed_by_way_of_the_split(system: System) -> None:
    system.drop("input/members/a.xlsx", members_workbook(good(1)))
    system.deliver(system.settings.intake_queue)
    for _, delete in system.receive(system.settings.convert_queue):
        delete()
    assert system.job("input/members/a.xlsx")["state"] == "PENDING"
    system.container.queues.send_split(UUID(system.job("input/members/a.xlsx")["id"]))  # as the sweep does
    system.pump()
    assert system.job("input/members/a.xlsx")["state"] == "COMPLETED"


def test_a_table_larger_than_files_may_unpack_to_fails(system: System) -> None:
    small = System.create(system.database_url, max_unpacked_bytes=10_000)
    job = small.load(members_parquet(list(range(1, 1001))), key="input/members/a.parquet")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "byte-count")


def test_a_dead_conversion_ends_its_job(system: System) -> None:
    system.drop("input/members/a.xlsx", members_workbook(good(1)))
    system.deliver(system.settings.intake_queue)
    [body] = [body for body, _ in system.receive(system.settings.convert_queue)]
    system.container.intake.bury_split(body)  # its queue's dead letters are the intake's
    job = system.job("input/members/a.xlsx")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "exhausted")

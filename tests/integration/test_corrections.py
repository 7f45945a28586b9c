"""Error files that come back: as children of the job that wrote them, mended by whatever program."""

import csv
import gzip
import io
import json
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.access import EVERYONE
from chalicelib.core.schema import ExtraColumns
from tests.system import MEMBERS, System, forever, member, members

Row = dict[str, str]
BAD = MEMBERS + member(1) + member(2, account_id="x") + member(3, first_name="") + member(4) + member(5, account_id="y")
"""Lines 3, 4 and 6 are wrong."""


def rewritten(error_file: bytes, mend: Callable[[Row], object], delimiter: str = ",", **form: Any) -> bytes:
    """An error file as a script or a spreadsheet leaves it, each row mended."""
    rows = list(csv.DictReader(io.StringIO(error_file.decode(), newline=""), delimiter=delimiter, strict=True))
    for row in rows:
        mend(row)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0].keys(), delimiter=delimiter, **form)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def mended(row: Row) -> None:
    row["account_id"] = "7"
    row["first_name"] = "Ana"


def only(*lines: str) -> Callable[[Row], None]:
    """Mends the rows of these lines."""
    return lambda row: mended(row) if row["_error_line"] in lines else None


def resolved(system: System, job: Mapping[str, Any]) -> tuple[int, list[int]]:
    """How many of a job's rejections are resolved as it says, and the lines of those that are."""
    query = """select line from dropload.rejection join dropload.job on job.number = rejection.job
               where job.id = %s and resolved_by is not null order by line"""
    now = system.job(job["object"]["key"])
    return now["resolved"], [line for (line,) in system.rows(query, job["id"])]


def numbers(system: System) -> list[int]:
    return [number for (number,) in system.rows("select client_member_id from members order by 1")]


@pytest.fixture
def parent(system: System) -> dict[str, Any]:
    return system.load(BAD.encode())


@pytest.mark.parametrize(
    "form",
    [{}, {"lineterminator": "\n"}, {"quoting": csv.QUOTE_ALL}],
    ids=["csv module", "as we write", "all quoted"],
)
def test_mended_records_load_as_a_child_of_the_job_that_rejected_them(
    system: System, parent: dict[str, Any], form: dict[str, Any]
) -> None:
    child = system.load(rewritten(system.rejected_csv(parent), mended, **form), key="input/members/mended.csv")
    assert child["state"] == "COMPLETED", system.rejections(child)
    assert child["counts"]["inserted"] == 3
    assert child["parent"] == parent["id"]
    assert system.job(parent["object"]["key"])["children"] == [child["id"]]
    assert resolved(system, parent) == (3, [3, 4, 6])
    assert numbers(system) == [1, 2, 3, 4, 5]
    assert child["balanced"] is True


def test_unmended_the_same_records_are_rejected_for_the_same_reasons(system: System, parent: dict[str, Any]) -> None:
    child = system.load(system.rejected_csv(parent), key="input/members/again.csv")
    assert child["state"] == "COMPLETED_WITH_FAILURES"
    assert child["counts"] == {**parent["counts"], "read": 3, "inserted": 0}
    assert [r["errors"] for r in system.rejections(child)] == [r["errors"] for r in system.rejections(parent)]
    assert resolved(system, parent) == (0, [])
    rows = [system.rejected_csv(job).splitlines() for job in (parent, child)]
    without_places = [[row.split(b",", 2)[2] for row in file] for file in rows]
    assert without_places[0] == without_places[1]


def test_what_is_mended_bit_by_bit_is_resolved_up_to_the_first_file(system: System, parent: dict[str, Any]) -> None:
    child = system.load(rewritten(system.rejected_csv(parent), only("4")), key="input/members/first try.csv")
    assert (child["counts"]["inserted"], child["counts"]["rejected"]) == (1, 2)
    assert resolved(system, parent) == (1, [4])
    # In the child's file, what stood on line 6 of the parent's is on line 4.
    grandchild = system.load(rewritten(system.rejected_csv(child), only("4")), key="input/members/second try.csv")
    assert (grandchild["parent"], grandchild["counts"]["inserted"]) == (child["id"], 1)
    assert resolved(system, child) == (1, [4])
    assert resolved(system, parent) == (2, [4, 6])
    assert numbers(system) == [1, 3, 4, 5]


def test_a_mended_file_that_is_dropped_twice_resolves_nothing_twice(system: System, parent: dict[str, Any]) -> None:
    file = rewritten(system.rejected_csv(parent), mended)
    system.load(file, key="input/members/mended.csv")
    again = system.load(file, key="input/members/mended.csv")
    other = system.load(file, key="input/members/mended too.csv")
    assert (again["state"], other["state"]) == ("DUPLICATE", "COMPLETED_WITH_FAILURES")
    assert {error["code"] for r in system.rejections(other) for error in r["errors"]} == {"unique-error"}
    assert resolved(system, parent) == (3, [3, 4, 6])


def test_delivered_many_times_it_is_counted_once(system: System) -> None:
    small = System.create(system.database_url, batch_bytes=150)
    small.drop("input/members/file.csv", BAD.encode())
    small.pump(times=3)
    parent = small.job("input/members/file.csv")
    small.drop("input/members/mended.csv", rewritten(small.rejected_csv(parent), mended))
    small.pump(times=3)
    child = small.job("input/members/mended.csv")
    assert child["progress"]["batches"]["succeeded"] > 1
    assert (child["parent"], child["counts"]["inserted"]) == (parent["id"], 3)
    assert resolved(small, parent) == (3, [3, 4, 6])
    small.container.database.close()


def test_the_folder_names_the_parent_where_the_lines_do_not(system: System, parent: dict[str, Any]) -> None:
    other = system.load(BAD.encode().replace(b"Silva", b"Souza"), key="input/members/later.csv")
    garbled = rewritten(
        system.rejected_csv(parent), lambda row: row.update(_error_line="about the middle", _error_code="?")
    )
    child = system.load(garbled, key=f"input/members/job={parent['id']}/rejected.csv")
    assert child["parent"] == parent["id"] != other["id"]
    assert resolved(system, parent) == (0, [])
    unknown = system.load(garbled, key="input/members/of nowhere.csv")
    assert (unknown["parent"], unknown["counts"]["read"]) == (None, 3)
    strange = f"input/members/job={uuid.uuid4()}/rejected.csv"
    assert system.load(garbled, key=strange)["parent"] is None


def test_of_jobs_with_such_lines_the_newest_with_such_reasons_is_the_parent(
    system: System, parent: dict[str, Any]
) -> None:
    missing = MEMBERS + member(11) + "a,b\n" + "a,b\n" + member(14) + "a,b\n"
    system.load(missing.encode(), key="input/members/other reasons.csv")
    child = system.load(rewritten(system.rejected_csv(parent), mended), key="input/members/mended.csv")
    assert child["parent"] == parent["id"]


def test_the_parent_is_the_job_that_rejected_such_records_not_just_on_such_lines(
    system: System, parent: dict[str, Any]
) -> None:
    others = [member(n, account_id="x" if n % 2 else "7", last_name="Souza") for n in range(21, 26)]
    later = system.load((MEMBERS + "".join(others)).encode(), key="input/members/tuesday.csv")
    same = [member(n, first_name="Eva") for n in (31, 32)] + [member(33, account_id="x")]
    system.load((MEMBERS + "".join(same)).encode(), key="input/members/wednesday.csv")
    first = system.load((MEMBERS + member(41) + member(42, account_id="y")).encode(), key="input/members/1.csv")
    second = system.load((MEMBERS + member(51) + member(52, account_id="y")).encode(), key="input/members/2.csv")
    for job in (first, later, second):
        name = job["object"]["key"].rpartition("/")[2]
        child = system.load(rewritten(system.rejected_csv(job), mended), key=f"input/members/mended {name}")
        assert child["parent"] == job["id"]


@pytest.mark.parametrize("line", ["", "-3", "3.5", "0", "99999999999999999999", "9223372036854775807", "x", "1000000"])
def test_a_line_that_is_nonsense_counts_nothing_and_harms_nothing(
    system: System, parent: dict[str, Any], line: str
) -> None:
    def mend(row: Row) -> None:
        mended(row)
        row["_error_line"] = line if row["_error_line"] == "3" else row["_error_line"]

    key = f"input/members/job={parent['id']}/mended.csv"
    child = system.load(rewritten(system.rejected_csv(parent), mend), key=key)
    assert child["counts"]["inserted"] == 3
    assert resolved(system, parent) == (2, [4, 6])


def test_error_columns_are_no_columns_where_others_are_refused(system: System) -> None:
    datasets = system.container.datasets
    datasets["members"] = replace(datasets["members"], extra_columns=ExtraColumns.REJECT)
    parent = system.load(BAD.encode())
    child = system.load(rewritten(system.rejected_csv(parent), mended), key="input/members/mended.csv")
    assert (child["state"], child["parent"], child["counts"]["inserted"]) == ("COMPLETED", parent["id"], 3)


def test_columns_may_be_deleted_and_moved(system: System, parent: dict[str, Any]) -> None:
    def mend(row: Row) -> None:
        mended(row)
        for name in ("_error_record", "_error_column", "_error_code", "_error_message"):
            del row[name]
        row["_error_line"] = row.pop("_error_line")  # now the last one

    child = system.load(rewritten(system.rejected_csv(parent), mend), key="input/members/mended.csv")
    assert (child["state"], child["parent"], child["counts"]["inserted"]) == ("COMPLETED", parent["id"], 3)
    assert resolved(system, parent) == (3, [3, 4, 6])


def test_files_without_a_header_come_back_with_one(system: System) -> None:
    datasets = system.container.datasets
    members_ = datasets["members"]
    datasets["members"] = replace(members_, dialect=replace(members_.dialect, header=False), detect_delimiter=True)
    parent = system.load(BAD.partition("\n")[2].replace(",", ";").encode())
    assert (parent["found"]["delimiter"], parent["counts"]["rejected"]) == (";", 3)
    again = system.load(system.rejected_csv(parent), key="input/members/again.csv")
    assert (again["parent"], again["counts"]["rejected"]) == (parent["id"], 3)
    file = rewritten(system.rejected_csv(parent), mended, ";")
    child = system.load(file, key="input/members/mended.csv")
    assert (child["state"], child["counts"]["inserted"]) == ("COMPLETED", 3)


def test_escaped_records_can_be_mended_where_they_stand(system: System) -> None:
    bad = [b'Ana,"Sil"va,0000000001,1,7\n', b"Ana,Sil\xffva,0000000002,2,7\n", b"Ana,Silva\0,0000000003,3,7\n"]
    parent = system.load(MEMBERS.encode() + b"".join(bad))
    file = system.rejected_csv(parent)
    assert file.count(b"_raw:") == 3
    assert system.load(file, key="input/members/again.csv")["counts"]["rejected"] == 3
    for wrong, right in ((b'""Sil""va', b"Silva"), (rb"\xFF", b""), (rb"\x00", b"")):
        file = file.replace(wrong, right)
    child = system.load(file, key="input/members/mended.csv")
    assert (child["state"], child["counts"]["inserted"]) == ("COMPLETED", 3), system.rejections(child)
    assert resolved(system, parent) == (3, [2, 3, 4])


def test_a_record_that_is_too_long_to_keep_is_never_taken_for_a_blank_one(system: System) -> None:
    small = System.create(system.database_url, max_record_bytes=200)
    long = member(1, last_name="x" * 300)
    parent = small.load((MEMBERS + long + member(2)).encode())
    assert small.rejected_csv(parent).endswith(b",_raw:\n")
    child = small.load(small.rejected_csv(parent), key="input/members/again.csv")
    [rejection] = small.rejections(child)
    assert [error["code"] for error in rejection["errors"]] == ["row-error"]
    assert "too long to be kept" in rejection["errors"][0]["message"]
    assert small.rejected_csv(child).endswith(b",_raw:\n")
    # A record of just the length that is possible comes back longer than that, and is read all the same.
    fits = MEMBERS + member(3, last_name="x" * 160, account_id="y")
    again = small.load(small.rejected_csv(small.load(fits.encode())), key="input/members/fits.csv")
    assert [error["code"] for r in small.rejections(again) for error in r["errors"]] == ["type-error"]
    small.container.database.close()


def test_ordinary_files_have_no_parent(system: System, parent: dict[str, Any]) -> None:
    job = system.load(members(8, 9), key=f"input/members/job={parent['id']}/file.csv")
    assert (job["parent"], job["children"]) == (None, [])


def test_json_lines_come_back_as_json_lines(system: System) -> None:
    good = {"first_name": "Ana", "last_name": "Silva", "phone_number": "0000000001", "client_member_id": 1}
    lines = [{**good, "account_id": 7}, {**good, "account_id": "x"}, {**good, "account_id": [7]}]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines) + b'{"first_name": "Ana\n'
    parent = system.load(data, key="input/members/file.jsonl")
    assert (parent["counts"]["inserted"], parent["counts"]["rejected"]) == (1, 3)
    file = system.file(f"error/members/job={parent['id']}/rejected.jsonl")
    again = system.load(file, key="input/members/again.jsonl")
    assert (again["parent"], again["counts"]["rejected"]) == (parent["id"], 3)
    assert [r["errors"] for r in system.rejections(again)] == [r["errors"] for r in system.rejections(parent)]
    rows = [json.loads(line) for line in file.splitlines()]
    for number, row in enumerate(rows[:2], 2):
        row.update(account_id=7, phone_number=f"{number:010d}", client_member_id=number)
    mended_ = b"".join(json.dumps(row, sort_keys=True).encode() + b"\n" for row in rows)
    child = system.load(mended_, key="input/members/mended.jsonl")
    assert (child["parent"], child["counts"]["inserted"], child["counts"]["rejected"]) == (parent["id"], 2, 1)
    assert resolved(system, parent) == (2, [2, 3])
    redriven = system.container.redrive.run(uuid.UUID(parent["id"]))
    system.pump()
    last = system.container.jobs.get(EVERYONE, redriven)
    assert last["object"]["key"].endswith("/1-rejected.jsonl")
    assert (last["parent"], last["counts"]["read"], last["counts"]["rejected"]) == (parent["id"], 1, 1)


def test_error_files_of_other_encodings_come_back_as_utf8(system: System) -> None:
    members_ = system.container.datasets["members"]
    system.container.datasets["members"] = replace(members_, dialect=replace(members_.dialect, encoding="cp1252"))
    parent = system.load((MEMBERS + member(1, last_name="Müller", account_id="x")).encode("cp1252"))
    file = system.rejected_csv(parent)
    again = system.load(file, key="input/members/again.csv")
    assert (again["parent"], again["counts"]["rejected"]) == (parent["id"], 1)
    spreadsheet = file.decode("utf-8-sig").replace(",x\n", ",7\n").encode("cp1252")
    child = system.load(spreadsheet, key="input/members/mended.csv")
    assert (child["parent"], child["counts"]["inserted"]) == (again["id"], 1)  # which has the same on the same line
    assert resolved(system, parent) == (1, [2])
    assert system.rows("select last_name from members") == [("Müller",)]


def test_a_packed_correction_is_one_too(system: System, parent: dict[str, Any]) -> None:
    file = gzip.compress(rewritten(system.rejected_csv(parent), mended))
    child = system.load(file, key="input/members/mended.csv.gz")
    assert (child["parent"], child["counts"]["inserted"]) == (parent["id"], 3)
    assert resolved(system, parent) == (3, [3, 4, 6])


def test_corrections_that_are_loaded_side_by_side_count_each_record_once(system: System) -> None:
    small = System.create(system.database_url, batch_bytes=400)
    container = small.container
    bad = [f"song {n},2026-01-01,x\n" for n in range(60)]
    parent = small.load(("song,date,plays\n" + "".join(bad)).encode(), key="input/plays/file.csv")
    ids = []
    for name, first, last in (("a", 2, 50), ("b", 12, 62), ("c", 30, 40)):
        file = small.rejected_csv(parent).replace(b",x\n", b",1\n").splitlines(keepends=True)
        key = f"input/plays/job={parent['id']}/{name}.csv"
        small.drop(key, b"".join([file[0], *file[first - 1 : last - 1]]))
        while not small.deliver(small.settings.intake_queue):
            pass
        ids.append(uuid.UUID(small.job(key)["id"]))
    jobs = [job for id in ids if (job := container.ledger.job(id))]
    batches = sorted((number, job.id) for job in jobs for number in range(job.batches))
    assert len(batches) > 15
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda batch: container.load.run(batch[1], batch[0], forever), batches))
    assert {container.jobs.get(EVERYONE, id)["state"] for id in ids} == {"COMPLETED"}
    assert resolved(small, parent) == (60, list(range(2, 62)))
    assert sum(container.jobs.get(EVERYONE, id)["counts"]["read"] for id in ids) == 48 + 50 + 10
    small.container.database.close()

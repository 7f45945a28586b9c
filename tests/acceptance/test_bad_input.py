"""Every kind of bad file has a declared outcome: a state, a reason that a person understands, and exact books."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.acceptance.doors import Doors, Dropped
from tests.acceptance.files import HEADER, demo_file

pytestmark = pytest.mark.stack


@dataclass(frozen=True)
class Refused:
    """A file that fails as a whole. ``says`` must stand in the reason's message."""

    data: bytes
    code: str
    says: str
    dataset: str = "members"


GOOD = demo_file(340, 3).data.removeprefix(HEADER)

REFUSED = {
    "empty": Refused(b"", "empty-file", "empty"),
    "only_a_bom": Refused(b"\xef\xbb\xbf", "empty-file", "empty"),
    "no_header": Refused(GOOD, "no-header", "header"),
    "semicolons": Refused((HEADER + GOOD).replace(b",", b";"), "wrong-delimiter", ";"),
    "tabs": Refused((HEADER + GOOD).replace(b",", b"\t"), "wrong-delimiter", "tab"),
    "utf_32": Refused((HEADER + GOOD).decode().encode("utf-32"), "encoding-error", "UTF-8"),
    "utf_16_without_bom": Refused((HEADER + GOOD).decode().encode("utf-16-le"), "encoding-error", "UTF-8"),
    "latin_1_header": Refused(HEADER.replace(b"first_name", b"pr\xe9nom") + GOOD, "encoding-error", "UTF-8"),
    "old_mac_line_ends": Refused((HEADER + GOOD).replace(b"\n", b"\r"), "line-terminator", "carriage return"),
    "columns_missing": Refused(
        b"first_name,last_name,account_id\nA,B,1\n", "missing-label", "phone_number, client_member_id"
    ),
    "column_twice": Refused(HEADER.replace(b"account_id", b"account_id,first_name"), "duplicate-label", "first_name"),
    "column_without_a_name": Refused(HEADER.replace(b"account_id", b"account_id,"), "blank-label", "header"),
    "unknown_dataset": Refused(HEADER + GOOD, "unknown-dataset", "members", dataset="strangers"),
}


@pytest.fixture(scope="module")
def refused(doors: Doors) -> dict[str, Dropped]:
    """All of them dropped at once, so that they are handled while others are waited for."""
    return {name: doors.drop(f"{name}.csv", case.data, case.dataset) for name, case in REFUSED.items()}


@pytest.mark.parametrize("name", REFUSED)
def test_file_that_cannot_be_loaded_fails_and_says_why(doors: Doors, refused: dict[str, Dropped], name: str) -> None:
    job, case = doors.ended(refused[name]), REFUSED[name]
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", case.code, "file")
    assert case.says in job["reason"]["message"]
    assert not any(job["counts"].values())
    assert not any(job["progress"]["batches"].values())


def test_header_alone_completes_with_nothing(doors: Doors) -> None:
    job = doors.ended(doors.drop("header_alone.csv", HEADER))
    assert (job["state"], job["reason"], job["balanced"]) == ("COMPLETED", None, True)
    assert not any(job["counts"].values())


@pytest.mark.parametrize(
    ("seed", "name", "write"),
    [
        (350, "bom", lambda data: b"\xef\xbb\xbf" + data),
        (351, "crlf", lambda data: data.replace(b"\n", b"\r\n")),
        (352, "no_last_newline", lambda data: data.removesuffix(b"\n")),
        (353, "blank_lines", lambda data: b"\n" + data.replace(b"\n", b"\n\r\n\n")),
        (354, "quoted_header", lambda data: data.replace(b"first_name", b'"first_name"')),
    ],
)
def test_odd_but_good_file_loads_whole(doors: Doors, seed: int, name: str, write: Callable[[bytes], bytes]) -> None:
    data = demo_file(seed, 5).data
    job = doors.ended(doors.drop(f"{name}.csv", write(data)))
    assert (job["state"], job["balanced"], job["counts"]["inserted"]) == ("COMPLETED", True, 5)
    lines = data.decode().splitlines()[1:]
    rows = doors.members([int(line.split(",")[3]) for line in lines])
    assert [",".join(map(str, row)) for row in rows] == lines
    assert not doors.has(job, "rejected.csv")


@dataclass(frozen=True)
class Spoilt:
    """A record that is rejected while the records around it load."""

    record: bytes
    code: str


SPOILT = {
    "hundred_megabyte_record": Spoilt(b"x" * 100_000_000, "row-error"),
    "hundred_megabyte_field": Spoilt(b'"' + b"x" * 100_000_000 + b'",B,1,2,3', "row-error"),
    "quote_that_never_closes": Spoilt(b'"Never,closes,1,2,3', "row-error"),
    "nul_byte": Spoilt(b"A\0,B,1111111111,1,1", "encoding-error"),
    "invalid_utf8": Spoilt(b"Jos\xe9,B,1111111112,2,1", "encoding-error"),
}


@pytest.mark.parametrize(("seed", "name"), list(enumerate(SPOILT, 360)))
def test_spoilt_record_is_rejected_alone(doors: Doors, seed: int, name: str) -> None:
    data = demo_file(seed, 6).data
    lines = data.splitlines(keepends=True)
    dirty = b"".join(lines[:4]) + SPOILT[name].record + b"\n" + b"".join(lines[4:])
    job = doors.ended(doors.drop(f"{name}.csv", dirty))
    assert (job["state"], job["balanced"]) == ("COMPLETED_WITH_FAILURES", True)
    assert (job["counts"]["read"], job["counts"]["inserted"], job["counts"]["rejected"]) == (7, 6, 1)
    (item,) = doors.rejections(job)
    assert (item["record"], item["line"]) == (4, 5)
    assert [(error["column"], error["code"]) for error in item["errors"]] == [(None, SPOILT[name].code)]
    rows = doors.members([int(line.split(b",")[3]) for line in lines[1:]])
    assert [",".join(map(str, row)).encode() + b"\n" for row in rows] == lines[1:]


def test_quote_that_never_closes_spoils_only_its_line_in_a_file_longer_than_the_cap(doors: Doors) -> None:
    file = demo_file(341, 60_000)
    lines = file.data.splitlines(keepends=True)
    dirty = b"".join(lines[:10]) + b'"' + b"".join(lines[10:])
    assert len(dirty) > 2 << 20
    job = doors.ended(doors.drop("quote_beyond_the_cap.csv", dirty))
    assert (job["state"], job["balanced"]) == ("COMPLETED_WITH_FAILURES", True)
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (59_999, 1)
    (item,) = doors.rejections(job)
    assert (item["record"], item["line"], item["errors"][0]["code"]) == (10, 11, "row-error")


def test_object_deleted_before_it_is_looked_at_fails_and_says_so(doors: Doors) -> None:
    dropped = doors.drop("deleted_at_once.csv", demo_file(342, 100_000).data)
    doors.delete(dropped)
    job = doors.ended(dropped)
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "source-gone", "file")
    assert "deleted" in job["reason"]["message"]


def test_object_deleted_while_it_loads_fails_with_exact_books(doors: Doors) -> None:
    file = demo_file(343, 400_000)
    dropped = doors.drop("deleted.csv", file.data)
    doors.job_that(dropped, lambda job: job["progress"]["batches"]["running"] > 0)
    doors.delete(dropped)
    job = doors.ended(dropped)
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "source-gone", "file")
    counts, batches = job["counts"], job["progress"]["batches"]
    assert counts["read"] == counts["inserted"] < 400_000
    assert batches["failed"] > 0
    loaded = doors.members([int(line.split(b",")[3]) for line in file.data.splitlines()[1:]])
    assert len(loaded) == counts["inserted"]


def test_object_overwritten_while_it_loads_is_never_mixed(doors: Doors) -> None:
    files = [demo_file(seed, 2000) for seed in (344, 345)]
    versions = [doors.drop("overwritten.csv", file.data) for file in files]
    jobs = [doors.ended(version) for version in versions]
    assert [job["state"] for job in jobs] == ["COMPLETED", "COMPLETED"]
    for job, file in zip(jobs, files, strict=True):
        assert (job["balanced"], job["counts"]["inserted"]) == (True, 2000)
        lines = file.data.decode().splitlines()[1:]
        rows = doors.members([int(line.split(",")[3]) for line in lines])
        assert [",".join(map(str, row)) for row in rows] == lines

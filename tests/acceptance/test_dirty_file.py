"""A file that is dirty in every known way: each record ends where the truth and the oracle say."""

import csv
import io
import json
import re
from dataclasses import dataclass
from email.utils import getaddresses
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tests.acceptance.doors import Doors, Json, text_of
from tests.acceptance.files import DemoFile, demo_file
from tests.oracle import Outcome, Record, expect, rules_of

pytestmark = pytest.mark.stack
MEMBERS = rules_of(yaml.safe_load((Path(__file__).parents[2] / "chalicelib/datasets/members.yaml").read_text("utf-8")))
ERROR_COLUMNS = ["_error_line", "_error_record", "_error_column", "_error_code", "_error_message"]


@dataclass(frozen=True)
class Loaded:
    """A dirty file, what must become of it, and the job that loaded it."""

    file: DemoFile
    expected: Outcome
    job: Json
    rejections: list[Json]


@pytest.fixture(scope="module")
def loaded(doors: Doors) -> Loaded:
    file = demo_file(300, 3000, dirty=0.2)
    doors.told()
    job = doors.ended(doors.drop("dirty.csv", file.data))
    return Loaded(file, expect(file.data, MEMBERS), job, doors.rejections(job, page=97))


def test_dirty_file_completes_with_failures_and_balanced_books(loaded: Loaded) -> None:
    counts = loaded.job["counts"]
    assert (loaded.job["state"], loaded.job["reason"]) == ("COMPLETED_WITH_FAILURES", None)
    assert loaded.job["balanced"] is True
    assert counts == {
        "read": 3000,
        "inserted": len(loaded.expected.inserted),
        "updated": 0,
        "unchanged": 0,
        "ignored": 0,
        "rejected": len(loaded.expected.refused),
    }
    progress = loaded.job["progress"]
    assert progress["bytes_done"] == progress["bytes_total"] == loaded.job["object"]["size"] == len(loaded.file.data)


def test_table_holds_exactly_what_the_oracle_says(doors: Doors, loaded: Loaded) -> None:
    expected = [tuple(row.values()) for _, row in loaded.expected.inserted]
    # Also the keys of rejected records: none of them may have slipped in.
    refused = {
        int(key) for refused in loaded.expected.refused for key in re.findall(rb"[0-9]{1,18}", refused.record.raw)
    }
    keys = {int(row[3] or 0) for row in expected} | refused
    assert sorted(doors.members(sorted(keys))) == sorted(expected)


def test_rejections_are_what_the_oracle_and_the_truth_say(loaded: Loaded) -> None:
    found = [
        (item["record"], item["line"], {(error["column"], error["code"]) for error in item["errors"]})
        for item in loaded.rejections
    ]
    assert found == [(one.record.number, one.record.line, set(one.errors)) for one in loaded.expected.refused]
    assert found == [
        (odd["record"], odd["line"], {(odd["column"], odd["code"])}) for odd in loaded.file.truth if not odd["valid"]
    ]


def test_duplicates_say_which_record_they_collide_with(loaded: Loaded) -> None:
    messages = {item["record"]: item["errors"][0]["message"] for item in loaded.rejections}
    lines = {record.number: record.line for record, _ in loaded.expected.inserted}
    duplicates = [one for one in loaded.expected.refused if one.collides_with]
    assert duplicates
    for one in duplicates:
        assert f"line {lines[one.collides_with[0]]} " in messages[one.record.number] + " "


def test_causes_count_every_rejection(loaded: Loaded) -> None:
    expected: dict[tuple[str, str | None], list[int]] = {}
    for one in loaded.expected.refused:
        for column, code in set(one.errors):
            expected.setdefault((code, column), []).append(one.record.line)
    causes = loaded.job["causes"]
    assert {(cause["code"], cause["column"]): (cause["count"], cause["example_line"]) for cause in causes} == {
        cause: (len(lines), min(lines)) for cause, lines in expected.items()
    }
    assert [cause["count"] for cause in causes] == sorted((cause["count"] for cause in causes), reverse=True)


def test_error_file_has_each_rejected_record_once_as_it_came(doors: Doors, loaded: Loaded) -> None:
    csv.field_size_limit(1 << 20)
    header, *rows = csv.reader(io.StringIO(doors.read(loaded.job, "rejected.csv").decode("utf-8"), newline=""))
    assert header == [*ERROR_COLUMNS, "first_name", "last_name", "phone_number", "client_member_id", "account_id"]
    for row, one in zip(rows, loaded.expected.refused, strict=True):
        column, code = one.errors[0]
        assert row[:4] == [str(one.record.line), str(one.record.number), column or "", code]
        assert record_in(row[5:], one.record)


def record_in(cells: list[str], record: Record) -> bool:
    """Whether these cells of the error file are the record: as they came, or escaped where that would not parse."""
    if not cells[0].startswith("_raw:"):
        return record.fields is not None and [cell.encode() for cell in cells] == list(record.fields)
    (escaped,) = cells
    return unescaped(escaped.removeprefix("_raw:")) == record.raw


def unescaped(text: str) -> bytes:
    """``\\\\``, ``\\n``, ``\\r`` and ``\\xHH`` as the bytes that they stand for."""

    def byte(escape: re.Match[bytes]) -> bytes:
        name = escape[1]
        return {b"\\": b"\\", b"n": b"\n", b"r": b"\r"}.get(name) or bytes.fromhex(name[1:].decode())

    return re.sub(rb"\\(\\|n|r|x[0-9a-fA-F]{2})", byte, text.encode())


def test_manifest_is_the_receipt(doors: Doors, loaded: Loaded) -> None:
    manifest = json.loads(doors.read(loaded.job, "manifest.json"))
    for name in ("id", "dataset", "state", "reason", "counts", "causes"):
        assert manifest[name] == loaded.job[name]
    ranges = [(batch["byte_start"], batch["byte_end"]) for batch in manifest["batches"]]
    assert ranges[0][0] == loaded.file.data.index(b"\n") + 1
    assert ranges[-1][1] == len(loaded.file.data)
    assert all(end == start for (_, end), (start, _) in pairwise(ranges))


def test_one_email_tells_the_owners_what_to_mend_and_no_value(doors: Doors, loaded: Loaded) -> None:
    mail = doors.mail(loaded.job)
    assert [address for _, address in getaddresses([mail["To"]])] == ["members-owner@example.com"]
    text = text_of(mail)
    counts = loaded.job["counts"]
    for said in (f"{counts['read']:,}", f"{counts['inserted']:,}", f"{counts['rejected']:,}", "dirty.csv"):
        assert said in mail["Subject"] + text
    for cause in loaded.job["causes"]:
        assert cause["code"] in text
        assert cause["column"] is None or cause["column"] in text
        assert re.search(rf"\b{cause['example_line']}\b", text)
    assert f"/v1/jobs/{loaded.job['id']}" in text
    words = set(re.findall(r"\w+", mail["Subject"] + text))
    assert not words & values_of(loaded)


def test_no_message_holds_a_value(loaded: Loaded) -> None:
    said = json.dumps([loaded.rejections, loaded.job["causes"]], ensure_ascii=False)
    assert not set(re.findall(r"\w+", said)) & values_of(loaded)


def values_of(loaded: Loaded) -> set[str]:
    """Names and keys of the rejected records: whatever in them could be told from a count or a line number."""
    cells = [cell for one in loaded.expected.refused for cell in one.record.raw.split(b",")[:4]]
    words = {word for cell in cells for word in re.findall(r"\w+", cell.decode(errors="ignore"))}
    return {word for word in words if len(word) > 2 and not (word.isdigit() and len(word) < 6)}

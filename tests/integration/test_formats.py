"""Files in other containers, formats and encodings than plain UTF-8 CSV, from drop to rows and error file."""

import bz2
import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from chalicelib.adapters.aws import client
from chalicelib.core.dataset import parse_dataset
from tests.system import MEMBERS, System, forever, member, members

GOOD = members(*range(1, 40))
SMALL: dict[str, Any] = {"batch_bytes": 300, "chunk_bytes": 200, "max_record_bytes": 100}
DIRTY = GOOD + member(50, account_id="x").encode()


def zipped(data: bytes, name: str = "members.csv", more: Mapping[str, bytes] = MappingProxyType({})) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in {name: data, **more}.items():
            archive.writestr(path, content)
    return out.getvalue()


PACKED = [("gzip", "file.csv.gz", gzip.compress), ("zip", "file.zip", zipped)]


@pytest.mark.parametrize(("container", "name", "pack"), PACKED, ids=["gzip", "zip"])
def test_packed_file_loads_as_the_plain_one(system: System, container: str, name: str, pack: Any) -> None:
    system = System.create(system.database_url, **SMALL)
    job = system.load(pack(DIRTY), key=f"input/members/{name}")
    assert (job["counts"]["inserted"], job["counts"]["rejected"], job["balanced"]) == (39, 1, True), job
    assert job["found"] == {"container": container, "format": "csv", "encoding": "utf-8", "delimiter": None}
    assert job["progress"]["bytes_done"] == job["progress"]["bytes_total"] == len(DIRTY)
    assert [r["line"] for r in system.rejections(job)] == [41]
    receipt = json.loads(system.file(f"error/members/job={job['id']}/manifest.json"))
    assert receipt["found"] == job["found"]
    assert system.rejected_csv(job).count(b"\n") == 2


def songs(system: System, **changes: Any) -> System:
    """The system with a dataset of songs."""
    fields = [
        {"name": "song", "type": "string", "constraints": {"required": True}},
        {"name": "price", "type": "number"},
        {"name": "tags", "type": "array"},
    ]
    descriptor = {"name": "songs", "schema": {"fields": fields}, "dropload": {"on_conflict": "append"}, **changes}
    system.container.datasets["songs"] = parse_dataset(descriptor)
    system.container.schema.apply()
    return system


ENCODED = [
    ("windows-1252", "cp1252", b"\x81", "\\x81"),
    ("iso-8859-15", "iso8859-15", None, ""),
    ("utf-16", "utf-16-le", b"\x00\xd8", "\\xED\\xA0\\x80"),
    ("utf-16-be", "utf-16-be", b"\xdc\x00", "\\xED\\xB0\\x80"),
]


@pytest.mark.parametrize(("declared", "found", "bad", "shown"), ENCODED)
def test_encoded_file_loads_and_what_the_encoding_does_not_know_is_rejected(
    system: System, declared: str, found: str, bad: bytes | None, shown: str
) -> None:
    system = System.create(system.database_url, batch_bytes=40, chunk_bytes=37, max_record_bytes=30)
    songs(system, dialect={"encoding": declared})
    text = "song,price\r\nJosé,1.5\r\nBAD,2\r\nÀ b,3\r\n"
    data = text.encode(declared).replace("BAD".encode(found), bad or "José".encode(found))
    job = system.load(data, key="input/songs/a.csv")
    assert job["found"]["encoding"] == found
    assert job["balanced"] is True
    rows = [("José",), ("À b",)] if bad else [("José",), ("José",), ("À b",)]
    assert system.rows("select song from songs order by price") == rows
    assert [(r["line"], r["errors"][0]["code"]) for r in system.rejections(job)] == (
        [(3, "encoding-error")] if bad else []
    )
    if bad:
        # Marked as UTF-8, so that it is read as what it is when it is dropped again.
        assert system.rejected_csv(job).startswith("\ufeff_error_line,".encode())
        assert system.rejected_csv(job).decode().splitlines()[1].endswith(f',"_raw:{shown},2"')


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_a_byte_order_mark_beats_what_is_declared(system: System, encoding: str) -> None:
    songs(system, dialect={"encoding": "cp1252"})
    job = system.load("\ufeffsong,price\nJosé,1\n".encode(encoding), key="input/songs/a.csv")
    assert (job["found"]["encoding"], job["state"]) == (encoding, "COMPLETED"), job
    assert system.rows("select song from songs") == [("José",)]


def test_utf_16_without_a_mark_is_not_guessed(system: System) -> None:
    songs(system, dialect={"encoding": "utf-16"})
    job = system.load("song,price\nJosé,1\n".encode("utf-16-le"), key="input/songs/a.csv")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "encoding-error")
    assert "utf-16-le" in job["reason"]["message"]


JSON_LINES = b"""{"song": "Ana", "price": 1.50, "tags": ["a", {"b": 1}]}
{"price": 2, "song": "B\\u00e9", "tags": null, "more": 1}

{"song": null, "price": "x"}
not json
{"song": "C", "price": 3}
"""
PLAINLY = lambda data: data  # noqa: E731
JSON_WAYS = [
    ("a.jsonl", PLAINLY, None),
    ("a.ndjson.gz", gzip.compress, "gzip"),
    ("a.zip", lambda data: zipped(data, "songs.jsonl"), "zip"),
]


@pytest.mark.parametrize(("name", "pack", "container"), JSON_WAYS, ids=["plain", "gzip", "zip"])
def test_json_lines_load_and_come_back_as_json_lines(system: System, name: str, pack: Any, container: Any) -> None:
    system = songs(System.create(system.database_url, batch_bytes=80, chunk_bytes=50, max_record_bytes=60))
    job = system.load(pack(JSON_LINES), key=f"input/songs/{name}")
    assert (job["state"], job["counts"]["read"], job["counts"]["rejected"]) == ("COMPLETED_WITH_FAILURES", 5, 2), job
    assert job["balanced"] is True
    assert job["found"] == {"container": container, "format": "jsonl", "encoding": "utf-8", "delimiter": None}
    assert system.rows("select song, price::text, tags::text from songs order by song") == [
        ("Ana", "1.50", '["a", {"b": 1}]'),
        ("Bé", "2", None),
        ("C", "3", None),
    ]
    lines = system.file(f"error/songs/job={job['id']}/rejected.jsonl").splitlines()
    first, second = map(json.loads, lines)
    assert (first["_error_line"], first["_error_record"], first["_error_column"]) == (4, 3, "song; price")
    assert lines[0].endswith(b', "song": null, "price": "x"}')
    assert (second["_error_line"], second["_error_code"], second["_raw"]) == (5, "row-error", "_raw:not json")


def test_json_lines_go_by_the_merge_policy_as_csv_does(system: System) -> None:
    lines = [
        json.dumps(dict(zip(MEMBERS.strip().split(","), member(n).strip().split(","), strict=True))) for n in range(30)
    ]
    data = ("\ufeff" + "\n".join([*lines, lines[3], lines[4].replace("Ana", "Zo\\u00eb")]) + "\n").encode()
    job = system.load(data, key="input/members/a.jsonl")
    assert (job["counts"]["inserted"], job["counts"]["rejected"], job["balanced"]) == (30, 2, True), job
    assert [(r["line"], r["errors"][0]["code"]) for r in system.rejections(job)] == [
        (31, "unique-error"),
        (32, "unique-error"),
    ]
    assert "line 4" in system.rejections(job)[0]["errors"][0]["message"]


def test_a_descriptor_may_say_that_files_are_json_lines(system: System) -> None:
    songs(system, format="jsonl")
    job = system.load(b'{"song": "Ana"}\n', key="input/songs/a.txt")
    assert (job["state"], job["found"]["format"]) == ("COMPLETED", "jsonl")
    job = system.load(b"song\nBo\n", key="input/songs/a.csv")
    assert (job["state"], job["found"]["format"]) == ("COMPLETED", "csv")


def bomb() -> bytes:
    return gzip.compress(GOOD + bytes(80 << 20), 9)


def encrypted() -> bytes:
    data = bytearray(zipped(GOOD))
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(magic) + at] |= 1
    return bytes(data)


def squeezed() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.csv", GOOD)
    return out.getvalue()


REFUSED = {
    "truncated gzip": (gzip.compress(GOOD)[:-3], "archive-truncated"),
    "damaged gzip": (gzip.compress(GOOD)[:-8] + bytes(8), "archive-damaged"),
    "garbage after gzip": (gzip.compress(GOOD) + b"garbage", "archive-damaged"),
    "empty gzip": (gzip.compress(b""), "empty-file"),
    "gzip in gzip": (gzip.compress(gzip.compress(GOOD)), "archive-nested"),
    "gzip in zip": (zipped(gzip.compress(GOOD), "a.csv.gz"), "archive-nested"),
    "two files": (zipped(GOOD, more={"other": GOOD}), "archive-members"),
    "no file": (zipped(b"", "folder/"), "archive-members"),
    "empty zip": (b"PK\x05\x06" + bytes(18), "archive-members"),
    "encrypted zip": (encrypted(), "archive-encrypted"),
    "bzip2 in zip": (squeezed(), "archive-unsupported"),
    "truncated zip": (zipped(GOOD)[:-40], "archive-damaged"),
    "many files": (zipped(GOOD, more={f"{n}.csv": b"" for n in range(20_000)}), "archive-members"),
    "workbook by another name": (zipped(b"<x/>", "[Content_Types].xml", {"xl/a.xml": b""}), "unsupported-format"),
    "bzip2": (bz2.compress(GOOD), "unsupported-format"),
}


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_unpacked_fails_with_its_reason(system: System, data: bytes, code: str) -> None:
    job = system.load(data, key="input/members/file.csv")
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", code, "file"), job
    assert system.rows("select count(*) from members") == [(0,)] or sum(job["progress"]["batches"].values()) > 0


def test_bomb_fails_and_so_does_more_than_the_limit(system: System) -> None:
    job = system.load(bomb(), key="input/members/bomb.csv.gz")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "archive-bomb")
    small = System.create(system.database_url, max_unpacked_bytes=len(GOOD) - 1)
    job = small.load(gzip.compress(GOOD), key="input/members/large.csv.gz")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "byte-count")
    system.container.datasets["members"] = replace(system.container.datasets["members"], max_file_bytes=len(GOOD) - 1)
    job = system.load(gzip.compress(GOOD), key="input/members/unpacked.csv.gz")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "byte-count")


def test_damage_that_shows_late_fails_the_job_and_leaves_its_books_right(system: System) -> None:
    system = System.create(system.database_url, **SMALL)
    data = members(*range(1, 2000))
    packed = gzip.compress(data[:50_000]) + gzip.compress(data[50_000:])[:-10]
    job = system.load(packed, key="input/members/file.csv.gz")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "archive-truncated")
    counts = job["counts"]
    assert counts["read"] == counts["inserted"] > 1000
    assert system.rows("select count(*) from members") == [(counts["inserted"],)]


def test_zip_with_folders_and_what_macos_adds_is_a_zip_of_one_file(system: System) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("data/", b"")
        archive.writestr("data/members.csv", GOOD)
        archive.writestr("__MACOSX/data/._members.csv", b"\0\5")
        archive.comment = b"made by hand " * 99
    job = system.load(out.getvalue(), key="input/members/file.zip")
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 39), job


def test_zip_in_64_bits_loads(system: System) -> None:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w", force_zip64=True) as file,
    ):
        file.write(GOOD)
    job = system.load(out.getvalue(), key="input/members/file.zip")
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 39), job


def batches_of(system: System) -> list[Any]:
    return system.rows("select number, byte_start, byte_end, first_line from dropload.batch order by job, number")


def test_staged_split_handed_on_after_every_batch_is_the_same_split(system: System) -> None:
    system = System.create(system.database_url, **SMALL)
    plain = members(*range(1, 100))
    data = b"".join(gzip.compress(plain[at : at + 400]) for at in range(0, len(plain), 400))
    whole = system.load(data, key="input/members/whole.csv.gz")
    expected = batches_of(system)
    system.rows("delete from members; delete from dropload.outbox; delete from dropload.job")
    system.drop("input/members/file.csv.gz", data)
    [stored] = system.announced()
    system.container.split.announced(stored, lambda: 0.0)
    rounds = 0
    while not (job := system.job("input/members/file.csv.gz"))["progress"]["bytes_total"]:
        system.container.split.resume(UUID(job["id"]), lambda: 0.0)
        rounds += 1
    assert rounds > 3
    assert batches_of(system) == expected
    system.pump(times=3)
    job = system.job("input/members/file.csv.gz")
    assert (job["state"], job["counts"], job["balanced"]) == ("COMPLETED", whole["counts"], True)


def test_staged_split_killed_before_it_booked_goes_on_where_it_stood(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System.create(system.database_url, **SMALL)
    system.drop("input/members/file.csv.gz", gzip.compress(members(*range(1, 100))))
    [stored] = system.announced()
    ledger, plans = system.container.ledger, 0
    plan = ledger.plan

    def killed(*args: Any, **options: Any) -> Any:
        nonlocal plans
        plans += 1
        if plans % 2 == 0:
            raise KeyboardInterrupt
        return plan(*args, **options)

    monkeypatch.setattr(ledger, "plan", killed)
    for _ in range(20):
        with suppress(KeyboardInterrupt):
            system.container.split.announced(stored, forever)
    monkeypatch.undo()
    assert plans > 4
    system.pump()
    job = system.job("input/members/file.csv.gz")
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 99, True)


def test_staged_batch_that_has_expired_fails_its_job_with_what_to_do(system: System) -> None:
    system.drop("input/members/file.csv.gz", gzip.compress(GOOD))
    system.deliver(system.settings.intake_queue)
    job = system.job("input/members/file.csv.gz")
    client("s3").delete_object(Bucket=system.settings.bucket, Key=f"staging/members/job={job['id']}/batch-00000")
    system.pump()
    job = system.job("input/members/file.csv.gz")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "staging-gone")
    assert "drop the file again" in job["reason"]["message"]


@pytest.mark.parametrize("chunk_bytes", [1, 7, 200])
def test_lines_that_end_with_a_carriage_return_alone_load_where_they_are_declared(
    system: System, chunk_bytes: int
) -> None:
    system = System.create(system.database_url, **{**SMALL, "chunk_bytes": chunk_bytes})
    songs(system, dialect={"lineTerminator": "\r", "delimiter": ","})
    for number, end in enumerate((b"\r", b"\r\n", b"\n")):
        lines = [b"song,price", b'"a, and\nb",1', b"c,x", b"", b"d,2", b""]
        job = system.load(end.join(lines), key=f"input/songs/{number}.csv")
        assert (job["counts"]["inserted"], job["counts"]["rejected"], job["balanced"]) == (2, 1, True), job
        assert [r["line"] for r in system.rejections(job)] == [4]
    assert system.rows("select song, price, count(*) from songs group by 1, 2 order by 2") == [
        ("a, and\nb", 1, 3),
        ("d", 2, 3),
    ]

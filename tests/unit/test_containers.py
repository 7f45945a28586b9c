import gzip

import pytest

from chalicelib.core.containers import Found, container_of, format_of, refuse_nested
from chalicelib.errors import FileRefused


@pytest.mark.parametrize(
    ("head", "key", "container"),
    [
        (gzip.compress(b"x", mtime=0), "a.csv", "gzip"),
        (b"PK\x03\x04.....", "a.zip", "zip"),
        (b"PK\x05\x06.....", "a.csv", "zip"),
        (b"PK\x03\x04.....", "a.XLSX", "xlsx"),
        (b"PAR1\x15\x04", "a", "parquet"),
        (b"PAR1,PAR2\n", "a.csv", None),
        (b"BZhours,b\nxx", "a.csv", None),
        (b"a,b\n1,2\n", "a.gz", None),
        (b"", "a.zip", None),
    ],
)
def test_a_container_is_known_by_what_it_holds(head: bytes, key: str, container: str | None) -> None:
    assert container_of(head, key) == container


@pytest.mark.parametrize(
    "head", [b"BZh91AY&SYxx", b"\xfd7zXZ\0xxxx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xx", b"%PDF-1.7xx"]
)
def test_what_cannot_be_read_is_named(head: bytes) -> None:
    with pytest.raises(FileRefused) as caught:
        container_of(head, "a.csv")
    assert caught.value.code == "unsupported-format"
    assert "CSV, JSON Lines, Excel (.xlsx) or Parquet" in caught.value.message


@pytest.mark.parametrize("head", [gzip.compress(b"x", mtime=0), b"PK\x03\x04......", b"PAR1\x15\x04"])
def test_a_container_in_a_container_is_refused(head: bytes) -> None:
    with pytest.raises(FileRefused) as caught:
        refuse_nested(head, "zip")
    assert caught.value.code == "archive-nested"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.jsonl", "jsonl"),
        ("a.NDJSON.GZ", "jsonl"),
        ("x/a.jsonl.zip", "jsonl"),
        ("a.csv", "csv"),
        ("a.tsv.gz", "csv"),
        ("a.txt", None),
        ("jsonl", None),
        ("a.zip", None),
    ],
)
def test_a_name_tells_the_format_or_nothing(name: str, found: str | None) -> None:
    assert format_of(name) == found


def test_only_plain_utf_8_is_not_staged() -> None:
    assert not Found(None, "jsonl", "utf-8").staged
    assert Found("gzip").staged
    assert Found(None, "csv", "cp1252").staged

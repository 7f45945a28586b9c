from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.addresses import Url
from chalicelib.core.targets import MOST_KEY, S3Target, fetched_key, parse_target, upload_key
from chalicelib.errors import UrlRefused

JOB = UUID(int=7)


@pytest.mark.parametrize(
    "name", ["file.csv", "Mitglieder für Mai (1).csv", "名簿.csv", ".hidden", "a" * 1000, "x;y&z=1.csv"]
)
def test_a_file_is_uploaded_under_its_name(name: str) -> None:
    assert upload_key("members", name) == f"input/members/{name}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        " file.csv",
        "file.csv ",
        "../members.csv",
        "a/b.csv",
        "a\\b.csv",
        "/etc/passwd",
        "C:\\x.csv",
        "a\0b.csv",
        "a\nb.csv",
        "a\x7fb.csv",
        "a\x85b.csv",
        "a\u2028b.csv",
        "gpj.\u202evsc.csv",
        "a\ud800.csv",
        "a\uffff.csv",
        "${filename}",
        "$.csv",
        "a" * 1024,
        "ü" * 600,
    ],
)
def test_a_hostile_name_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(ValueError) as refused:
        upload_key("members", name)
    assert not name or name in (".", "..") or name not in str(refused.value)


@given(st.text())
def test_every_name_is_refused_or_one_key_in_its_datasets_folder(name: str) -> None:
    try:
        key = upload_key("members", name)
    except ValueError:
        return
    assert key.split("/") == ["input", "members", name]
    assert len(key.encode()) <= MOST_KEY
    assert name.isprintable() or " " in name or any(ord(char) > 127 for char in name)


@given(st.text(max_size=300))
def test_a_fetched_file_lies_in_its_jobs_folder_whatever_its_path(path: str) -> None:
    for target in (Url("https", "example.com", 443, "/" + path), S3Target("bucket", path)):
        folders = fetched_key("members", JOB, target).split("/")
        assert folders[:3] == ["input", "members", f"fetch={JOB}"]
        assert len(folders) == 4
        assert folders[3].isascii()
        assert 0 < len(folders[3]) <= 100


def test_a_fetched_file_keeps_what_tells_its_format() -> None:
    assert fetched_key("members", JOB, Url("https", "x.example", 443, "/a/May%20(1).csv.gz?sig=1")).endswith(
        "/May_1_.csv.gz"
    )
    assert fetched_key("members", JOB, Url("https", "x.example", 443, "/?download=1")).endswith("/file")


def test_an_object_is_named_as_it_is() -> None:
    assert parse_target("s3://my.bucket-1/a b/ü?c=1.csv") == S3Target("my.bucket-1", "a b/ü?c=1.csv")


@given(st.text(max_size=80).map(lambda text: "s3://" + text))
def test_any_text_is_an_object_or_refused(text: str) -> None:
    try:
        target = parse_target(text)
    except UrlRefused:
        return
    assert isinstance(target, S3Target)
    assert target.shown == text

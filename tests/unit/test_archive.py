"""No two archived objects share a key, and every key is one that S3 takes."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.archive import archive_key

JOB = UUID(int=7)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1_000)


def test_an_archived_object_keeps_its_folders_and_names_its_job() -> None:
    assert archive_key("members", JOB, "input/members/2026/a.csv") == f"archive/members/job={JOB}/2026/a.csv"


@given(name=names)
def test_a_key_is_never_too_long_and_ends_as_it_did(name: str) -> None:
    key = archive_key("members", JOB, f"input/members/{name}")
    prefix = f"archive/members/job={JOB}/"
    assert key.startswith(prefix)
    assert len(key.encode()) <= 1024
    assert name.endswith(key.removeprefix(prefix))
    assert len(key.encode()) > 1020 or key == prefix + name

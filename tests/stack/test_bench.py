"""dev.py bench: small runs through its command, and that a wrong answer never gets a time."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import tables
from benchmarks.cli import wrong_of_ours
from benchmarks.compare import compare
from benchmarks.contenders.base import NotRunError, Run
from benchmarks.contenders.copying import Copy, psql
from benchmarks.contenders.ours import Ours
from benchmarks.files import Files, make
from benchmarks.objects import repeat, size_of, stretches
from benchmarks.parts import phases
from benchmarks.stage import Stage, environment, staged
from benchmarks.store import BUCKET, ObjectStore
from benchmarks.truth import Truths, wrong_rejections
from chalicelib.adapters import aws
from chalicelib.adapters.s3 import S3ObjectStore
from chalicelib.errors import FileRefused
from chalicelib.services.ports import StoredObject
from tests.conftest import FAST_SETTINGS
from tests.stack.commands import dev

ROWS = 2_000


def has_psql() -> bool:
    try:
        psql()
    except NotRunError:
        return False
    return True


needs_psql = pytest.mark.skipif(not has_psql(), reason="no psql beside PostgreSQL's programs, nor on PATH")
FAST = [part for name, value in FAST_SETTINGS.items() for part in ("--postgres", f"{name}={value}")]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("bench"), FAST_SETTINGS) as stage:
        yield stage


@pytest.fixture(scope="module")
def files(stage: Stage) -> Files:
    return make(stage.folder / "files", "members", ROWS, dirty=0.05, halves=True)


@needs_psql
def test_one_command_measures_ours_beside_copy_and_writes_tables(tmp_path: Path) -> None:
    what = ["--only", "members,dirty", "--contenders", "reject", "--no-plots"]
    size = ["--rows", str(ROWS), "--rounds", "1"]
    done = dev("bench", *what, *size, *FAST, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "out/members.json").read_text())
    assert [one["name"] for one in told["contenders"]] == ["\\copy", "dropload, reject"]
    assert all(one["seconds"]["median"] > 0 for one in told["contenders"])
    assert told["contenders"][1]["details"]["counts"]["read"] == ROWS
    assert told["machine"]["settings"]["synchronous_commit"] == "on"
    dirty = json.loads((tmp_path / "out/dirty.json").read_text())["contenders"]
    assert [bool(one["wrong"]) for one in dirty] == [True, False]
    page = (tmp_path / "out/README.md").read_text()
    assert "| dropload, reject | " in page
    assert page.count("\n## ") == 2


def test_all_seconds_of_a_traced_load_belong_to_a_phase(stage: Stage, files: Files) -> None:
    datasets = {"members": tables.members()}
    stage.reset(datasets)
    stage.put(files.dirty, "input/members/dirty.csv")
    outcome = stage.load("input/members/dirty.csv", datasets, traced=True)
    told = phases.told(outcome.spans["load"])
    expected = {
        "read",
        "parse and validate",
        "keys",
        "COPY and indexes",
        "look up keys",
        "commit",
        "bookkeeping",
        "encode",
    }
    assert expected <= told["phases"].keys()
    assert "without a name" not in told["statements"]
    assert 0 < sum(phase["seconds"] for phase in told["phases"].values()) <= 2 * outcome.seconds


def test_parts_that_do_not_exist_are_refused_by_name(tmp_path: Path) -> None:
    done = dev("bench", "--only", "members,speed", "--out", tmp_path)
    assert done.returncode == 2
    assert "no such part: speed" in done.stderr


def test_a_part_that_would_measure_nothing_is_refused(tmp_path: Path) -> None:
    done = dev("bench", "--only", "sizes", "--sizes", "100000", "--out", tmp_path)
    assert done.returncode == 2
    assert "the part large" in done.stderr


class LosesARow(Copy):
    name = "dropload, that loses a row"
    after = "delete from members where id = (select min(id) from members)"

    def load(self, stage: Stage, files: Files, *, dirty: bool) -> Run:
        run = super().load(stage, files, dirty=False)
        stage.execute(self.after)
        return run


class ChangesAValue(LosesARow):
    name = "dropload, that changes a value"
    after = "update members set first_name = 'Other' where id = (select min(id) from members)"


class IsNotThere(Copy):
    name = "elsewhere"

    def prepare(self) -> None:
        raise NotRunError("it cannot be had here")


@needs_psql
def test_a_wrong_answer_has_no_time_and_who_is_missing_is_named(stage: Stage, files: Files) -> None:
    contenders = [Copy(), LosesARow(), ChangesAValue(), IsNotThere()]
    rounds = {contender.name: 1 for contender in contenders}
    told = compare(stage, Truths(stage), files, contenders, rounds, baseline="\\copy")
    right, loses, changes, missing = told["contenders"]
    assert right["ratio"] == 1
    accepted = files.accepted_rows
    assert loses["wrong"] == f"{accepted - 1:,} rows instead of {accepted:,}"
    assert changes["wrong"] == "other values than those of the file"
    assert missing["not_run"] == "it cannot be had here"
    assert not any("seconds" in one for one in (loses, changes, missing))
    assert wrong_of_ours(told)


@pytest.mark.parametrize("policy", ["reject", "ignore", "update", "replace"])
def test_a_rejection_that_is_missing_is_found(stage: Stage, files: Files, policy: str) -> None:
    ours = Ours(policy)
    ours.create(stage, "members")
    assert ours.load(stage, files, dirty=True).wrong == ""
    [error_file] = stage.store.path("error/members").glob("*/rejected.csv")
    error_file.write_text("".join(error_file.read_text().splitlines(keepends=True)[:-1]))
    job = {"dataset": "members", "id": error_file.parent.name.removeprefix("job=")}
    assert "rejections instead of" in wrong_rejections(stage, files, job, policy=policy)


def test_accepted_records_are_the_files_own_without_what_is_rejected(files: Files) -> None:
    with files.accepted.open(newline="") as text:
        assert sum(1 for _ in csv.reader(text)) == 1 + files.accepted_rows
    first, second = (half.read_bytes().partition(b"\n")[2] for half in files.halves)
    assert first + second == files.accepted.read_bytes().partition(b"\n")[2]
    assert abs(len(first) - len(second)) < 1000


@given(head=st.integers(0, 5), block=st.integers(1, 7), times=st.integers(1, 5), data=st.data())
def test_a_repeated_object_is_its_head_and_its_block_many_times(
    tmp_path_factory: pytest.TempPathFactory, head: int, block: int, times: int, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("repeated") / "object"
    content = bytes(range(head + block))
    path.write_bytes(content)
    repeat(path, head, times)
    whole = content[:head] + content[head:] * times
    assert size_of(path) == len(whole)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    assert b"".join(content[at : at + count] for at, count in stretches(path, start, end)) == whole[start:end]


def test_the_object_store_is_one_that_our_adapter_can_use(tmp_path: Path) -> None:
    body = bytes(range(256)) * 4096
    parts = [body] * 9  # more than one part of a multipart upload
    aws.forget_clients()
    with ObjectStore(tmp_path) as store, environment(store.environment):
        objects = S3ObjectStore(BUCKET)
        objects.ping()
        objects.write("error/a b+ü/rejected.csv", iter(parts), "text/csv")
        stored = objects.stat("error/a b+ü/rejected.csv")
        assert stored.size == 9 * len(body)
        assert objects.read(stored, 1000, 300_000) == body[1000:300_000]
        assert b"".join(objects.stream(stored, 5, 1 << 20)) == b"".join(parts)[5:]
        assert objects.fetch(stored.key) == b"".join(parts)
        other = StoredObject(BUCKET, stored.key, None, "other", stored.size)
        with pytest.raises(FileRefused, match="overwritten"):
            objects.read(other, 0, 10)
        objects.delete(stored)
        with pytest.raises(FileRefused, match="deleted"):
            objects.read(stored, 0, 10)
    aws.forget_clients()

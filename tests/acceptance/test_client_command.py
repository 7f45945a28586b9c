"""The command ``dropload``, run as a person or a script runs it, against the running stack."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.local.paths import ROOT
from tests.acceptance.doors import Doors, Json
from tests.system import MEMBERS, member

pytestmark = pytest.mark.stack

Done = subprocess.CompletedProcess[str]


class Command:
    """Runs ``dropload``, with a folder of its own for what login keeps."""

    def __init__(self, stack: Mapping[str, Any], folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": "",
            "PYTHONPATH": str(ROOT),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "DROPLOAD_URL": str(stack["api_url"]),
            "DROPLOAD_API_KEY": str(stack["api_key"]),
        }

    def __call__(self, *arguments: str | Path, **environment: str) -> Done:
        given = {**self.environment, **environment}
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "dropload_client.cli", *map(str, arguments)],
            cwd=self.folder,
            env={name: value for name, value in given.items() if value},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def json(self, *arguments: str | Path) -> Any:
        """What it prints for programs, which is all that it prints."""
        done = self(*arguments, "--json")
        assert done.stderr == "", done.stderr
        return json.loads(done.stdout)

    def file(self, name: str, *lines: str) -> Path:
        """A file of members."""
        path = self.folder / name
        path.write_text(MEMBERS + "".join(lines))
        return path


@pytest.fixture
def dropload(stack: Mapping[str, Any], tmp_path: Path) -> Command:
    return Command(stack, tmp_path)


def test_a_good_file_is_0_and_the_same_again_names_the_job(dropload: Command) -> None:
    file = dropload.file("good may.csv", member(8_100_001), member(8_100_002))
    first = dropload("upload", file, "--dataset", "members", "--wait")
    assert first.returncode == 0, first.stderr
    assert "COMPLETED: 2 records: 2 inserted" in first.stdout
    assert "uploading: " in first.stderr
    id = first.stdout.split("job ")[1].split(",")[0]
    again = dropload("upload", file, "--dataset", "members", "--wait")
    assert (again.returncode, f"job {id}" in again.stdout) == (0, True)
    assert "was loaded before" in again.stdout


def test_rejected_records_are_3_and_are_had_as_a_file(dropload: Command, doors: Doors) -> None:
    file = dropload.file("some.csv", member(8_200_001), member(8_200_002, account_id="x"))
    [found] = dropload.json("upload", file, "--dataset", "members", "--wait")
    job: Json = found["job"]
    assert job["state"] == "COMPLETED_WITH_FAILURES"
    assert dropload("job", job["id"]).returncode == 3
    out = dropload.folder / "rejected.csv"
    assert dropload("rejected", job["id"], "-o", out).returncode == 0
    assert out.read_bytes() == doors.read(job, "rejected.csv") == dropload("rejected", job["id"]).stdout.encode()
    again = dropload.json("redrive", job["id"], "--wait")
    assert (again["parent"], again["counts"]["rejected"]) == (job["id"], 1)
    assert dropload("redrive", job["id"], "--failed").returncode == 1


def test_the_worst_of_several_files_is_the_exit_code_and_none_holds_up_another(dropload: Command) -> None:
    good, bad = dropload.file("a.csv", member(8_300_001)), dropload.file("c.csv", "short,line\n")
    done = dropload("upload", good, dropload.folder / "missing.csv", bad, "--dataset", "members", "--wait")
    assert done.returncode == 1
    assert "missing.csv: cannot read it" in done.stderr
    assert "COMPLETED: 1 records" in done.stdout
    assert "COMPLETED_WITH_FAILURES" in done.stdout
    assert "Traceback" not in done.stderr
    assert dropload("upload", bad, "--dataset", "members", "--again", "--wait").returncode == 3


def test_a_job_that_failed_is_1(dropload: Command) -> None:
    file = dropload.folder / "no-header.csv"
    file.write_text("nonsense\n1\n")
    done = dropload("upload", file, "--dataset", "members", "--wait")
    assert (done.returncode, "FAILED" in done.stdout, "because" in done.stdout) == (1, True, True)


def test_validate_only_loads_nothing(dropload: Command, doors: Doors) -> None:
    file = dropload.file("check.csv", member(8_400_001))
    done = dropload("upload", file, "--dataset", "members", "--wait", "--validate-only", "--max-attempts", "2")
    head = doors.s3.head_object(Bucket=doors.bucket, Key="input/members/check.csv")
    assert head["Metadata"]["dropload-max-attempts"] == "2"
    assert (done.returncode, "would be 1 inserted" in done.stdout) == (0, True)
    assert doors.members([8_400_001]) == []


def test_a_file_that_lies_elsewhere_is_fetched(dropload: Command, doors: Doors) -> None:
    doors.s3.put_object(Bucket=doors.bucket, Key="archive/members/x.csv", Body=(MEMBERS + member(8_500_001)).encode())
    job = dropload.json("fetch", f"s3://{doors.bucket}/archive/members/x.csv", "--dataset", "members", "--wait")
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 1)
    assert dropload("fetch", "https://127.0.0.1/x", "--dataset", "members").returncode == 1


def test_jobs_are_listed_shown_and_called_off(dropload: Command) -> None:
    file = dropload.file("listed.csv", member(8_600_001))
    [found] = dropload.json("upload", file, "--dataset", "members")
    id = found["job"]["id"]
    assert dropload("job", id, "--watch").returncode == 0
    assert [job["id"] for job in dropload.json("jobs", "--of", "input/members/listed.csv")] == [id]
    assert id in dropload("jobs", "--dataset", "members", "--state", "COMPLETED", "--limit", "200").stdout
    ended = dropload("cancel", id)
    assert (ended.returncode, "409" in ended.stderr) == (1, True)


def test_why_says_what_became_of_an_object(dropload: Command) -> None:
    dropload("upload", dropload.file("why.csv", member(8_650_001)), "--dataset", "members", "--wait")
    loaded = dropload("why", "input/members/why.csv")
    assert (loaded.returncode, loaded.stdout.startswith("loaded: ")) == (0, True)
    missing = dropload("why", "input/members/missing.csv")
    assert (missing.returncode, missing.stdout != "", missing.stderr) == (1, True, "")


def test_a_dataset_is_written_out_and_downloaded(dropload: Command) -> None:
    dropload("upload", dropload.file("out.csv", member(8_700_001)), "--dataset", "members", "--wait")
    out = dropload.folder / "out"
    done = dropload("export", "--dataset", "members", "--filter", "client_member_id=8700001", "--out", out)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "part-00001.csv"]
    assert "8700001" in (out / "part-00001.csv").read_text()
    assert dropload("export", "--dataset", "members", "--out", out).returncode == 1


def test_login_keeps_what_works_for_its_owner_alone(dropload: Command, stack: Mapping[str, Any]) -> None:
    nothing = {"DROPLOAD_URL": "", "DROPLOAD_API_KEY": ""}
    lost = dropload("jobs", **nothing)
    assert (lost.returncode, "dropload login" in lost.stderr) == (1, True)
    wrong = dropload("login", "--url", stack["api_url"], "--key", "dropload_wrong", **nothing)
    assert (wrong.returncode, "401" in wrong.stderr) == (1, True)
    assert dropload("login", "--url", stack["api_url"], "--key", stack["api_key"], **nothing).returncode == 0
    file = dropload.folder / "config" / "dropload" / "config.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert dropload("jobs", **nothing).returncode == 0
    elsewhere = dropload("jobs", "--url", "https://elsewhere.example", **nothing)
    assert "no API key for https://elsewhere.example" in elsewhere.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "http://example.com", "--key", "k"], "must begin with https://"),
        (["--url", "http://127.0.0.1:1"], "no answer from"),
        (["--key", "dropload_wrong"], "401"),
    ],
)
def test_what_cannot_work_is_said_in_a_line(dropload: Command, arguments: list[str], said: str) -> None:
    done = dropload("jobs", *arguments)
    assert (done.returncode, said in done.stderr, len(done.stderr.splitlines())) == (1, True, 1)


def test_a_key_that_may_not_is_told_so_before_anything_is_uploaded(dropload: Command, doors: Doors) -> None:
    file = dropload.file("forbidden.csv", member(8_800_001))
    done = dropload("upload", file, "--dataset", "members", DROPLOAD_API_KEY=doors.key("read"))
    assert (done.returncode, "403" in done.stderr) == (1, True)


def test_wrong_arguments_are_2(dropload: Command) -> None:
    assert dropload("upload").returncode == 2
    assert dropload("upload", "x.csv", "--dataset", "members", "--max-attempts", "21").returncode == 2
    assert dropload("fly").returncode == 2

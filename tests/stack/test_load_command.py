import re
from pathlib import Path
from typing import Any

import pytest

from infra.local.state import Local
from tests.stack.commands import dev

pytestmark = pytest.mark.stack

HEADER = "first_name,last_name,phone_number,client_member_id,account_id\n"


@pytest.fixture
def state(stack: dict[str, Any]) -> Path:
    return Path(stack["mail_dir"]).parent


def test_exit_code_0_when_every_record_was_loaded_and_again_as_a_duplicate(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "clean.csv"
    file.write_text(HEADER + "Ada,Byron,5551000001,9100001,1\n")
    first = dev("load", file, "--dataset", "members", "--state", state)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "COMPLETED: 1 records: 1 inserted" in first.stdout
    job = first.stdout.split("job ")[1].split(",")[0]
    second = dev("load", file, "--dataset", "members", "--state", state)
    assert second.returncode == 0
    assert f"the same file was loaded before: job {job}" in second.stdout


def test_exit_code_3_with_the_causes_when_some_were_rejected(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "some-bad.csv"
    file.write_text(HEADER + "Ada,Byron,5551000002,9100002,1\nBob,Cy,5551000003,9100003,one\n")
    done = dev("load", file, "--dataset", "members", "--state", state)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "1 inserted" in done.stdout
    assert "1 rejected" in done.stdout
    assert "1 × type-error in account_id, first in line 3" in done.stdout


def test_exit_code_1_with_the_reason_when_the_job_failed(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "no-such-dataset.csv"
    file.write_text(HEADER)
    done = dev("load", file, "--dataset", "unheard-of", "--state", state)
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert "unheard-of" in done.stdout


def test_a_file_that_cannot_be_read_is_a_clear_error(state: Path, tmp_path: Path) -> None:
    done = dev("load", tmp_path / "missing.csv", "--dataset", "members", "--state", state)
    assert done.returncode == 1
    assert "cannot read" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_running_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = dev("load", tmp_path / "any.csv", "--dataset", "members", "--state", tmp_path)
    assert done.returncode == 1
    assert "dev.py up" in done.stderr


def test_validate_only_says_what_would_be_and_loads_nothing(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "checked.csv"
    file.write_text(HEADER + "Ada,Byron,5551000004,9100004,1\nBob,Cy,5551000005,9100005,one\n")
    checked = dev("load", file, "--dataset", "members", "--validate-only", "--state", state)
    assert checked.returncode == 3, checked.stdout + checked.stderr
    assert "would be 1 inserted" in checked.stdout
    assert "1 rejected" in checked.stdout
    assert "nothing was loaded" in checked.stdout
    loaded = dev("load", file, "--dataset", "members", "--state", state)
    assert loaded.returncode == 3, loaded.stdout + loaded.stderr
    assert "records: 1 inserted" in loaded.stdout


def test_where_the_api_gives_no_answer_it_shows_what_that_said_last(tmp_path: Path) -> None:
    Local("http://127.0.0.1:1", *["unused"] * 8).write(tmp_path)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "api.log").write_text("its last words\n")
    done = dev("why", "input/members/a.csv", "--state", tmp_path)
    assert done.returncode == 1
    assert re.search(r"no answer from http://127.0.0.1:1: .*\n.*api\.log:\nits last words", done.stderr)

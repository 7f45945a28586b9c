"""What a person sees of ``dev.py datasets``."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.local.paths import ROOT
from tests.stack.commands import dev

THINGS: dict[str, Any] = {
    "name": "things",
    "schema": {"fields": [{"name": "code", "type": "string", "constraints": {"required": True}}], "primaryKey": "code"},
}
WRONG = """\
name: things
schema:
  fields:
    - {name: code, type: strin, required: true}
    - {name: size, type: integer, constraints: {minimun: 3, maximum: x}}
  foreignKeys:
    - {fields: size, reference: {resource: elsewhere, fields: size}}
dropload: {on_conflct: update, filters: [colour]}
"""


def write(folder: Path, **descriptors: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name, descriptor in descriptors.items():
        text = descriptor if isinstance(descriptor, str) else json.dumps(descriptor)
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_check_says_that_the_shipped_descriptors_are_right_without_stack_or_database() -> None:
    done = dev("datasets", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "chalicelib/datasets/members.yaml: ok\n" in done.stdout


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    write(tmp_path, **{f"things{n}": THINGS | {"name": f"things{n}"} for n in range(3)})
    command = [sys.executable, "-m", "infra.local.cli", "datasets", "check", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        run.stdout.close()
        assert run.stderr is not None
        assert run.stderr.read() == ""
    assert run.returncode == 141


def test_check_says_in_one_pass_all_that_is_wrong_with_the_path_to_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "all", good=THINGS | {"name": "good"}, wrong=WRONG, broken="name: [x\nschema: {}\n")
    done = dev("datasets", "check", folder)
    assert done.returncode == 1
    assert "2 of 3 descriptors must be mended" in done.stderr
    blocks = dict(block.split(": ", 1) for block in done.stdout.replace(f"{folder}/", "\f").split("\f")[1:])
    assert blocks["good.yaml"] == "ok\n"
    assert blocks["broken.yaml"].splitlines()[1].startswith("  line 2, column 7: ")
    paths = [line.split(": ")[0].strip() for line in blocks["wrong.yaml"].splitlines()[1:]]
    assert sorted(paths) == [
        "dropload.filters",
        "dropload.on_conflct",
        "schema.fields[0].required",
        "schema.fields[0].type",
        "schema.fields[1].constraints.maximum",
        "schema.fields[1].constraints.minimun",
    ]
    assert "did you mean on_conflict?" in blocks["wrong.yaml"]


def test_check_takes_files_and_looks_at_what_they_refer_to(tmp_path: Path) -> None:
    link = {"fields": "code", "reference": {"resource": "elsewhere", "fields": "code"}}
    child = {**THINGS, "name": "child", "schema": {**THINGS["schema"], "foreignKeys": [link]}}
    folder = write(tmp_path, child=child, elsewhere={**THINGS, "name": "elsewhere"})
    alone = dev("datasets", "check", folder / "child.yaml")
    assert alone.returncode == 1
    assert "schema.foreignKeys[0].reference.resource: there is no dataset elsewhere" in alone.stdout
    assert dev("datasets", "check", folder / "child.yaml", folder / "elsewhere.yaml").returncode == 0


@pytest.mark.parametrize("name", ["missing.yaml", "empty"])
def test_check_of_nothing_is_no_success(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    done = dev("datasets", "check", tmp_path / name)
    assert done.returncode == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_is_what_apply_does_and_then_there_is_nothing_to_do(tmp_path: Path, empty_database_url: str) -> None:
    folder = write(tmp_path, things=THINGS)
    plan = dev("datasets", "plan", folder, "--database-url", empty_database_url)
    assert plan.returncode == 0, plan.stderr
    assert 'create table "public"."things"' in plan.stdout
    applied = dev("datasets", "apply", folder, "--database-url", empty_database_url)
    assert applied.returncode == 0, applied.stderr
    assert applied.stdout.split("\n\n")[0] == plan.stdout.split("\n\n")[0]
    again = [dev("datasets", action, folder, "--database-url", empty_database_url) for action in ("plan", "apply")]
    assert [(done.returncode, done.stdout) for done in again] == [(0, "nothing to do\n")] * 2


def test_plan_and_apply_refuse_what_would_lose_data_and_say_what_to_do(tmp_path: Path, empty_database_url: str) -> None:
    folder = write(tmp_path, things=THINGS)
    assert dev("datasets", "apply", folder, "--database-url", empty_database_url).returncode == 0
    fields = [{"name": "other", "type": "integer"}]
    write(tmp_path, things={**THINGS, "schema": {"fields": fields}}, more={**THINGS, "name": "more"})
    for action in ("plan", "apply"):
        done = dev("datasets", action, folder, "--database-url", empty_database_url)
        assert done.returncode == 1
        assert "things: code is not declared any more; declare it, or, to lose its values, run: alter" in done.stderr
    assert (
        'create table "public"."more"' in dev("datasets", "plan", folder, "--database-url", empty_database_url).stdout
    )


def test_wrong_descriptors_are_neither_planned_nor_applied(tmp_path: Path, empty_database_url: str) -> None:
    folder = write(tmp_path, things=WRONG)
    done = dev("datasets", "apply", folder, "--database-url", empty_database_url)
    assert done.returncode == 1
    assert "things.yaml: dropload.on_conflct: unknown; did you mean on_conflict?" in done.stderr


def test_a_database_that_does_not_answer_is_a_clear_error_without_its_address(tmp_path: Path) -> None:
    url = "postgresql://ana:secret@127.0.0.1:1/none"
    done = dev("datasets", "plan", write(tmp_path, things=THINGS), "--database-url", url)
    assert done.returncode == 1
    assert "cannot connect to the database" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_running_stack_plan_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    done = dev("datasets", "plan", "--state", tmp_path)
    assert done.returncode == 1
    assert "dev.py up" in done.stderr


@pytest.mark.stack
def test_the_running_stack_has_what_the_shipped_descriptors_say(stack: dict[str, Any]) -> None:
    done = dev("datasets", "plan", "--state", Path(stack["mail_dir"]).parent)
    assert (done.returncode, done.stdout) == (0, "nothing to do\n"), done.stderr


@pytest.mark.stack
def test_apply_says_that_a_running_stack_must_start_again_for_new_descriptors(stack: dict[str, Any]) -> None:
    done = dev("datasets", "apply", "--state", Path(stack["mail_dir"]).parent)
    assert done.returncode == 0, done.stderr
    assert "nothing to do\n\nthe running stack keeps the descriptors that it started with" in done.stdout
    assert "dev.py down, then up" in done.stdout


@pytest.mark.parametrize("action", ["check", "plan", "apply"])
def test_help_tells_what_an_action_does_and_its_exit_codes(action: str) -> None:
    done = dev("datasets", action, "--help")
    assert done.returncode == 0
    assert "Exit code: 0" in " ".join(done.stdout.split())

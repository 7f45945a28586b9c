"""Demo files hold what their truth says, by the oracle's reading."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local.demo import main, write_demo
from infra.local.demo_members import KINDS
from infra.local.demo_writer import DemoSummary
from tests.oracle import expect, rules_of

MEMBERS = rules_of(yaml.safe_load((Path(__file__).parents[2] / "chalicelib/datasets/members.yaml").read_text("utf-8")))


def demo(**wanted: Any) -> tuple[bytes, list[dict[str, Any]], DemoSummary]:
    """A demo file of members, the truth about it, and its summary."""
    out, truth = io.BytesIO(), io.StringIO()
    arguments = {"rows": None, "size": None, "dirty": 0.0, "seed": 7} | wanted
    summary = write_demo(out, dataset="members", truth=truth, **arguments)
    return out.getvalue(), [json.loads(line) for line in truth.getvalue().splitlines()], summary


def test_clean_file_is_all_good() -> None:
    data, truth, summary = demo(rows=5000)
    outcome = expect(data, MEMBERS)
    assert (len(outcome.inserted), outcome.refused, truth, summary.odd.total()) == (5000, [], [], 0)


@pytest.mark.parametrize("seed", range(3))
def test_truth_is_what_the_oracle_finds(seed: int) -> None:
    data, truth, summary = demo(rows=1500, dirty=0.3, seed=seed)
    outcome = expect(data, MEMBERS)
    told = [(odd["record"], odd["line"], odd["column"], odd["code"]) for odd in truth if not odd["valid"]]
    found = [(refused.record.number, refused.record.line, *refused.errors[0]) for refused in outcome.refused]
    assert found == told
    assert [refused.collides_with for refused in outcome.refused if refused.collides_with] == [
        (odd["duplicate_of"],) for odd in truth if odd["duplicate_of"]
    ]
    assert {(odd["record"], odd["line"]) for odd in truth if odd["valid"]} < {
        (record.number, record.line) for record, _ in outcome.inserted
    }
    assert (len(outcome.inserted) + len(outcome.refused), len(outcome.refused)) == (summary.rows, summary.rejected)


def test_every_kind_comes_up() -> None:
    _, truth, summary = demo(rows=200, dirty=0.5)
    assert {odd["kind"] for odd in truth} == set(summary.odd) == set(KINDS)


def test_only_the_kinds_that_are_asked_for_come_up() -> None:
    _, truth, _ = demo(rows=100, dirty=0.5, kinds=["crlf", "bad_int"])
    assert {odd["kind"] for odd in truth} == {"crlf", "bad_int"}


def test_same_arguments_make_the_same_bytes() -> None:
    assert demo(rows=300, dirty=0.2) == demo(rows=300, dirty=0.2)
    assert demo(rows=300, dirty=0.2, seed=1)[0] != demo(rows=300, dirty=0.2, seed=2)[0]


def test_files_of_different_seeds_share_no_key() -> None:
    lines = [line.split(b",") for seed in range(20) for line in demo(rows=1000, seed=seed)[0].splitlines()[1:]]
    assert len({line[2] for line in lines}) == len({line[3] for line in lines}) == 20_000


@pytest.mark.parametrize("size", [10_000, 1_000_000])
def test_file_is_as_large_as_asked(size: int) -> None:
    data, _, summary = demo(size=size)
    assert len(data) == summary.bytes
    assert size - 200 < len(data) < size + 200


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ({}, "either a number of rows or a size"),
        ({"rows": 1, "size": 1}, "either a number of rows or a size"),
        ({"rows": -1}, "cannot be negative"),
        ({"rows": 1, "dirty": 2.0}, "between 0 and 1"),
        ({"rows": 1, "kinds": ["no_such"]}, "unknown kinds: no_such"),
    ],
)
def test_senseless_wish_is_refused(wanted: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        demo(**wanted)


def test_command_writes_the_file_and_its_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, truth = tmp_path / "demo.csv", tmp_path / "demo.truth"
    assert main(["--rows", "400", "--dirty", "10%", "--seed", "3", "-o", str(out), "--truth", str(truth)]) == 0
    assert out.read_bytes() == demo(rows=400, dirty=0.1, seed=3)[0]
    assert len(truth.read_text("utf-8").splitlines()) == 40
    assert "400 rows" in capsys.readouterr().out


def test_command_that_makes_no_sense_leaves_the_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo.csv"
    out.write_text("precious")
    with pytest.raises(SystemExit):
        main(["--size", "1XB", "-o", str(out)])
    with pytest.raises(SystemExit):
        main(["--rows", "1", "--kinds", "no_such", "-o", str(out)])
    assert out.read_text() == "precious"
    assert "not a size: '1XB'" in capsys.readouterr().err


def test_command_says_that_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rows", "1", "-o", str(tmp_path / "absent" / "demo.csv")]) == 1
    assert "cannot write" in capsys.readouterr().err

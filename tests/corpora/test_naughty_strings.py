"""The big list of naughty strings: each one loads as exactly itself, or is rejected with a code."""

import csv
import json
from pathlib import Path

import pytest
import yaml

from chalicelib.core.dataset import parse_dataset
from tests.corpora.cases import cases
from tests.corpora.engine import run
from tests.corpora.naughty import LONGEST, members_named

MEMBERS = Path(__file__).parents[2] / "chalicelib/datasets/members.yaml"


@cases("blns", "blns.json")
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_naughty_string_loads_as_itself_or_is_rejected(path: Path, quoting: int) -> None:
    names = json.loads(path.read_text("utf-8"))
    rows, rejections = run(members_named(names, quoting), parse_dataset(yaml.safe_load(MEMBERS.read_text("utf-8"))))
    assert [row["first_name"] for row in rows] == [name for name in names if 0 < len(name) <= LONGEST]
    assert [rejection.record - 1 for rejection in rejections] == [
        place for place, name in enumerate(names) if not 0 < len(name) <= LONGEST
    ]
    assert {(error.column, error.code) for rejection in rejections for error in rejection.errors} == {
        ("first_name", "constraint-error")
    }

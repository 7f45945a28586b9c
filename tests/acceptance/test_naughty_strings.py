"""The big list of naughty strings, all the way into the table and back."""

import json
from pathlib import Path

import pytest

from tests.acceptance.doors import Doors
from tests.corpora.cases import cases
from tests.corpora.naughty import LONGEST, members_named

pytestmark = pytest.mark.stack
FIRST_KEY = 10**12  # beyond those of demo files


@cases("blns", "blns.json")
def test_naughty_strings_come_out_of_the_table_as_they_went_in(doors: Doors, path: Path) -> None:
    names = json.loads(path.read_text("utf-8"))
    job = doors.ended(doors.drop("naughty.csv", members_named(names, first_key=FIRST_KEY)))
    good = [name for name in names if 0 < len(name) <= LONGEST]
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (len(good), len(names) - len(good))
    rows = doors.members([FIRST_KEY + place for place in range(len(names))])
    assert sorted(row[0] for row in rows) == sorted(good)

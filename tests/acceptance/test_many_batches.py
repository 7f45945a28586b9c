"""A file of several batches, loaded by several workers at once: the same records are rejected as by one."""

from collections import Counter

import pytest

from infra.local.demo_members import KINDS
from tests.acceptance.doors import Doors
from tests.acceptance.files import demo_file

pytestmark = pytest.mark.stack

# Records that share one key only: whichever batch is quicker, exactly one of them is loaded. (Were there records that
# share a phone with one record and a number with another, the order would decide how many are.)
ONE_KEY = [kind for kind in KINDS if kind != "duplicate_phone"]
ROWS = 260_000


def test_file_of_several_batches_has_the_rejections_that_its_truth_tells(doors: Doors) -> None:
    file = demo_file(310, ROWS, dirty=0.01, kinds=ONE_KEY)
    job = doors.ended(doors.drop("many_batches.csv", file.data))
    bad = [odd for odd in file.truth if not odd["valid"]]
    assert (job["state"], job["balanced"]) == ("COMPLETED_WITH_FAILURES", True)
    assert job["progress"]["batches"]["succeeded"] > 2
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (ROWS - len(bad), len(bad))

    rejections = doors.rejections(job)
    by_themselves = [
        (item["record"], item["line"], error["column"], error["code"])
        for item in rejections
        for error in item["errors"]
        if error["code"] != "unique-error"
    ]
    assert by_themselves == [
        (odd["record"], odd["line"], odd["column"], odd["code"]) for odd in bad if odd["code"] != "unique-error"
    ]

    sharing = {odd["record"]: odd["duplicate_of"] for odd in bad if odd["duplicate_of"]}
    group_of = sharing | {record: record for record in sharing.values()}
    lost = Counter(group_of[item["record"]] for item in rejections if item["errors"][0]["code"] == "unique-error")
    assert lost == Counter(sharing.values())

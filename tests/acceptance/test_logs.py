"""On one machine, what functions log can be read where all other logs are."""

from pathlib import Path
from typing import Any

import pytest

from infra.local.deploy import FUNCTIONS_LOG
from tests.acceptance.doors import Doors
from tests.acceptance.files import demo_file

pytestmark = pytest.mark.stack


def test_what_became_of_a_file_stands_in_the_functions_log(doors: Doors, stack: dict[str, Any]) -> None:
    job = doors.ended(doors.drop("logged.csv", demo_file(380, 10).data))
    log = Path(stack["mail_dir"]).parent / "log" / FUNCTIONS_LOG
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if job["id"] in line]
    assert any(" started " in line and "function=split" in line and "logged.csv" in line for line in lines)
    assert any(" batch loaded " in line and "RecordsRead=10" in line for line in lines)
    assert any(" job ended " in line and "state=COMPLETED" in line for line in lines)

"""Log lines: one each, with what was worked on, and never with what an exception of somebody else's may quote."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.adapters import logs
from chalicelib.adapters.logs import JsonFormatter, LoggedMeter, TextFormatter
from chalicelib.errors import Transient
from chalicelib.services.metrics import Metric
from chalicelib.services.telemetry import note, working

SECRET = "555-0199"


class Kept(logging.Handler):
    """Keeps lines as both formatters make them."""

    def __init__(self) -> None:
        super().__init__()
        self.json: list[dict[str, Any]] = []
        self.text: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = JsonFormatter().format(record)
        assert "\n" not in line
        self.json.append(json.loads(line))
        self.text.append(TextFormatter().format(record))


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler, log = Kept(), logging.getLogger("dropload")
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler
    log.removeHandler(handler)
    log.setLevel(before)


def test_a_line_names_what_is_worked_on(kept: Kept) -> None:
    log = logging.getLogger("dropload.test")
    with working("load", job="j-1", batch=3):
        note(dataset="members")
        log.info("a line")
    log.info("another")
    first, second = kept.json
    assert (first["function"], first["job"], first["batch"], first["dataset"]) == ("load", "j-1", 3, "members")
    assert (first["level"], first["message"]) == ("INFO", "a line")
    assert "job" not in second
    assert "a line function=load job=j-1 batch=3 dataset=members" in kept.text[0]


def test_a_failure_is_logged_with_what_was_worked_on_wherever_it_is_caught(kept: Kept) -> None:
    with working("sweep"):
        try:
            with working(job="j-1"):
                raise Transient("database-trouble", "the database did not answer")
        except Transient:
            logging.getLogger("dropload.test").exception("cannot be helped on")
        logging.getLogger("dropload.test").info("next")
    failed, following = kept.json
    assert (failed["function"], failed["job"]) == ("sweep", "j-1")
    assert (failed["error_code"], failed["exception"]) == ("database-trouble", "the database did not answer")
    assert any("test_logs.py" in frame for frame in failed["stack_trace"])
    assert "job" not in following


def test_no_foreign_exceptions_message_is_logged(kept: Kept) -> None:
    def fail() -> None:
        try:
            int(SECRET)
        except ValueError as error:
            raise KeyError(SECRET) from error

    try:
        fail()
    except KeyError:
        logging.getLogger("dropload.test").exception("a fault of ours")
    assert (kept.json[0]["exception_name"], kept.json[0]["cause"]) == ("KeyError", "ValueError")
    assert SECRET not in json.dumps(kept.json) + "".join(kept.text)


def test_a_line_is_one_line_whatever_a_file_is_called(kept: Kept) -> None:
    with working("split", key="input/members/a\nb\u2028level=ERROR .csv"):
        logging.getLogger("dropload.test").info("a line")
    assert len(kept.text[0].splitlines()) == 1
    assert kept.json[0]["key"] == "input/members/a\nb\u2028level=ERROR .csv"


def test_metrics_are_in_the_format_that_cloudwatch_reads(kept: Kept) -> None:
    meter = LoggedMeter(lambda: {"members"})
    with working("load", job="j-1", batch=3):
        meter.report("batch loaded", {Metric.RECORDS_READ: 10, Metric.READ_SECONDS: 0.25}, dataset="members")
        meter.report("swept", {Metric.SWEEPS: 1})
    line, without = kept.json
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "dropload",
        "Dimensions": [["dataset", "function"]],
        "Metrics": [{"Name": "RecordsRead", "Unit": "Count"}, {"Name": "ReadSeconds", "Unit": "Seconds"}],
    }
    assert abs(line["_aws"]["Timestamp"] - logging.LogRecord("", 0, "", 0, "", None, None).created * 1000) < 60_000
    # Every dimension and metric that the directive names is a member of the line: else CloudWatch drops it.
    assert (line["dataset"], line["function"], line["RecordsRead"], line["ReadSeconds"]) == (
        "members",
        "load",
        10,
        0.25,
    )
    assert (line["job"], line["batch"]) == ("j-1", 3)
    assert without["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["function"]]
    assert "RecordsRead=10 ReadSeconds=0.250" in kept.text[0]


def test_folders_that_are_no_datasets_are_one_metric(kept: Kept) -> None:
    meter = LoggedMeter(lambda: {"members"})
    for number in range(3):
        meter.report("started", {Metric.JOBS_STARTED: 1}, dataset=f"made-up-{number}")
    assert [line["dataset"] for line in kept.json] == ["_"] * 3


def test_a_process_logs_each_line_once_and_libraries_only_their_warnings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root, ours = logging.getLogger(), logging.getLogger("dropload")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    try:
        root.handlers[:] = [logging.StreamHandler(sys.stdout)]  # Lambda's own
        logs.start("JSON")
        logging.getLogger("dropload.test").info("ours")
        logging.getLogger("botocore.endpoint").debug("body=%s", SECRET)
        logging.getLogger("botocore.endpoint").info("body=%s", SECRET)
        logging.getLogger("botocore.endpoint").warning("a warning")
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == ["ours", "a warning"]

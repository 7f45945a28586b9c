"""docs/operations.md is true: it has every metric, and none besides."""

import json
import re

from chalicelib.services.metrics import Metric
from infra.local.packaging import read_template
from infra.local.paths import ROOT

RESOURCES = read_template()["Resources"]
ALARMS = {name: each["Properties"] for name, each in RESOURCES.items() if each.get("Type") == "AWS::CloudWatch::Alarm"}
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_metric_is_described_and_none_that_there_is_not() -> None:
    rows = [row.split("|") for row in section("Metrics").splitlines() if row.startswith("| `")]
    described = {name: row[2] for row in rows for name in re.findall(r"`(\w+)`", row[1])}
    assert described.keys() == {metric.value for metric in Metric}
    for metric in Metric:
        assert metric.unit in described[metric], metric


def test_the_queries_ask_for_fields_that_lines_have() -> None:
    asked = set(re.findall(r"\b[A-Z][a-z]\w+(?:Seconds|Read)\b", section("Logs")))
    assert asked
    assert asked <= {metric.value for metric in Metric}


def test_the_runbook_has_an_entry_for_every_alarm_and_for_no_other() -> None:
    headings = re.findall(r"^### (.+)$", section("Runbook"), re.MULTILINE)
    named = [name for heading in headings for name in heading.split(", ")]
    assert sorted(named) == sorted(ALARMS)


def test_every_alarm_wakes_somebody_and_says_why() -> None:
    for name, alarm in ALARMS.items():
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}], name
        assert alarm["AlarmDescription"].endswith("."), name
    assert len({alarm["AlarmDescription"] for alarm in ALARMS.values()}) == len(ALARMS)


def watched(metric: str, dimension: str) -> set[str]:
    """The resources of which an alarm watches this metric."""
    found = set()
    for alarm in ALARMS.values():
        for each in alarm["Dimensions"]:
            if alarm["MetricName"] == metric and each["Name"] == dimension:
                found.add(each["Value"].get("Ref") or each["Value"]["Fn::GetAtt"][0])
    return found


def test_every_dead_letter_queues_arrivals_are_watched() -> None:
    dead = {
        each["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for each in RESOURCES.values()
        if "RedrivePolicy" in each.get("Properties", {})
    }
    arrivals = watched("NumberOfMessagesReceived", "QueueName")
    arrivals |= watched("ApproximateNumberOfMessagesVisible", "QueueName")
    assert dead <= arrivals


def test_every_function_that_nobody_invokes_by_hand_is_watched() -> None:
    functions = {name for name, each in RESOURCES.items() if "Runtime" in each.get("Properties", {})}
    by_hand = {"Migrate", "CreateKey"}
    by_others = {"APIHandler": "ApiFails", "BuryIntake": "IntakeDeadLettersStay", "BuryBatch": "BatchDeadLettersStay"}
    by_others["BuryExport"] = "ExportDeadLettersArrived"
    assert functions - by_hand - by_others.keys() == watched("Errors", "FunctionName")
    assert set(by_others.values()) <= ALARMS.keys()


def test_alarms_and_dashboard_ask_for_metrics_that_there_are() -> None:
    ours = {alarm["MetricName"] for alarm in ALARMS.values() if alarm["Namespace"] == "dropload"}
    assert ours <= {metric.value for metric in Metric}
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    searched = set(re.findall(r'MetricName=\\"(\w+)\\"', body)) | set(re.findall(r'\["dropload", "(\w+)"', body))
    assert searched
    assert searched <= {metric.value for metric in Metric}
    for name in re.findall(r"\$\{([A-Z]\w+)(?:\.QueueName)?\}", body):
        assert name in RESOURCES, name


def test_the_dashboard_shows_what_a_person_must_see() -> None:
    widgets = json.loads(RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]
    shown = json.dumps(widgets)
    for what in [
        "JobsFailed",
        "RecordsRead",
        "RecordsRejected",
        "ApproximateAgeOfOldestMessage",
        "DeadLetters",
        "Errors",
        "Throttles",
        "p95",
        "ConcurrentExecutions",
        "OldestPendingSeconds",
        "4XXError",
        "5XXError",
        "Latency",
    ]:
        assert what in shown, what
    places = [(each["x"], each["y"]) for each in widgets]
    assert len(set(places)) == len(places)
    assert all(each["x"] + each["width"] <= 24 for each in widgets)


def test_the_dashboard_shows_every_queue_and_function_that_works_by_itself() -> None:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    queues = {name for name, each in RESOURCES.items() if each.get("Type") == "AWS::SQS::Queue"}
    assert queues == set(re.findall(r'"QueueName", "\$\{(\w+)\.QueueName\}"', body))
    alone = watched("Errors", "FunctionName") | {"APIHandler"}
    assert alone == set(re.findall(r'"Duration", "FunctionName", "\$\{(\w+)\}"', body))

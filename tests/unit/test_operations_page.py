"""docs/operations.md is true: it has every metric, and none besides."""

import re

from chalicelib.services.metrics import Metric
from infra.local.paths import ROOT

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

"""Demo files of any shipped dataset, the truth about them, and what is good in them by the oracle's reading."""

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from infra.local.demo import write_demo
from infra.local.demo_writer import DemoSummary
from tests.oracle import Outcome, Row, expect, rules_of

DATASETS = Path(__file__).parents[1] / "chalicelib/datasets"


@dataclass(frozen=True)
class DemoFile:
    """``outcome`` is the oracle's, who leaves keys out of account: which records are good by themselves."""

    data: bytes
    truth: list[dict[str, Any]]
    summary: DemoSummary
    outcome: Outcome

    @property
    def rows(self) -> list[Row]:
        return [row for _, row in self.outcome.inserted]


def demo(dataset: str, rows: int, *, dirty: float = 0.0, seed: int = 7) -> DemoFile:
    out, truth = io.BytesIO(), io.StringIO()
    summary = write_demo(out, dataset=dataset, rows=rows, size=None, dirty=dirty, seed=seed, truth=truth)
    descriptor = yaml.safe_load((DATASETS / f"{dataset}.yaml").read_text("utf-8"))
    outcome = expect(out.getvalue(), replace(rules_of(descriptor), keys=()))
    return DemoFile(out.getvalue(), [json.loads(line) for line in truth.getvalue().splitlines()], summary, outcome)

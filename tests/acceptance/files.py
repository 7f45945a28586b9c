"""Demo files of members whose keys no other test uses."""

import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.demo import write_demo

HEADER = b"first_name,last_name,phone_number,client_member_id,account_id\n"
_TAKEN: dict[int, str] = {}


@dataclass(frozen=True)
class DemoFile:
    """A demo file of members and the truth about its odd records."""

    data: bytes
    truth: Sequence[Mapping[str, Any]]


def demo_file(seed: int, rows: int, *, dirty: float = 0.0, kinds: Sequence[str] | None = None) -> DemoFile:
    """Members whose keys are those of the seed, which no other file of tests may use."""
    asks = sys._getframe(1).f_code.co_filename
    assert _TAKEN.setdefault(seed, asks) == asks, f"seed {seed} is taken by {_TAKEN[seed]}"
    out, truth = io.BytesIO(), io.StringIO()
    write_demo(out, dataset="members", rows=rows, size=None, dirty=dirty, seed=seed, kinds=kinds, truth=truth)
    return DemoFile(out.getvalue(), [json.loads(line) for line in truth.getvalue().splitlines()])

"""Ours and \\copy by the size of the file, the number of consumers and the size of a batch."""

from typing import Any

from benchmarks.compare import compare
from benchmarks.contenders.base import Contender
from benchmarks.contenders.copying import Copy
from benchmarks.contenders.ours import Ours
from benchmarks.files import make
from benchmarks.parts import Bench

_ONCE = 5_000_000  # rows of a file from which on one round is enough: what disturbs a second is little of it


def sizes(bench: Bench) -> dict[str, Any]:
    """From what fits into one batch to what takes minutes; the largest is left to ``comparisons.large``."""
    contenders: list[Contender] = [Copy(), Ours("reject"), Ours("update"), Ours("replace")]
    found = {}
    for rows in sorted(bench.options.sizes)[:-1]:
        rounds = bench.options.rounds if rows < _ONCE else 1
        found[rows] = _compare(bench, rows, bench.chosen(contenders), rounds)
    return {"by": "rows", "runs": found}


def consumers(bench: Bench) -> dict[str, Any]:
    """More of them than cores show what waiting there is to fill."""
    contenders: list[Contender] = [Copy()]
    contenders += [Ours("reject", workers=count) for count in bench.options.consumers]
    return {"by": "consumers", **_compare(bench, _some(bench), contenders, bench.options.rounds)}


def batches(bench: Bench) -> dict[str, Any]:
    """At most that large: a small file has at least two batches a consumer."""
    contenders: list[Contender] = [Ours("reject", batch_mib=size) for size in bench.options.batches]
    return {"by": "batch MiB", **_compare(bench, _some(bench), contenders, bench.options.rounds)}


def _some(bench: Bench) -> int:
    """Rows enough for the largest batches, or what --rows says if that is less."""
    return min(int(bench.options.rows), _ONCE)


def _compare(bench: Bench, rows: int, contenders: list[Contender], rounds: int) -> dict[str, Any]:
    names = [contender.name for contender in contenders]
    files = make(bench.files, "members", rows, halves=False)
    return compare(bench.stage, bench.truths, files, contenders, dict.fromkeys(names, rounds), baseline=names[0])

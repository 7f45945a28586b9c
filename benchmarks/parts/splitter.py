"""The splitter alone over files of any size: streamed out of a small one, never on the disk."""

from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.files import SEED
from benchmarks.objects import repeat, size_of
from benchmarks.parts import Bench
from benchmarks.stage import say
from infra.local.demo import write_demo

_BLOCK = 200_000_000
_KEY = "input/members/endless.csv"


def splitter(bench: Bench) -> dict[str, Any]:
    """Peak memory, MB/s and CPU for 1 GB and for all that ``--stream`` asks for."""
    bench.files.mkdir(parents=True, exist_ok=True)
    block = bench.files / "block.csv"
    if not block.exists():
        with block.open("wb") as out:
            write_demo(out, dataset="members", rows=None, size=_BLOCK, dirty=0, seed=SEED)
    found = {}
    for gigabytes in sorted({1, bench.options.stream}):
        found[f"{gigabytes} GB"] = _split(bench, block, gigabytes)
    return {"sizes": found}


def _split(bench: Bench, block: Path, gigabytes: int) -> dict[str, Any]:
    datasets = {"members": tables.members()}
    bench.stage.reset(datasets)
    path = bench.stage.put(block, _KEY)
    with block.open("rb") as lines:
        head = len(next(lines))
    repeat(path, head, max(1, gigabytes * 10**9 // _BLOCK))
    try:
        call, ended, batches = bench.stage.split(_KEY, datasets)
        size = size_of(path)
    finally:
        path.with_name(path.name + ".repeat").unlink()
    seconds = call.ended - call.began
    say(f"splitter, {gigabytes} GB: {seconds:.1f} s, {ended.peak_mb:.0f} MB")
    return {
        "bytes": size,
        "seconds": round(seconds, 2),
        "cpu": round(ended.cpu_seconds, 2),
        "MB/s": round(size / 1e6 / seconds),
        "peak_mb": round(ended.peak_mb, 1),
        "batches": batches,
    }

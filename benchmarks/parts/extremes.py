"""Files at the edges: cost must grow in proportion, and memory not at all."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import generators, tables
from benchmarks.contenders.ours import details
from benchmarks.files import make
from benchmarks.parts import Bench
from benchmarks.stage import Outcome, say
from chalicelib.core.dataset import Dataset

_BAD = ("bad_int", "bad_phone", "missing_value", "too_many_fields", "too_few_fields", "invalid_utf8", "float_int")


def extremes(bench: Bench) -> dict[str, Any]:
    """Rows and MB per second and peaks of each; counts must be what the file was made to give."""
    bench.files.mkdir(parents=True, exist_ok=True)
    rows = min(bench.options.rows, 1_000_000)
    found: dict[str, Any] = {}

    file = generators.broad_file(bench.files / "broad.csv", 200, rows // 5)
    found["200 columns"] = _load(bench, file, generators.broad(200), {"inserted": rows // 5})
    file.unlink()
    long = max(20, rows // 2000)
    file = generators.texts_file(bench.files / "texts.csv", long, 1_000_000)
    found["records of 1 MB"] = _load(bench, file, generators.texts(), {"inserted": long})
    file.unlink()

    files = make(bench.files, "members", rows, dirty=0.9, kinds=_BAD)
    found["90 % rejected"] = _load(bench, files.dirty, tables.members(), {"rejected": rows - files.accepted_rows})

    clean = make(bench.files, "members", rows, dirty=0, kinds=())
    found["every record an insert"] = _load(bench, clean.dirty, tables.members("update"), {"inserted": rows})
    changed = generators.changed_members(clean.dirty, bench.files / "changed.csv")
    found["every record an update"] = _load(bench, changed, tables.members("update"), {"updated": rows}, fresh=False)
    changed.unlink()
    return {"rows": rows, "files": found}


def _load(
    bench: Bench, file: Path, dataset: Dataset, counts: Mapping[str, int], *, fresh: bool = True
) -> dict[str, Any]:
    datasets = {dataset.name: dataset}
    if fresh:
        shutil.rmtree(bench.stage.store.path("error"), ignore_errors=True)
        bench.stage.reset(datasets)
    else:
        bench.stage.settle()
    key = f"input/{dataset.name}/{file.name}"
    bench.stage.put(file, key)
    outcome: Outcome = bench.stage.load(key, datasets)
    wanted = {"inserted": 0, "updated": 0, "rejected": 0, **counts}
    if "rejected" in counts:
        wanted["inserted"] = outcome.job["counts"]["read"] - counts["rejected"]
    got = {name: outcome.job["counts"][name] for name in wanted}
    size = file.stat().st_size
    say(f"{file.name}: {outcome.seconds:.2f} s, {outcome.load_mb:.0f} MB{'' if got == wanted else f', wrong: {got}'}")
    if got != wanted:
        return {"wrong": f"{got} instead of {wanted}"}
    return {
        "bytes": size,
        "seconds": round(outcome.seconds, 3),
        "rows_per_second": round(outcome.records_per_second),
        "MB/s": round(size / 1e6 / outcome.seconds, 1),
        **details(outcome),
    }

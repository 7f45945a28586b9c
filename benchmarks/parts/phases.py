"""Where the time goes: a traced run of each policy, which is slower than an untraced one by what tracing costs."""

import shutil
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from benchmarks import tables
from benchmarks.compare import spread
from benchmarks.files import make
from benchmarks.functions import Spans
from benchmarks.parts import Bench
from benchmarks.stage import Outcome, Stage, say
from benchmarks.tracing import SQL, phase_of

_ROWS = 1_000_000


def phases(bench: Bench) -> dict[str, Any]:
    """By policy: seconds of wall and CPU of each side by phase, and of the database by statement."""
    rows = min(bench.options.rows, _ROWS)
    found = {}
    for dataset, policy in (*(("members", policy) for policy in ("reject", "update", "replace")), ("plays", "sum")):
        files = make(bench.files, dataset, rows)
        datasets = {dataset: tables.plays() if dataset == "plays" else tables.members(policy)}
        stage = bench.stage
        key = f"input/{dataset}/dirty.csv"
        stage.put(files.dirty, key)
        untraced, traced = (_run(stage, key, datasets, traced=traced) for traced in (False, True))
        say(f"phases of {dataset}, {policy}: {traced.seconds:.2f} s traced, {untraced.seconds:.2f} s untraced")
        found[f"{dataset}, {policy}"] = {
            "seconds": spread([untraced.seconds]),
            "seconds traced": spread([traced.seconds]),
            **{side: told(traced.spans[side]) for side in ("split", "load")},
        }
    return {"rows": rows, "consumers": bench.stage.workers, "policies": found}


def _run(stage: Stage, key: str, datasets: Mapping[str, Any], *, traced: bool) -> Outcome:
    shutil.rmtree(stage.store.path("error"), ignore_errors=True)
    stage.reset(datasets)
    return stage.load(key, datasets, traced=traced)


def told(processes: list[Spans]) -> dict[str, Any]:
    """What the processes of one side took together; memory is that of the one that had most."""
    phases: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    statements: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
    for spans in processes:
        for step, (calls, wall, cpu, peak) in spans.items():
            phase = phases[phase_of(step)]
            phase[0] += wall
            phase[1] += cpu
            phase[2] = max(phase[2], peak)
            if step.startswith(SQL):
                statement = statements[step.removeprefix(SQL)]
                statement[0] += calls
                statement[1] += wall
    return {
        "phases": {
            name: {"seconds": round(wall, 4), "cpu": round(cpu, 4), "peak_mb": round(peak, 1)}
            for name, (wall, cpu, peak) in sorted(phases.items(), key=lambda item: -item[1][0])
        },
        "statements": {
            name: {"calls": calls, "seconds": round(wall, 4)}
            for name, (calls, wall) in sorted(statements.items(), key=lambda item: -item[1][1])
        },
    }

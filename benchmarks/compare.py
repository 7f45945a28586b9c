"""Contenders in turn on the same file into the same table, and what each answer is worth."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.contenders.base import Contender, NotRunError, Run
from benchmarks.files import Files
from benchmarks.stage import Stage, say
from benchmarks.truth import Truths


def compare(
    stage: Stage,
    truths: Truths,
    files: Files,
    contenders: Sequence[Contender],
    rounds: Mapping[str, int],
    *,
    baseline: str,
) -> dict[str, Any]:
    """Each round runs every contender once, in rotated order; ``rounds`` says in how many rounds each takes part.

    Ours take the dirty file, the others the accepted records. A contender's first wrong answer is its last run: it has
    no time then, and the results say what was wrong.
    """
    found: dict[str, list[Run]] = {}
    not_run: dict[str, str] = {}
    for contender in contenders:
        try:
            contender.prepare()
        except NotRunError as why:
            not_run[contender.name] = str(why)
            say(f"not run: {contender.name}: {why}")
    able = [contender for contender in contenders if contender.name not in not_run]
    most = max(rounds.values())
    for number in range(most):
        at = number % len(able) if able else 0
        for contender in able[at:] + able[:at]:
            runs = found.setdefault(contender.name, [])
            if number >= rounds[contender.name] or (runs and runs[-1].wrong):
                continue
            run = checked(stage, truths, files, contender, dirty=takes_dirty(contender))
            runs.append(run)
            what = f"{files.rows:,} {files.dataset}, round {number + 1} of {most}: {contender.name}"
            say(f"{what}: {run.wrong or f'{run.seconds:.2f} s'}")
    medians = {name: statistics.median(run.seconds for run in runs) for name, runs in found.items()}
    base = medians.get(baseline) if not any(run.wrong for run in found.get(baseline, [])) else None
    return {
        "dataset": files.dataset,
        "rows": files.rows,
        "bytes": files.dirty.stat().st_size,
        "baseline": baseline,
        "contenders": [
            {
                "name": contender.name,
                "note": contender.note,
                "file": "dirty" if takes_dirty(contender) else "accepted records",
                **_summary(files, found.get(contender.name, []), not_run.get(contender.name, ""), base),
            }
            for contender in contenders
        ],
    }


def checked(stage: Stage, truths: Truths, files: Files, contender: Contender, *, dirty: bool) -> Run:
    """One run from empty tables, and whether the table holds what it must."""
    policy = getattr(contender, "policy", "")
    truths.work_out(files, policy)
    contender.create(stage, files.dataset)
    run = contender.load(stage, files, dirty=dirty)
    if run.wrong:
        return run
    summed = files.dataset == "plays" and not is_ours(contender)
    return Run(run.seconds, truths.wrong_rows(stage, files, policy=policy, summed=summed), run.details)


def is_ours(contender: Contender) -> bool:
    return contender.name.startswith("dropload")


def takes_dirty(contender: Contender) -> bool:
    return is_ours(contender) or bool(getattr(contender, "takes_dirty", False))


def spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
        "runs": len(values),
    }


def _summary(files: Files, runs: list[Run], not_run: str, base: float | None) -> dict[str, Any]:
    if not_run or not runs:
        return {"not_run": not_run or "no round was run"}
    wrong = next((run.wrong for run in runs if run.wrong), "")
    if wrong:
        return {"wrong": wrong, "details": dict(runs[-1].details)}
    seconds = [run.seconds for run in runs]
    median = statistics.median(seconds)
    return {
        "seconds": spread(seconds),
        "rows_per_second": round(files.rows / median),
        "ratio": round(median / base, 3) if base else None,
        "details": dict(runs[seconds.index(min(seconds, key=lambda s: abs(s - median)))].details),
    }

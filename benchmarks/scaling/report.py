"""The page: what the model says, in tables, with what it rests on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.scaling.bounds import bounds, pair_us, seconds
from benchmarks.scaling.inputs import Figures, Inputs, Policy, Size
from benchmarks.scaling.plot import Curve, svg
from benchmarks.scaling.simulation import Outcome, Run, simulate, tail_seconds

_PAGE = Path(__file__).parent / "page.md"
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
FINE = (*range(1, 9), 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128)
NEARLY = 0.95
"""Of the best rate: whoever sets more workers than that needs pays for waiting."""
LONGEST = 900
"""Seconds that one invocation may take."""


@dataclass(frozen=True)
class Best:
    """The fewest workers that give nearly all that can be had."""

    workers: int
    outcome: Outcome


def best(inputs: Inputs, policy: Policy, size: Size) -> Best:
    """Among those with which loaders have memory enough."""
    found = [Best(n, simulate(Run(inputs, policy, size, n))) for n in FINE]
    found = [one for one in found if one.outcome.loader_mb <= inputs.load_memory_mb]
    most = max(one.outcome.rate for one in found)
    return next(one for one in found if one.outcome.rate >= NEARLY * most)


def dollars(inputs: Inputs, outcome: Outcome) -> float:
    """What Lambda, S3 and SQS ask for a load; a batch is one GET and three SQS requests."""
    each = inputs.request_price + inputs.s3_get_price + 3 * inputs.sqs_price
    return outcome.gb_seconds * inputs.gb_second_price + outcome.requests * each


def page(figures: Figures) -> tuple[str, str]:
    """``docs/scaling.md`` and its plot."""
    inputs, policy = figures.inputs, figures.policies["reject"]
    bests = {size.vcpu: best(inputs, policy, size) for size in figures.sizes}
    runs = {(s.vcpu, n): simulate(Run(inputs, policy, s, n)) for s in figures.sizes for n in WORKERS}
    below = [(s, n) for s in figures.sizes for n in WORKERS if runs[s.vcpu, n].loader_mb <= inputs.load_memory_mb]
    errors = [abs(seconds(inputs, policy, s, n) / runs[s.vcpu, n].seconds - 1) for s, n in below]
    values = {
        "rows": f"{inputs.rows:,.0f}",
        "batch": f"{inputs.batch_rows:,}",
        "batches": f"{-(-inputs.rows // inputs.batch_rows):,.0f}",
        "memory": f"{inputs.load_memory_mb:,.0f}",
        "ceiling": f"{1e6 / inputs.keys / pair_us(inputs):,.0f}",
        "apart": f"{100 * sum(errors) / len(errors):.0f} %",
        "most_apart": f"{100 * max(errors):.0f} %",
        "to_set": _to_set(figures, bests),
        "by_workers": _by_workers(figures, runs),
        "policies": _policies(figures),
        "raise": _raise(figures),
        "check": _check(figures),
        "check_from": figures.check["from"],
        "contention": _contention(figures),
        "waste": f"{runs[figures.sizes[0].vcpu, 128].gb_seconds / bests[figures.sizes[0].vcpu].outcome.gb_seconds:.0f}",
        "measured": figures.measured,
        "sizes_from": figures.sizes_from,
        "costs": _table(
            ("policy", "CPU, us a row", "disk, bytes a row", "finaliser, us a row", "claims", "from"),
            (
                (p.name, f"{p.cpu_us:g}", f"{p.disk_bytes:g}", f"{p.tail_us:g}", "yes" if p.claims else "no", p.source)
                for p in figures.policies.values()
            ),
        ),
        "sources": _table(("figure", "value", "from"), ((n, f"{v:,.10g}", s) for n, v, s in figures.sources)),
    }
    return _PAGE.read_text().format(**values), _plot(figures, runs)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _time(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 100 else f"{seconds:.0f} s"


def _to_set(figures: Figures, bests: dict[int, Best]) -> str:
    inputs, policy, rows = figures.inputs, figures.policies["reject"], []
    for size in figures.sizes:
        found = bests[size.vcpu]
        outcome = found.outcome
        rows.append(
            (
                size.vcpu,
                size.name,
                f"**{found.workers}**",
                f"{outcome.rate:,.0f}",
                _time(outcome.seconds),
                bounds(inputs, policy, size, found.workers).narrowest,
                f"{outcome.gb_seconds:,.0f}",
                f"{dollars(inputs, outcome):.2f} + {size.price * outcome.seconds / 3600:.2f}",
                f"{int(size.memory_gb * 1000 / 4 / inputs.backend_mb)}",
            )
        )
    head = ("vCPU", "database", "workers to set", "rows/s", "time", "narrowest", "GB-seconds")
    return _table((*head, "$: Lambda and queues + database", "workers in a quarter of its memory"), rows)


def _by_workers(figures: Figures, runs: dict[tuple[int, int], Outcome]) -> str:
    def cell(outcome: Outcome) -> str:
        if outcome.loader_mb > figures.inputs.load_memory_mb:
            return f"✕ ({outcome.loader_mb:,.0f} MB)"
        return f"{outcome.rate / 1000:,.0f}, {_time(outcome.seconds)}"

    rows = [(n, *(cell(runs[size.vcpu, n]) for size in figures.sizes)) for n in WORKERS]
    return _table(("workers", *(f"{size.vcpu} vCPU" for size in figures.sizes)), rows)


def _policies(figures: Figures) -> str:
    rows = []
    for policy in figures.policies.values():
        for size in (figures.sizes[0], figures.sizes[2]):
            found = best(figures.inputs, policy, size)
            tail = tail_seconds(figures.inputs, policy, figures.inputs.rows)
            late = " (✕ more than one invocation)" if tail > LONGEST else ""
            rate, loading = f"{found.outcome.rate:,.0f}", _time(found.outcome.loading_s)
            rows.append((policy.name, size.vcpu, found.workers, rate, loading, _time(tail) + late))
    return _table(("policy", "vCPU", "workers", "rows/s loading", "loading", "finaliser"), rows)


def _changes(inputs: Inputs) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("as it is", {}),
        ("batches of 4 MiB", {"batch_bytes": 4 << 20}),
        ("batches of 64 KiB, the least", {"batch_bytes": 1 << 16}),
        ("batches of 64 MiB", {"batch_bytes": 64 << 20}),
        ("loaders of 1,769 MB: a full core", {"load_memory_mb": inputs.full_core_mb}),
        ("splitter of 1,769 MB", {"split_memory_mb": inputs.full_core_mb}),
        ("no cold starts, all workers at once", {"cold_start_s": 0.0, "first_workers": 1000}),
        ("claims compared in a tenth of the CPU", {"claim_compare_us": inputs.claim_compare_us / 10}),
        ("a table in 8 partitions (contention / 8)", {"contention": inputs.contention / 8}),
    ]


def _raise(figures: Figures) -> str:
    inputs, policy = figures.inputs, figures.policies["reject"]
    small, large = figures.sizes[2:]
    cases: list[tuple[str, Inputs, Policy, Size, Size]] = [
        (name, replace(inputs, **change), policy, small, large) for name, change in _changes(inputs)
    ]
    faster = [replace(size, disk_mb_s=size.disk_mb_s * 2) for size in (small, large)]
    cases.append(("a disk of twice the MB/s", inputs, policy, faster[0], faster[1]))
    cases.append(("no claims at all", inputs, replace(policy, claims=False), small, large))
    rows = []
    for name, changed, changed_policy, *sizes in cases:
        cells = []
        for size, workers in zip(sizes, (32, 96), strict=True):
            outcome = simulate(Run(changed, changed_policy, size, workers))
            narrow = bounds(changed, changed_policy, size, workers).narrowest
            lost = " ✕" if outcome.loader_mb > changed.load_memory_mb else ""
            cells.append(f"{outcome.rate / 1000:,.0f} ({narrow}){lost}")
        rows.append((name, *cells))
    return _table(("changed", "16 vCPU, 32 workers", "64 vCPU, 96 workers"), rows)


def _contention(figures: Figures) -> str:
    policy = replace(figures.policies["reject"], claims=False)
    size = replace(figures.sizes[3], disk_mb_s=1e6)
    rows = []
    for share in (0.0, 0.01, 0.03, 0.06, 0.1):
        inputs = replace(figures.inputs, contention=share, s3_mb_s=1e6, split_memory_mb=1769, cut_mb_s=1e6)
        rows.append((f"{share:g}", f"{bounds(inputs, policy, size, 1000).stages['database CPU']:,.0f}"))
    return _table(("contention", "rows/s that 64 vCPU can place"), rows)


def checked(figures: Figures, workers: int) -> Outcome:
    """The model of this very machine, where loaders, splitter and database share the cores."""
    check = figures.check
    size = Size("here", check["vcpu"], 0, check["disk_mb_s"], 0)
    inputs = replace(figures.inputs, **check["changes"])
    return simulate(Run(inputs, Policy(name="check", **check["policy"]), size, workers, one_machine=True))


def _check(figures: Figures) -> str:
    rows = []
    for workers, measured in figures.check["seconds"].items():
        modelled = checked(figures, int(workers)).seconds
        against = [f"{100 * (modelled / one - 1):+.0f} %" for one in (min(measured), median(measured))]
        rows.append((workers, ", ".join(f"{one:.1f}" for one in measured), f"{modelled:.1f}", *against))
    return _table(("loaders", "runs, s", "model, s", "against the fastest", "against the median"), rows)


def _plot(figures: Figures, runs: dict[tuple[int, int], Outcome]) -> str:
    inputs, policy, curves = figures.inputs, figures.policies["reject"], []
    for size in figures.sizes:
        points = [(n, runs[size.vcpu, n]) for n in WORKERS]
        kept = [(float(n), run.rate) for n, run in points if run.loader_mb <= inputs.load_memory_mb]
        bound = [(float(n), bounds(inputs, policy, size, n).rate) for n in WORKERS]
        curves.append(Curve(f"{size.vcpu} vCPU", kept, bound, kept[-1] if len(kept) < len(points) else None))
    ticks = (50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000)
    title = "rows a second by workers: simulated, and by the narrowest stage (dashed)"
    return svg(title, curves, (1, 4, 16, 64, 256, 1000), ticks)

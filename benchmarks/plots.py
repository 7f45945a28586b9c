"""python plots.py FOLDER: plots of a folder's JSON files, as SVG that can be read on white and on black.

Imports nothing of ours: it runs in ``.venv-bench``, which has matplotlib.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

GREY = "#7d8590"  # reads on white and on black alike
OURS, THEIRS = "#2f81f7", "#9e6a03"
COLORS = (
    *("#2f81f7", "#d29922", "#3fb950", "#db6d28", "#a371f7", "#f778ba"),
    *("#39c5cf", "#7d8590", "#b62324", "#8ddb8c", "#6e40c9", "#bf8700"),
)


def main() -> None:
    folder = Path(sys.argv[1])
    mpl.rcParams.update(
        {
            **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), GREY),
            "savefig.transparent": True,
            "svg.hashsalt": "dropload",
            "svg.fonttype": "none",
            "legend.frameon": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "font.size": 10,
        }
    )
    for name, draw in (
        *(("members", contenders), ("sizes", sizes), ("consumers", consumers)),
        *(("batches", batches), ("phases", phases)),
    ):
        file = folder / f"{name}.json"
        if file.exists():
            part = json.loads(file.read_text())
            figure = draw(part)
            target = folder / ("contenders.svg" if name == "members" else f"{name}.svg")
            figure.savefig(target, bbox_inches="tight", metadata={"Date": None})
            plt.close(figure)


def contenders(part: Any) -> Any:
    told = [one for one in part["contenders"] if "seconds" in one]
    told.sort(key=lambda one: one["rows_per_second"])
    figure, axes = plt.subplots(figsize=(8, 0.45 * len(told) + 1))
    names = [one["name"] + ("" if one["file"] == "dirty" else " (cleaned file)") for one in told]
    colors = [OURS if one["file"] == "dirty" else THEIRS for one in told]
    bars = axes.barh(names, [one["rows_per_second"] for one in told], color=colors)
    axes.bar_label(bars, [f"{one['rows_per_second']:,}" for one in told], padding=4, color=GREY)
    axes.set_xlabel(f"rows per second, {part['rows']:,} members")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.margins(x=0.15)
    return figure


def sizes(part: Any) -> Any:
    figure, axes = plt.subplots(figsize=(8, 4))
    lines: dict[str, list[tuple[int, int]]] = {}
    for rows, run in part["runs"].items():
        for one in run["contenders"]:
            if "rows_per_second" in one:
                lines.setdefault(one["name"], []).append((int(rows), one["rows_per_second"]))
    for number, (name, points) in enumerate(lines.items()):
        axes.plot(*zip(*points, strict=True), marker="o", label=name, color=COLORS[(number + 1) % len(COLORS)])
    axes.set_xscale("log")
    counts = sorted(map(int, part["runs"]))
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("rows of the file")
    return _rates(figure, axes)


def consumers(part: Any) -> Any:
    figure, axes = plt.subplots(figsize=(6, 3.5))
    ours = [one for one in part["contenders"] if "consumers: " in one["name"] and "seconds" in one]
    counts = [one["name"].rpartition(" ")[2] for one in ours]
    axes.bar(counts, [one["rows_per_second"] for one in ours], color=OURS, label="dropload, reject")
    base = part["contenders"][0]
    if "seconds" in base:
        axes.axhline(base["rows_per_second"], color=THEIRS, label=base["name"])
    axes.set_xlabel(f"consumers, on {part['machine']['cores']} cores; {part['rows']:,} members")
    return _rates(figure, axes)


def batches(part: Any) -> Any:
    figure, axes = plt.subplots(figsize=(6, 3.5))
    told = [one for one in part["contenders"] if "seconds" in one]
    sizes = [one["name"].split()[-2] for one in told]
    bars = axes.bar(sizes, [one["rows_per_second"] for one in told], color=OURS, label="dropload, reject")
    axes.bar_label(bars, [f"{one['details']['load_mb']:.0f} MB" for one in told], padding=3, color=GREY)
    axes.set_xlabel("MiB of a batch, at most; above the bars: the consumer's peak memory")
    return _rates(figure, axes)


def phases(part: Any) -> Any:
    policies = list(part["policies"])
    names: list[str] = []
    for one in part["policies"].values():
        names += [name for name in one["load"]["phases"] if name not in names]
    figure, (seconds, memory) = plt.subplots(1, 2, figsize=(12, 4))
    left = [0.0] * len(policies)
    for number, name in enumerate(names):
        of = [one["load"]["phases"].get(name, {"seconds": 0, "peak_mb": 0}) for one in part["policies"].values()]
        color = COLORS[number % len(COLORS)]
        seconds.barh(policies, [phase["seconds"] for phase in of], left=left, label=name, color=color)
        left = [start + phase["seconds"] for start, phase in zip(left, of, strict=True)]
        height = 0.8 / len(names)
        at = [place + 0.4 - (number + 0.5) * height for place in range(len(policies))]
        memory.barh(at, [phase["peak_mb"] for phase in of], height=height, color=color)
    seconds.set_xlabel(f"seconds of {part['consumers']} consumers together, {part['rows']:,} rows")
    memory.set_yticks(range(len(policies)), policies)
    memory.set_xlabel("peak MB of a consumer in that phase")
    figure.legend(loc="upper center", ncols=5, bbox_to_anchor=(0.5, 0))
    figure.tight_layout()
    return figure


def _rates(figure: Any, axes: Any) -> Any:
    axes.set_ylabel("rows per second")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.02), ncols=4, borderaxespad=0)
    return figure


if __name__ == "__main__":
    main()

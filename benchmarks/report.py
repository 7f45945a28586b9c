"""The parts' JSON files become ``README.md``, with tables, and plots."""

import json
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import install
from benchmarks.contenders.base import NotRunError
from benchmarks.files import as_json
from benchmarks.options import PARTS
from benchmarks.stage import say
from benchmarks.targets import judged

Part = Mapping[str, Any]

PLOTS = {
    "contenders": "Rows per second by contender",
    "sizes": "Rows per second by size of the file",
    "consumers": "Rows per second by number of consumers",
    "batches": "Rows per second by size of a batch",
    "phases": "Seconds and memory by phase",
}
_SCRIPT = Path(__file__).with_name("plots.py")
_INTRO = """# What was measured

Made by `python3 dev.py bench`; [docs/benchmarks.md](../../docs/benchmarks.md) says how, and what it does not show. Ours
loads the **dirty** file (1 % of twelve kinds of odd record) with exact rejections, ledger, error file and receipt; the
others load the same file's **accepted records** only, cleaned beforehand for nothing. A run whose table does not hold
exactly what it must has no time. Ratios are to the first row of a table, of the same run; times are medians (least to
most). [formats.md](formats.md) has file formats and policies beside each other.
"""


def write(folder: Path, *, plots: bool = True) -> None:
    """Write ``README.md`` and the plots of all parts that ``folder`` has."""
    files = {name: folder / f"{name}.json" for name in PARTS}
    if files["sizes"].exists() and files["large"].exists():
        _with_the_largest(files["sizes"], json.loads(files["large"].read_text()))
    parts = {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}
    problem = _draw(folder) if plots else ""
    if problem:
        say(f"no plots: {problem}")
    machines = list(dict.fromkeys(machine(part) for part in parts.values()))
    aims = table(("what must be reached, by the slowest of ours", "bound", "found", "reached"), judged(parts))
    told = [
        _INTRO,
        aims,
        "Bounds are for 5 M members and plays; the largest file's for 20 M.\n",
        "Machines:\n",
        *(f"{number}. {text}" for number, text in enumerate(machines, 1)),
        "",
    ]
    told += [f"![{title}]({name}.svg)\n" for name, title in PLOTS.items() if (folder / f"{name}.svg").exists()]
    told += [section(name, part, machines.index(machine(part)) + 1) for name, part in parts.items()]
    (folder / "README.md").write_text("\n".join(told))


def _with_the_largest(file: Path, large: Part) -> None:
    """Add to the part ``sizes`` what it leaves to the part ``large``."""
    sizes = json.loads(file.read_text())
    names = {one["name"] for run in sizes["runs"].values() for one in run["contenders"]}
    told = [one for one in large["contenders"] if one["name"] in names]
    sizes["runs"][str(large["rows"])] = {"rows": large["rows"], "contenders": told}
    file.write_text(as_json(sizes))


def _draw(folder: Path) -> str:
    try:
        done = subprocess.run([install.environment(), _SCRIPT, folder], capture_output=True, text=True)
    except NotRunError as why:
        return str(why)
    return done.stderr.strip().rpartition("\n")[2] or "it said nothing" if done.returncode else ""


def machine(part: Part) -> str:
    """What a part was measured on."""
    found = part["machine"]
    settings = ", ".join(f"{key} {value}" for key, value in found["settings"].items() if not key.startswith("log_"))
    return (
        f"{found['cpu']}, {found['cores']} cores, {found['memory_gb']} GiB, {found['system']} {found['kernel']}, "
        f"Python {found['python']}, {found['postgresql']} ({settings})."
    )


def section(name: str, part: Part, machine: int) -> str:
    """One part: its title, its tables, and when it was measured on which machine."""
    title = PARTS[name].replace("%%", "%").replace("--rows", f"{part['rows']:,}" if "rows" in part else "--rows")
    found = part["machine"]
    when = f"{found['date']}, commit {found['commit']}, machine {machine}; took {part['took_seconds']} s"
    return f"## {name}\n\n{title[0].upper()}{title[1:]}.\n\n{_SECTIONS.get(name, _plain)(part)}\n{when}.\n"


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    match value:
        case None:
            return "–"
        case {"median": median, "min": least, "max": most}:
            return f"{_short(median)} ({_short(least)}–{_short(most)})" if least != most else _short(median)
        case float():
            return _short(value)
        case int() if not isinstance(value, bool):
            return f"{value:,}"
        case _:
            return str(value).replace("|", "\\|").replace("\n", " ")


def _short(value: float) -> str:
    """Three digits that count, more where the whole number has more."""
    return (
        f"{value:,.0f}"
        if value >= 100
        else f"{value:.1f}"
        if value >= 10
        else f"{value:.2f}"
        if value >= 0.1
        else f"{value:.3g}"
    )


def contenders(part: Part) -> str:
    header = ("contender", "seconds", "rows/s", "ratio", "splitter MB", "consumer MB", "CPU s: ours", "store's")
    rows = []
    for one in part["contenders"]:
        if "seconds" not in one:
            rows.append((one["name"], f"wrong: {one['wrong']}" if "wrong" in one else f"not run: {one['not_run']}"))
            continue
        more = one["details"]
        cpu = more.get("cpu")
        rows.append(
            (
                *(one["name"], one["seconds"], one["rows_per_second"], one["ratio"]),
                *(more.get("split_mb"), more.get("load_mb")),
                *((cpu["split"] + cpu["load"], cpu["store"]) if cpu else (None, None)),
            )
        )
    names: dict[str, list[str]] = {}
    for one in part["contenders"]:
        names.setdefault(one["note"], []).append(one["name"])
    notes = "".join(f"- {'; '.join(of)}: {note}.\n" for note, of in names.items())
    filled = [(*row, *[None] * (len(header) - len(row))) for row in rows]
    return table(header, filled) + "\n" + notes


def _series(part: Part) -> str:
    rows = []
    for size, run in part["runs"].items():
        for one in run["contenders"]:
            answer = one.get("seconds") or one.get("wrong") or one.get("not_run")
            peaks = (one.get("details", {}).get(peak) for peak in ("split_mb", "load_mb"))
            rows.append((int(size), one["name"], answer, one.get("rows_per_second"), one.get("ratio"), *peaks))
    return table((part["by"], "contender", "seconds", "rows/s", "ratio", "splitter MB", "consumer MB"), rows)


def _dirty(part: Part) -> str:
    rows = [
        (
            one["name"],
            one.get("rows in the table"),
            one.get("not_run") or one["wrong"] or "exact",
            _pairs(one.get("details", {})),
        )
        for one in part["contenders"]
    ]
    kinds = _pairs(part["odd"])
    wanted = f"{part['rows that must be loaded']:,} of {part['rows']:,} records must be loaded. Odd: {kinds}.\n\n"
    return wanted + table(("contender", "rows in the table", "its answer", "what it said"), rows)


def _pairs(values: Mapping[str, Any]) -> str:
    shown = {key: value for key, value in values.items() if not isinstance(value, dict) and not key.endswith("_mb")}
    return ", ".join(f"{key} {value}" for key, value in shown.items())


def _phases(part: Part) -> str:
    told = [f"{part['rows']:,} rows, {part['consumers']} consumers; seconds of all consumers together.\n"]
    for policy, one in part["policies"].items():
        told.append(f"**{policy}**: {_cell(one['seconds'])} s, {_cell(one['seconds traced'])} s traced.\n")
        for side in ("split", "load"):
            phases = [(name, *values.values()) for name, values in one[side]["phases"].items()]
            told.append(table((f"{side}: phase", "seconds", "CPU s", "peak MB"), phases))
        statements = [(name, *values.values()) for name, values in list(one["load"]["statements"].items())[:8]]
        told.append(table(("load: statement", "calls", "seconds"), statements))
    return "\n".join(told)


def _engine(part: Part) -> str:
    return table(("work", part["unit"]), part["rates"].items())


def _rows_of(part: Part, key: str, first: str) -> str:
    """A row for each item, a column for each figure that any of them has."""
    items: Mapping[str, Mapping[str, Any]] = part[key]
    shown = (
        name
        for one in items.values()
        for name, value in one.items()
        if not isinstance(value, dict) or "median" in value
    )
    columns = list(dict.fromkeys(shown))
    return table((first, *columns), [(name, *map(one.get, columns)) for name, one in items.items()])


def _cold(part: Part) -> str:
    told = [_rows_of(part, "functions", "function")]
    for what in ("package", "module"):
        told.append(table((f"{what}: its own part of `import app`", "ms"), part[f"{what}s_ms"].items()))
    return "\n".join(told)


def _plain(part: Part) -> str:
    key = next(key for key in ("sizes", "files", "ways", "reads") if key in part)
    return _rows_of(part, key, "")


_SECTIONS: Mapping[str, Callable[[Part], str]] = {
    **dict.fromkeys(("members", "large", "rejected", "plays", "consumers", "batches"), contenders),
    "sizes": _series,
    "dirty": _dirty,
    "phases": _phases,
    "engine": _engine,
    "cold": _cold,
}

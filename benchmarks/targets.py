"""What must be reached (issue 4), beside what a folder of results says."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Parts = Mapping[str, Mapping[str, Any]]

_ORDINARY = ("dropload, reject", "dropload, ignore", "dropload, update")
_BULK = ("dropload, replace",)


@dataclass(frozen=True)
class Target:
    """A bound, and how the figure that it is for is found: None where that was not measured."""

    what: str
    bound: float
    at_least: bool
    found: Callable[[Parts], float | None]

    def reached(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


def judged(parts: Parts) -> Iterator[tuple[str, str, float, str]]:
    """(what, bound, figure, yes or no) of each target that was measured."""
    for target in TARGETS:
        value = target.found(parts)
        if value is not None:
            sign = "≥" if target.at_least else "≤"
            yield target.what, f"{sign} {target.bound:g}", value, "yes" if target.reached(value) else "**no**"


def _slowest(part: str, ours: tuple[str, ...], theirs: str, *, times: bool = False) -> Callable[[Parts], float | None]:
    """The slowest of ours to theirs, in seconds; as ``times`` that ours are faster."""

    def found(parts: Parts) -> float | None:
        seconds = _seconds(parts, part)
        mine = [seconds[name] for name in ours if name in seconds]
        if not mine or theirs not in seconds:
            return None
        ratio = max(mine) / seconds[theirs]
        return 1 / ratio if times else ratio

    return found


def _seconds(parts: Parts, part: str) -> dict[str, float]:
    told = parts.get(part, {}).get("contenders", [])
    return {one["name"]: one["seconds"]["median"] for one in told if "seconds" in one}


def _rate(*names: str) -> Callable[[Parts], float | None]:
    """The least of these rates."""

    def found(parts: Parts) -> float | None:
        rates = parts.get("engine", {}).get("rates", {})
        return min((rates[name]["median"] for name in names if name in rates), default=None)

    return found


def _times_the_prototype(parts: Parts) -> float | None:
    """Ours to the prototype's engine in the same run: the bound in MB/s, without the machine."""
    rates = parts.get("engine", {}).get("rates", {})
    kind = "members, 1 % dirty"
    if f"the prototype: {kind}" not in rates:
        return None
    ratio: float = rates[f"parse and validate: {kind}"]["median"] / rates[f"the prototype: {kind}"]["median"]
    return ratio


def _peak(key: str) -> Callable[[Parts], float | None]:
    """The most memory that any run of members has taken."""

    def found(parts: Parts) -> float | None:
        runs = [parts.get(part, {}) for part in ("members", "large")] + list(
            parts.get("sizes", {}).get("runs", {}).values()
        )
        peaks = [one["details"].get(key) for run in runs for one in run.get("contenders", []) if "details" in one]
        streamed = [one["peak_mb"] for one in parts.get("splitter", {}).get("sizes", {}).values() if key == "split_mb"]
        return max([peak for peak in peaks if peak] + streamed, default=None)

    return found


TARGETS = (
    Target("members: reject, ignore, update to \\copy", 0.60, False, _slowest("members", _ORDINARY, "\\copy")),
    Target("the largest file: reject, ignore, update to \\copy", 0.50, False, _slowest("large", _ORDINARY, "\\copy")),
    Target("members: replace to \\copy", 0.27, False, _slowest("members", _BULK, "\\copy")),
    Target("the largest file: replace to \\copy", 0.13, False, _slowest("large", _BULK, "\\copy")),
    Target("members: to two \\copy", 1.15, False, _slowest("members", _ORDINARY, "two \\copy")),
    Target("times as fast as pgloader", 2.2, True, _slowest("members", _ORDINARY, "pgloader", times=True)),
    Target(
        "times as fast as pgloader, 0.5 % rejected", 50, True, _slowest("rejected", _ORDINARY, "pgloader", times=True)
    ),
    Target("times as fast as Django", 4.5, True, _slowest("members", _ORDINARY, "Django bulk_create", times=True)),
    Target("times as fast as Django: replace", 9, True, _slowest("members", _BULK, "Django bulk_create", times=True)),
    Target("plays into sums to \\copy of the raw rows", 0.65, False, _slowest("plays", ("dropload, sum",), "\\copy")),
    Target(
        "parse and validate, 1 % dirty, MB/s",
        180,
        True,
        _rate("parse and validate: members, 1 % dirty", "parse and validate: 20 columns, 1 % dirty"),
    ),
    Target("the same, times as fast as the prototype, which made 194", 0.93, True, _times_the_prototype),
    Target(
        "parse and validate, every record bad (in one way, in another, in eight in turn), MB/s",
        25,
        True,
        _rate(
            "parse and validate: members, every record bad (one number)",
            "parse and validate: members, every record with a field too many",
            "parse and validate: members, every record bad (8 kinds)",
        ),
    ),
    Target(
        "parse and validate, every record odd, of twelve kinds in turn, four of them good, MB/s",
        25,
        True,
        _rate("parse and validate: members, every record odd (12 kinds)"),
    ),
    Target(
        "parse and validate, every field quoted, MB/s",
        120,
        True,
        _rate("parse and validate: members, every field quoted"),
    ),
    Target("cutting, MB/s", 900, True, _rate("cut: members, clean", "cut: members, 1 % dirty")),
    Target("cutting, every field quoted, MB/s", 300, True, _rate("cut: members, every field quoted")),
    Target("a consumer's memory, MB", 130, False, _peak("load_mb")),
    Target("the splitter's memory, MB", 80, False, _peak("split_mb")),
)

"""The contenders against each other."""

from typing import Any

from benchmarks.compare import checked, compare
from benchmarks.contenders.base import Contender, NotRunError
from benchmarks.contenders.bulk_create import Django
from benchmarks.contenders.copying import Copy, TwoCopies
from benchmarks.contenders.ours import Ours
from benchmarks.contenders.pgloader import Pgloader
from benchmarks.files import MEMBERS, REFUSED_BY_THE_DATABASE, Files, make
from benchmarks.parts import Bench
from benchmarks.stage import say

POLICIES = ("reject", "ignore", "update", "replace")
_DIRTY_ROWS = 100_000
_REJECTED_ROWS = 500_000


def members(bench: Bench) -> dict[str, Any]:
    """All of them."""
    contenders: list[Contender] = [Copy(), TwoCopies(), *map(Ours, POLICIES), Pgloader(), Django()]
    files = make(bench.files, "members", bench.options.rows, halves=True)
    return _compare(bench, files, contenders)


def large(bench: Bench) -> dict[str, Any]:
    """The largest file, without those that would take hours."""
    contenders: list[Contender] = [Copy(), *map(Ours, POLICIES)]
    files = make(bench.files, "members", max(bench.options.sizes))
    return _compare(bench, files, contenders)


def plays(bench: Bench) -> dict[str, Any]:
    """Sums, against the raw rows."""
    return _compare(bench, make(bench.files, "plays", bench.options.rows), [Copy(), Ours("sum")])


def rejected(bench: Bench) -> dict[str, Any]:
    """Of 0.5 % of the records each would be refused by any database: pgloader takes the same dirty file as ours."""
    rows = min(bench.options.rows, _REJECTED_ROWS // 25 if bench.options.quick else _REJECTED_ROWS)
    files = make(bench.files, "members", rows, dirty=0.005, kinds=REFUSED_BY_THE_DATABASE)
    contenders = [Dirty(Ours("reject")), Dirty(Pgloader())]
    return _compare(bench, files, list(contenders))


class Dirty:
    """A contender that always takes the dirty file."""

    def __init__(self, contender: Contender) -> None:
        self._contender = contender
        self.name, self.note = contender.name, contender.note
        self.policy = getattr(contender, "policy", "")
        self.takes_dirty = True

    def prepare(self) -> None:
        self._contender.prepare()

    def create(self, stage: Any, dataset: str) -> None:
        self._contender.create(stage, dataset)

    def load(self, stage: Any, files: Files, *, dirty: bool) -> Any:
        return self._contender.load(stage, files, dirty=True)


def dirty(bench: Bench) -> dict[str, Any]:
    """What each makes of a file with 1 % of odd records: not how fast."""
    files = make(bench.files, "members", min(bench.options.rows, _DIRTY_ROWS), kinds=MEMBERS)
    contenders: list[Contender] = [Copy(), *map(Ours, POLICIES), Pgloader(), Django()]
    told: list[dict[str, Any]] = []
    for contender in bench.chosen(contenders):
        try:
            contender.prepare()
        except NotRunError as why:
            told.append({"name": contender.name, "not_run": str(why)})
            continue
        run = checked(bench.stage, bench.truths, files, contender, dirty=True)
        rows = bench.stage.execute("select count(*) from members")[0][0]
        say(f"dirty file: {contender.name}: {run.wrong or 'exact'}")
        told.append(
            {"name": contender.name, "rows in the table": rows, "wrong": run.wrong, "details": dict(run.details)}
        )
    kinds = {kind: sum(odd["kind"] == kind for odd in files.odd) for kind in MEMBERS}
    return {"rows": files.rows, "odd": kinds, "rows that must be loaded": files.accepted_rows, "contenders": told}


def _compare(bench: Bench, files: Files, contenders: list[Contender]) -> dict[str, Any]:
    chosen = bench.chosen(contenders)
    return compare(
        bench.stage,
        bench.truths,
        files,
        chosen,
        {contender.name: _rounds(bench, contender) for contender in chosen},
        baseline=chosen[0].name,
    )


def _rounds(bench: Bench, contender: Contender) -> int:
    slow = isinstance(contender, Pgloader | Django) or contender.name == Pgloader.name
    return min(bench.options.slow_rounds, bench.options.rounds) if slow else int(bench.options.rounds)

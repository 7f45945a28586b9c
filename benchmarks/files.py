"""The files that contenders load, and what must come of them, told by ``demo-file --truth`` and not by us."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zlib import crc32

from benchmarks.separating import halve, separate
from infra.local.demo import ROW_MAKERS, write_demo

SEED = 7

# As near to ../shared/prototype/gen.py's twelve as demo-file has them, in its order.
MEMBERS = (
    *("bad_int", "bad_phone", "missing_value", "too_many_fields", "too_few_fields", "quoted_newline"),
    *("doubled_quotes", "invalid_utf8", "duplicate_member_id", "int_overflow", "float_int", "blank_line"),
)
BAD_MEMBERS = tuple(
    kind for kind in MEMBERS if kind not in ("quoted_newline", "doubled_quotes", "duplicate_member_id", "blank_line")
)
"""Those that the rules refuse. Of the other four two are good, one repeats a key, and one is a blank line."""
PLAYS = (
    *("bad_plays", "fraction_of_a_play", "missing_plays", "plays_overflow", "no_such_day", "missing_date"),
    *("too_many_fields", "too_few_fields", "invalid_utf8", "quoted_newline", "doubled_quotes", "blank_line"),
)
REFUSED_BY_THE_DATABASE = ("bad_int", "float_int", "int_overflow", "duplicate_member_id")
"""Kinds that a loader without rules of its own notices too."""


@dataclass(frozen=True)
class Files:
    """One generated file and what belongs to it.

    ``dirty`` is the file; ``truth`` says of its odd records what they are; ``accepted`` has the records that are to be
    loaded, as they came (and a header), ``halves`` the same in two files. ``rivals`` are the records that share a key,
    of which the first is among the accepted ones, each after its record number and its line.
    """

    folder: Path
    dataset: str
    rows: int

    @property
    def dirty(self) -> Path:
        return self.folder / "dirty.csv"

    @property
    def truth(self) -> Path:
        return self.folder / "truth.jsonl"

    @property
    def accepted(self) -> Path:
        return self.folder / "accepted.csv"

    @property
    def halves(self) -> tuple[Path, Path]:
        return self.folder / "half-1.csv", self.folder / "half-2.csv"

    @property
    def rivals(self) -> Path:
        return self.folder / "rivals.csv"

    @cached_property
    def odd(self) -> list[dict[str, Any]]:
        """What the truth says, in file order."""
        with self.truth.open() as lines:
            return [json.loads(line) for line in lines]

    @cached_property
    def accepted_rows(self) -> int:
        return self.rows - sum(not odd["valid"] for odd in self.odd)

    def rejections(self) -> Iterator[tuple[int, int, str, str]]:
        """(record, line, column, code) of what must be rejected, but for what repeats a key."""
        for odd in self.odd:
            if odd["code"] and odd["duplicate_of"] is None:
                yield odd["record"], odd["line"], odd["column"] or "", odd["code"]


def make(
    folder: Path,
    dataset: str,
    rows: int,
    *,
    dirty: float = 0.01,
    kinds: tuple[str, ...] | None = None,
    halves: bool = False,
) -> Files:
    """Generate a file of ``rows`` records, unless ``folder`` has it, with what belongs to it."""
    chosen = kinds if kinds is not None else {"members": MEMBERS, "plays": PLAYS}[dataset]
    found = Files(folder / f"{dataset}-{rows}-{dirty:g}-{crc32(repr(chosen).encode()):x}", dataset, rows)
    if not found.folder.exists():
        unfinished = Files(found.folder.with_suffix(".part"), dataset, rows)
        unfinished.folder.mkdir(parents=True, exist_ok=True)
        with unfinished.dirty.open("wb") as out, unfinished.truth.open("w") as truth:
            write_demo(out, dataset=dataset, rows=rows, size=None, dirty=dirty, seed=SEED, kinds=chosen, truth=truth)
        seen = separate(unfinished.dirty, unfinished.odd, unfinished.accepted, unfinished.rivals)
        assert seen == rows, "the truth tells of this file"
        unfinished.folder.rename(found.folder)
    if halves and not found.halves[0].exists():
        halve(found.accepted, *found.halves)
    return found


def columns_of(dataset: str) -> str:
    return ROW_MAKERS[dataset].header.decode().strip()


def rejected_csv(path: Path) -> Iterator[tuple[int, int, str, str]]:
    """(record, line, column, code) of each row of an error file, as ``Files.rejections`` tells them."""
    if not path.exists():
        return
    csv.field_size_limit(1 << 24)
    with path.open(newline="", encoding="utf-8") as text:
        rows = csv.reader(text)
        next(rows)
        for line, record, column, code, *_ in rows:
            yield int(record), int(line), column, code


def as_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n"

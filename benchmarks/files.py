"""The files that contenders load, and what must come of them, told by ``demo-file --truth`` and not by us."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from infra.local.demo import ROW_MAKERS, write_demo

SEED = 7

# As near to ../shared/prototype/gen.py's twelve as demo-file has them, in its order.
MEMBERS = (
    *("bad_int", "bad_phone", "missing_value", "too_many_fields", "too_few_fields", "quoted_newline"),
    *("doubled_quotes", "invalid_utf8", "duplicate_member_id", "int_overflow", "float_int", "blank_line"),
)
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
    loaded, as they came (and a header), ``halves`` the same in two files. ``later`` are the records whose key an
    earlier one has, which replace it under ``update``.
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
    def later(self) -> Path:
        return self.folder / "later.csv"

    @cached_property
    def odd(self) -> list[dict[str, Any]]:
        """What the truth says, in file order."""
        with self.truth.open() as lines:
            return [json.loads(line) for line in lines]

    @cached_property
    def accepted_rows(self) -> int:
        return self.rows - sum(not odd["valid"] for odd in self.odd)

    def rejections(self, *, duplicates: bool) -> Iterator[tuple[int, int, str, str]]:
        """(record, line, column, code) of what must be rejected, with or without what repeats a key."""
        for odd in self.odd:
            if odd["code"] and (duplicates or odd["duplicate_of"] is None):
                yield odd["record"], odd["line"], odd["column"] or "", odd["code"]

    def remove(self) -> None:
        for path in (self.dirty, self.truth, self.accepted, self.later, *self.halves):
            path.unlink(missing_ok=True)


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
    found = Files(folder / f"{dataset}-{rows}-{dirty:g}-{len(chosen)}", dataset, rows)
    if not found.folder.exists():
        unfinished = Files(found.folder.with_suffix(".part"), dataset, rows)
        unfinished.folder.mkdir(parents=True, exist_ok=True)
        with unfinished.dirty.open("wb") as out, unfinished.truth.open("w") as truth:
            write_demo(out, dataset=dataset, rows=rows, size=None, dirty=dirty, seed=SEED, kinds=chosen, truth=truth)
        _separate(unfinished)
        unfinished.folder.rename(found.folder)
    if halves and not found.halves[0].exists():
        _halve(found)
    return found


def _separate(files: Files) -> None:
    """Write ``accepted`` and ``later``: the dirty file's own lines, but for what the truth rejects."""
    with files.dirty.open("rb") as lines, files.accepted.open("wb") as out, files.later.open("wb") as later:
        header = next(lines)
        out.write(header)
        later.write(header)
        at, record = 2, 0  # the line that comes next, and the records that have passed
        for odd in files.odd:
            plain = odd["record"] - record - 1
            out.writelines(islice(lines, plain))
            at += plain
            for _ in range(odd["line"] - at):
                assert next(lines) == b"\n", "only blank lines are no records"
            height = 2 if odd["kind"] in ("quoted_newline", "quoted_crlf") else 1
            record_lines = list(islice(lines, height))
            if odd["valid"]:
                out.writelines(record_lines)
            elif odd["duplicate_of"] is not None:
                later.writelines(record_lines)
            at, record = odd["line"] + height, odd["record"]
        plain = 0
        for line in lines:
            out.write(line)
            plain += 1
    assert record + plain == files.rows, "the truth tells of this file"


def _halve(files: Files) -> None:
    first, second = files.halves
    with files.accepted.open("rb") as lines, first.open("wb") as out:
        header = next(lines)
        out.write(header)
        _copy_bytes(lines, out, files.accepted.stat().st_size // 2)
        with second.open("wb") as rest:
            rest.write(header)
            rest.writelines(lines)


def _copy_bytes(lines: Iterator[bytes], out: BinaryIO, count: int) -> None:
    """Whole records of at least ``count`` bytes."""
    inside = False
    for line in lines:
        out.write(line)
        count -= len(line)
        inside ^= bool(line.count(b'"') % 2)
        if count <= 0 and not inside:
            return


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

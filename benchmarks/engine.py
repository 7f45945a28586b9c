"""How fast one core cuts, reads and checks bytes: nothing but ``chalicelib.core``, no database, no object store.

    .venv/bin/python -m benchmarks.engine [--rounds 5] [--only quoted,key]

The measures take turns, each timed in CPU seconds of this process, and the median counts. MB are 10**6 bytes.
"""

import argparse
import io
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from benchmarks.typical import TYPICAL, typical_rows
from chalicelib.adapters.descriptors import load_datasets
from chalicelib.adapters.postgres.loading import cause_rows, rejection_lines
from chalicelib.core.claims import key_facts, shared
from chalicelib.core.cut import Cutter
from chalicelib.core.dataset import Dataset
from chalicelib.core.jsonlines import compile_json_reader, read_as_json
from chalicelib.core.reader import Parsed, compile_reader
from chalicelib.core.rejection import tally
from chalicelib.services.ports import Batch
from infra.local.demo import write_demo
from infra.local.demo_members import ACCOUNT, FIRST, MEMBER, PHONE, Members

BATCH = 16 * 1024 * 1024
CHUNK = 8 * 1024 * 1024
MAX_RECORD = 1 << 20
TWELVE = [
    *("bad_int", "float_int", "int_overflow", "bad_phone", "missing_value", "duplicate_member_id"),
    *("too_many_fields", "too_few_fields", "quoted_newline", "doubled_quotes", "invalid_utf8", "blank_line"),
]
"""Kinds of odd records, of which some are fine after all."""


@dataclass(frozen=True)
class Figure:
    """What was measured: ``value`` in ``unit``, and what it must reach (at least for MB/s, at most for ns), if any."""

    name: str
    value: float
    unit: str
    target: float | None = None


@dataclass(frozen=True)
class Measure:
    """Work that can be repeated: ``run`` does it, ``amount`` says of how much, in what ``unit`` counts."""

    name: str
    run: Callable[[], object]
    amount: float
    unit: str = "MB/s"
    target: float | None = None

    def figure(self, seconds: float) -> Figure:
        """Return what a run of this many CPU seconds shows."""
        value = self.amount / seconds / 1e6 if self.unit == "MB/s" else seconds / self.amount * 1e9
        return Figure(self.name, value, self.unit, self.target)


def measures() -> Iterator[Measure]:
    """Yield all that is measured."""
    yield from _cutting()
    yield from _reading()
    yield from _keys()


def figures(chosen: Iterable[Measure], rounds: int) -> list[Figure]:
    """Return the median of each measure's rounds; the measures take turns."""
    found: dict[str, list[float]] = {}
    chosen = list(chosen)
    for _ in range(rounds):
        for measure in chosen:
            began = time.process_time()
            measure.run()
            found.setdefault(measure.name, []).append(time.process_time() - began)
    return [measure.figure(statistics.median(found[measure.name])) for measure in chosen]


def main() -> int:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="words of the measures to run")
    arguments = parser.parse_args()
    words = [word for word in arguments.only.split(",") if word]
    chosen = [measure for measure in measures() if not words or any(word in measure.name for word in words)]
    print("| measure | figure | target |\n|---|---|---|")
    for figure in figures(chosen, arguments.rounds):
        target = "" if figure.target is None else f"{figure.target:,.0f}"
        print(f"| {figure.name} | {figure.value:,.1f} {figure.unit} | {target} |")
    return 0


def _cutting() -> Iterator[Measure]:
    members = load_datasets()["members"]
    plain = _members(BATCH, 0.01) * 4
    for name, data, target in (
        ("members", plain, 900),
        ("members, all quoted", _quoted(plain), 300),
        ("20 columns", _typical(BATCH // 4, 0.01) * 16, None),
    ):
        dataset = TYPICAL if name == "20 columns" else members
        yield Measure(f"cut: {name}, 1 % dirty", _cutter(data, dataset), len(data), target=target)


def _cutter(data: bytes, dataset: Dataset) -> Callable[[], object]:
    chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]

    def run() -> None:
        cutter = Cutter(dataset.dialect, start=0, line=1, batch_bytes=BATCH, max_record_bytes=MAX_RECORD)
        for chunk in chunks:
            cutter.feed(chunk)
        cutter.finish()
        assert cutter.offset == len(data)

    return run


def _reading() -> Iterator[Measure]:
    members = load_datasets()["members"]
    every = list(Members.kinds)
    for name, data, dataset, target in (
        ("members, clean", _members(BATCH, 0), members, None),
        ("members, 1 % dirty", _members(BATCH, 0.01), members, 180),
        ("members, 1 % dirty of all kinds", _members(BATCH, 0.01, every), members, None),
        ("members, all quoted, 1 % dirty", _quoted(_members(BATCH, 0.01)), members, 120),
        ("20 columns, 1 % dirty", _typical(BATCH // 4, 0.01) * 4, TYPICAL, 180),
        ("members, 90 % bad", _bad_members(BATCH // 4, 0.9), members, None),
        ("members, all bad", _bad_members(BATCH // 4, 1), members, 25),
        ("20 columns, all bad", _typical(BATCH // 4, 1), TYPICAL, None),
    ):
        yield Measure(f"read: {name}", _reader(data, dataset), len(data), target=target)
    for name, rate in (("1 % bad", 0.01), ("all bad", 1)):
        data = _json_lines(_bad_members(BATCH // 4, rate))
        yield Measure(f"read: members as JSON Lines, {name}", _json_reader(data, members), len(data))
    data = _bad_members(BATCH // 4, 1)
    yield Measure("book: members, all bad", _booking(_parsed(data, members)), len(data))


def _reader(data: bytes, dataset: Dataset) -> Callable[[], object]:
    reader = compile_reader(dataset, _names(dataset), MAX_RECORD)
    return lambda: reader.read(data, offset=0, first_line=2)


def _json_reader(data: bytes, dataset: Dataset) -> Callable[[], object]:
    reader = compile_json_reader(read_as_json(dataset), _names(dataset), MAX_RECORD)
    return lambda: reader.read(data, offset=0, first_line=1)


def _booking(parsed: Parsed) -> Callable[[], object]:
    """What is done with rejections after they have been read, up to the bytes that the database is sent."""
    batch = cast(Batch, SimpleNamespace(job=SimpleNamespace(number=7), number=3))

    def run() -> None:
        rejections = list(parsed.rejections)
        rejections.sort(key=lambda rejection: rejection.record)
        for _ in rejection_lines(batch, rejections):
            pass
        cause_rows(batch, tally(rejections))

    return run


def _keys() -> Iterator[Measure]:
    members = load_datasets()["members"]
    plain = _members(BATCH, 0.01)
    for form, data in (("", plain), (", all quoted", _quoted(plain))):
        parsed = _parsed(data, members)
        rows = parsed.accepted
        for kind, key, target in (("integer", ("client_member_id",), 150), ("text", ("phone_number",), 100)):
            facts = _facts(parsed, key)
            yield Measure(f"keys: {kind}{form}", lambda p=parsed, k=key: p.keys(k), rows, "ns/row", target)  # type: ignore[misc]
            yield Measure(f"key facts: {kind}{form}", facts, rows, "ns/row")
        yield Measure(f"compare with another batch{form}", _compared(parsed), rows // 2, "ns/row")


def _facts(parsed: Parsed, key: tuple[str, ...]) -> Callable[[], object]:
    return lambda: key_facts([key], parsed.keys)


def _compared(parsed: Parsed) -> Callable[[], object]:
    key = ("client_member_id",)
    values = parsed.keys(key)
    mine, theirs = (key_facts([key], lambda _, half=half: values[half::2]) for half in range(2))  # type: ignore[misc]
    return lambda: shared(mine.ordered[key], mine.told[key], theirs.told[key])


def _parsed(data: bytes, dataset: Dataset) -> Parsed:
    return compile_reader(dataset, _names(dataset), MAX_RECORD).read(data, offset=0, first_line=2)


def _names(dataset: Dataset) -> tuple[str, ...]:
    return tuple(field.name for field in dataset.fields)


def _members(size: int, dirty: float, kinds: list[str] = TWELVE) -> bytes:
    out = io.BytesIO()
    write_demo(out, dataset="members", rows=None, size=size, dirty=dirty, seed=7, kinds=kinds)
    return out.getvalue().partition(b"\n")[2]


_SPOILS: tuple[tuple[int, Callable[[str], str]], ...] = (
    (ACCOUNT, lambda cell: "abc" + cell),
    (ACCOUNT, lambda cell: cell + ".5"),
    (ACCOUNT, lambda _: "2147483648"),
    (PHONE, lambda cell: cell[:5] + "-x" + cell[5:]),
    (MEMBER, lambda _: ""),
    (MEMBER, lambda _: "9" * 20),
    (FIRST, lambda _: ""),
)


def _bad_members(size: int, rate: float) -> bytes:
    """Members of which this share has one or two bad values."""
    maker, rng = Members(7), Random(7)
    out = io.BytesIO()
    for start in range(0, sys.maxsize, 8192):
        for line in maker.rows(start, 8192):
            if rng.random() < rate:
                cells = line[:-1].split(",")
                for column, spoil in rng.sample(_SPOILS, rng.choice((1, 1, 2))):
                    cells[column] = spoil(cells[column])
                line = ",".join(cells) + "\n"
            out.write(line.encode())
        if out.tell() >= size:
            return out.getvalue()
    raise AssertionError("unreachable")


def _typical(size: int, dirty: float) -> bytes:
    out = io.BytesIO()
    rows = typical_rows(Random(7), dirty)
    while out.tell() < size:
        out.write(next(rows))
    return out.getvalue()


def _quoted(data: bytes) -> bytes:
    """The same with quotes around every field of a record that has none."""
    lines = data.split(b"\n")[:-1]
    return b"".join(
        line + b"\n" if b'"' in line or not line else b'"' + line.replace(b",", b'","') + b'"\n' for line in lines
    )


def _json_lines(data: bytes) -> bytes:
    import json

    names = ("first_name", "last_name", "phone_number", "client_member_id", "account_id")
    rows: list[dict[str, Any]] = []
    for line in data.decode().splitlines():
        row: dict[str, Any] = dict(zip(names, line.split(","), strict=True))
        for name in names[3:]:
            row[name] = int(row[name]) if row[name].isdigit() else row[name]
        rows.append(row)
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


if __name__ == "__main__":
    sys.exit(main())

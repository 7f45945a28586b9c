"""Realistic demo files for a dataset, clean or dirty in every known way, of any size in flat memory.

The same arguments make the same bytes. ``--truth`` tells of every odd record what must become of it.
"""

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import BinaryIO, ClassVar, Protocol, TextIO

from infra.local.demo_kinds import Kind
from infra.local.demo_members import Members
from infra.local.demo_plays import Plays
from infra.local.demo_products import Products
from infra.local.demo_writer import DemoSummary, Writer

_CHUNK_ROWS = 8192
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


class RowMaker(Protocol):
    """What a dataset needs to have demo files; its class is called with a seed.

    ``header`` is the header record with its line end, ``kinds`` its odd records by name, ``most_rows`` how many records
    it can make before a key would come twice.
    """

    header: ClassVar[bytes]
    kinds: ClassVar[Mapping[str, Kind]]
    most_rows: ClassVar[int]

    def __init__(self, seed: int) -> None: ...

    def rows(self, start: int, count: int) -> list[str]:
        """The next ``count`` clean records, ``start`` being the index of the first: lines without quotes."""


ROW_MAKERS: Mapping[str, type[RowMaker]] = {"members": Members, "plays": Plays, "products": Products}
"""By dataset. A new dataset with demo files is a class like ``Members``, entered here."""


def write_demo(
    out: BinaryIO,
    *,
    dataset: str,
    rows: int | None,
    size: int | None,
    dirty: float,
    seed: int,
    kinds: Sequence[str] | None = None,
    truth: TextIO | None = None,
    progress: Callable[[DemoSummary], None] | None = None,
) -> DemoSummary:
    """Write a file of ``rows`` records, or of about ``size`` bytes, to ``out`` and say what it holds.

    ``dirty`` is the share of odd records, 0 to 1; of these, ``kinds`` (default: all) come up equally often, but for
    the bulky ones, which keep a distance. Where no kind may stand (a kind that keeps its distance is the only one
    wanted), the record is clean. ``truth`` gets one JSON line for each odd record: ``line`` and ``record`` where it
    starts (line 1 is the header, record 1 the first after it), ``kind``, ``valid``, ``column`` and ``code`` of its
    rejection, and ``duplicate_of``, the record whose key it repeats. ``progress`` is called now and then.

    Raises ValueError when an argument makes no sense.
    """
    check(dataset=dataset, rows=rows, size=size, dirty=dirty, kinds=kinds)
    maker = ROW_MAKERS[dataset](seed)
    chosen = maker.kinds if kinds is None else {name: maker.kinds[name] for name in kinds}
    rng = Random(f"{dataset} {seed} odd")
    writer = Writer(out, truth, chosen, rng)
    writer.header(maker.header)
    for count, last in _chunks(writer.summary, rows, size):
        if writer.summary.rows + count > maker.most_rows:
            raise ValueError(f"only {maker.most_rows:,} rows have keys of their own")
        _write_chunk(writer, maker.rows(writer.summary.rows, count), dirty, rng, last=last)
        if progress:
            progress(writer.summary)
    return writer.summary


def check(
    *, dataset: str, rows: int | None, size: int | None, dirty: float, kinds: Sequence[str] | None = None
) -> None:
    """Raise ValueError when these arguments of ``write_demo`` make no sense."""
    if dataset not in ROW_MAKERS:
        raise ValueError(f"no demo files for dataset {dataset!r}; there are some for: {', '.join(ROW_MAKERS)}")
    if (rows is None) == (size is None):
        raise ValueError("give either a number of rows or a size")
    if not 0 <= dirty <= 1:
        raise ValueError("the dirty share must lie between 0 and 1 (100%)")
    if min(rows or 0, size or 0) < 0:
        raise ValueError("rows and size cannot be negative")
    known = ROW_MAKERS[dataset].kinds
    unknown = sorted(set(kinds or ()) - set(known))
    if unknown:
        raise ValueError(f"unknown kinds: {', '.join(unknown)}; dataset {dataset} has: {', '.join(known)}")


def _chunks(summary: DemoSummary, rows: int | None, size: int | None) -> Iterator[tuple[int, bool]]:
    """How many records to make next, and whether they are the last, given what ``summary`` says is written."""
    if rows is not None:
        for start in range(0, rows, _CHUNK_ROWS):
            yield min(_CHUNK_ROWS, rows - start), start + _CHUNK_ROWS >= rows
    while size is not None and summary.bytes < size:
        average = summary.bytes // max(1, summary.rows)
        half_of_the_rest = (size - summary.bytes) // (2 * average)
        yield max(1, min(_CHUNK_ROWS, half_of_the_rest)), half_of_the_rest < 1
        if half_of_the_rest < 1:
            return


def _write_chunk(writer: Writer, texts: list[str], dirty: float, rng: Random, *, last: bool) -> None:
    """Write these records, some of them odd: as many as bring the share in the whole file to ``dirty``.

    The last chunk of a dirty file has at least one, the file's last odd record: the one that may leave a quote open.
    """
    start = writer.summary.rows
    wanted = round((start + len(texts)) * dirty) - round(start * dirty)
    if last and dirty:
        wanted = max(1, wanted)
    done = 0
    places = sorted(rng.sample(range(len(texts)), wanted))
    for place in places:
        writer.clean(texts[done:place])
        writer.odd(texts[place], last=last and place == places[-1])
        done = place + 1
    writer.clean(texts[done:])


def _share(text: str) -> float:
    """``1%`` or ``0.01``."""
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def size_in_bytes(text: str) -> int:
    """``500MB`` (10**6), ``2GiB`` (2**30), ``4096``: a size in bytes."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)", text)
    if not found or found[2].upper() not in _UNITS:
        raise ValueError(f"not a size: {text!r}; write for example 500MB, 1GB or 64MiB")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py demo-file", description=__doc__)
    parser.add_argument("--dataset", default="members", choices=sorted(ROW_MAKERS))
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--rows", type=int, metavar="N", help="number of records")
    length.add_argument("--size", metavar="SIZE", help="about this many bytes: 500MB, 1GB, 64MiB")
    parser.add_argument("--dirty", type=_share, default=0.0, metavar="SHARE", help="share of odd records: 1%% or 0.01")
    parser.add_argument(
        "--seed", type=int, default=7, help="another seed makes other records, with other keys (default: 7)"
    )
    parser.add_argument("--kinds", metavar="A,B", help="only these kinds of odd record (default: all)")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="write what must become of each odd record here")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: for example members-1000.csv")
    return parser


def _meter() -> Callable[[DemoSummary], None]:
    """A progress line on standard error, renewed a few times a second."""
    started = shown = time.monotonic()

    def show(summary: DemoSummary) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown > 0.2:
            shown = now
            rate = summary.rows / (now - started)
            print(
                f"\r{summary.rows:,} rows, {summary.bytes / 1e6:,.0f} MB, {rate:,.0f} rows/s ", end="", file=sys.stderr
            )

    return show


def main(argv: Sequence[str] | None = None) -> int:
    """The ``demo-file`` command. Returns the exit code: 0, or 1 when the file cannot be written."""
    parser = _parser()
    args = parser.parse_args(argv)
    output = args.output or Path(f"{args.dataset}-{args.size or args.rows}.csv")
    try:
        wish = {
            "dataset": args.dataset,
            "rows": args.rows,
            "size": size_in_bytes(args.size) if args.size else None,
            "dirty": args.dirty,
            "kinds": args.kinds.split(",") if args.kinds else None,
        }
        check(**wish)
        with ExitStack() as files:
            summary = write_demo(
                files.enter_context(output.open("wb")),
                seed=args.seed,
                truth=files.enter_context(args.truth.open("w", encoding="utf-8")) if args.truth else None,
                progress=_meter() if sys.stderr.isatty() else None,
                **wish,
            )
    except ValueError as problem:
        parser.error(str(problem))
    except OSError as problem:
        print(f"demo-file: cannot write {problem.filename or output}: {problem.strerror}", file=sys.stderr)
        return 1
    if sys.stderr.isatty():
        print(end="\r\033[K", file=sys.stderr)
    print(f"{output}: {summary.rows:,} rows, {summary.bytes:,} bytes")
    print(f"odd rows: {summary.odd.total():,}, of which to be rejected: {summary.rejected:,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

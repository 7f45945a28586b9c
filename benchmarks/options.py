"""The arguments of ``dev.py bench``. Imports the standard library only: they are read before anything is installed."""

import argparse
from pathlib import Path

PARTS = {
    "members": "contenders on --rows members, 1 %% dirty: all policies, \\copy, two \\copy, pgloader, Django",
    "large": "ours and \\copy on the largest of --sizes",
    "rejected": "ours and pgloader on members of which 0.5 %% are rejected",
    "dirty": "what each contender does with the dirty file",
    "plays": "--rows plays into sums per song and date, against \\copy of the raw rows",
    "sizes": "rows per second and peak memory by --sizes; the largest of them is what `large` measures",
    "consumers": "rows per second by --consumers",
    "batches": "rows per second and peak memory by --batches",
    "phases": "seconds and memory by phase, and the database's seconds by statement",
    "engine": "parse and validate, and cutting: MB/s of one core",
    "splitter": "memory of the splitter over 20 GB, streamed",
    "extremes": "200 columns, records of 1 MB, 90 %% rejected, every record an update",
    "latency": "1,000 records from PUT to COMPLETED",
    "cold": "cold start of each function",
    "store": "what the object store costs",
}
DEFAULT_SIZES = (10_000, 100_000, 1_000_000, 5_000_000, 20_000_000)
DEFAULT_BATCHES = (1, 2, 4, 8, 16, 32)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them, and the list of parts."""
    width = max(map(len, PARTS))
    parts = "\n".join(f"  {name:{width}}  {what.replace('%%', '%')}" for name, what in PARTS.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        f"parts:\n{parts}\n\nEach part writes <out>/<part>.json when it ends; tables and plots are made of all that "
        "are there.\nA full run takes about three hours and 10 GB of disk for files, and what PostgreSQL takes."
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="all parts at about 200,000 rows: some minutes, to see that all works")
    add("--only", type=_words, default=(), metavar="PARTS", help="these parts only, comma-separated")
    add(
        "--contenders", type=_words, default=(), metavar="WORDS", help="only contenders with one of these in their name"
    )
    add("--rows", type=_number, metavar="N", help="(default: 5,000,000)")
    add("--sizes", type=_numbers, metavar="N,N", help=f"(default: {','.join(map(str, DEFAULT_SIZES))})")
    add("--consumers", type=_numbers, default=(1, 2, 4), metavar="N,N", help="(default: 1,2,4)")
    add("--batches", type=_numbers, default=DEFAULT_BATCHES, metavar="MB,MB", help="MiB (default: 1,2,4,8,16,32)")
    add("--rounds", type=_number, metavar="N", help="runs of each contender, in turn (default: 3)")
    add("--slow-rounds", type=_number, default=1, metavar="N", help="of pgloader and Django (default: 1)")
    add("--stream", type=_number, metavar="GB", help="what the splitter reads (default: 20)")
    add("--postgres", action="append", default=[], type=_setting, metavar="NAME=VALUE", help="a setting; repeatable")
    add("--out", type=Path, metavar="DIR", help="(default: benchmarks/results; with --quick, build/bench)")
    add("--no-plots", action="store_true", help="tables only: plots need matplotlib from PyPI")
    add("--work", type=Path, metavar="DIR", help="where files and the cluster lie; kept (default: a temporary folder)")


def settle(arguments: argparse.Namespace) -> argparse.Namespace:
    """Fill in what depends on ``--quick``. Raises ValueError where there is no such part, or nothing for it to do."""
    unknown = sorted(set(arguments.only) - set(PARTS))
    if unknown:
        raise ValueError(f"no such part: {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    quick = arguments.quick
    arguments.rows = arguments.rows or (200_000 if quick else 5_000_000)
    arguments.sizes = arguments.sizes or ((10_000, 100_000) if quick else DEFAULT_SIZES)
    arguments.rounds = arguments.rounds or (1 if quick else 3)
    arguments.stream = arguments.stream or (1 if quick else 20)
    if quick and arguments.batches == DEFAULT_BATCHES:
        arguments.batches = (1, 4)
    arguments.out = arguments.out or Path("build/bench" if quick else "benchmarks/results")
    arguments.only = arguments.only or tuple(PARTS)
    if "sizes" in arguments.only and len(arguments.sizes) == 1:
        raise ValueError("one size leaves nothing to the part sizes: the largest is what the part large measures")
    return arguments


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def _number(text: str) -> int:
    number = int(text.replace("_", ""))
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1: {text}")
    return number


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_number(word) for word in _words(text))


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("a setting is NAME=VALUE")
    return name, value

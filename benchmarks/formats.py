"""Records per second of each format and each policy, as a ratio to plain CSV with ``append``, in one run.

    .venv/bin/python -m benchmarks.formats [--rows 500000] [--rounds 3] [--only gzip,update] [--big 2GB]

The variants take turns, so that what else the machine does hits all alike; medians are compared. ``--big`` also loads
one plain and one gzip file of that size, and one of 200 columns, for the peak memory of splitter and loaders.
"""

import argparse
import gzip
import json
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import generators, tables
from benchmarks.stage import Outcome, Stage, staged
from chalicelib.core.dataset import Dataset
from infra.local.demo import size_in_bytes, write_demo

BASELINE = "csv, append"


@dataclass(frozen=True)
class Variant:
    """A way to load the same rows: the dataset, and how its file is made from the plain one."""

    name: str
    dataset: Dataset
    suffix: str
    make: Callable[[Path, Path], None]


def variants() -> list[Variant]:
    keyless = tables.members("append", "rows", keys=False)
    latin = replace(keyless, dialect=replace(keyless.dialect, encoding="cp1252"))
    wide = replace(keyless, dialect=replace(keyless.dialect, encoding="utf-16"))
    plays = tables.plays()
    found = [
        Variant(BASELINE, keyless, ".csv", _copy),
        Variant("csv, every field quoted, append", keyless, ".csv", _quoted),
        Variant("csv in cp1252, append", latin, ".csv", _recoded("cp1252")),
        Variant("csv in utf-16, append", wide, ".csv", _recoded("utf-16")),
        Variant("csv.gz, append", keyless, ".csv.gz", _gzipped),
        Variant("csv in zip, append", keyless, ".zip", _zipped),
        Variant("json lines, append", keyless, ".jsonl", _json_lines),
        Variant("parquet, append", keyless, ".parquet", _parquet),
        Variant("xlsx, append", keyless, ".xlsx", _excel),
    ]
    for policy in ("reject", "ignore", "update", "replace"):
        found.append(Variant(f"csv, {policy}", tables.members(policy), ".csv", _copy))
    atomic = replace(tables.members("reject"), atomic=True)
    found.append(Variant("csv, reject, atomic", atomic, ".csv", _copy))
    found.append(Variant("csv of plays, sum", plays, ".csv", _copy))
    return found


def main() -> int:
    """Run what the arguments ask for and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="words of the variants to run, beside the baseline")
    parser.add_argument("--big", default="", help="size of the files for peak memory, for example 2GB")
    arguments = parser.parse_args()
    words = [word for word in arguments.only.split(",") if word]
    chosen = [v for v in variants() if v.name == BASELINE or not words or any(word in v.name for word in words)]
    with tempfile.TemporaryDirectory(prefix="dropload-bench-") as folder, staged(Path(folder), {}) as stage:
        if arguments.rounds:
            _compare(stage, chosen, arguments.rows, arguments.rounds)
        if arguments.big:
            _peaks(stage, arguments.big)
    return 0


def _compare(stage: Stage, chosen: list[Variant], rows: int, rounds: int) -> None:
    plain = {name: _demo(stage.folder / f"{name}.csv", name, rows) for name in ("members", "plays")}
    keys: dict[str, str] = {}
    for variant in chosen:
        key = f"input/{variant.dataset.name}/{len(keys)}{variant.suffix}"
        variant.make(plain["plays" if variant.dataset.name == "plays" else "members"], stage.store.path(key))
        keys[variant.name] = key
    outcomes: dict[str, list[Outcome]] = {variant.name: [] for variant in chosen}
    for round in range(rounds):
        for variant in chosen:
            print(f"round {round + 1}: {variant.name}", file=sys.stderr)
            stage.reset({variant.dataset.name: variant.dataset})
            outcome = stage.load(keys[variant.name], {variant.dataset.name: variant.dataset})
            assert outcome.job["state"] == "COMPLETED", outcome.job
            assert outcome.job["counts"]["read"] == rows, outcome.job["counts"]
            outcomes[variant.name].append(outcome)
    _print_rates(outcomes)


def _print_rates(outcomes: Mapping[str, list[Outcome]]) -> None:
    rates = {name: statistics.median(o.records_per_second for o in found) for name, found in outcomes.items()}
    print("| format, policy | records/s | ratio to plain CSV, append | splitter MB | loader MB |")
    print("|---|---|---|---|---|")
    for name, found in outcomes.items():
        peaks = f"{max(o.split_mb for o in found):.0f} | {max(o.load_mb for o in found):.0f}"
        print(f"| {name} | {rates[name]:,.0f} | {rates[name] / rates[BASELINE]:.2f} | {peaks} |")


def _peaks(stage: Stage, size: str) -> None:
    keyless = tables.members("append", "rows", keys=False)
    plain, packed = stage.folder / "big.csv", stage.folder / "big.csv.gz"
    with plain.open("wb") as out:
        write_demo(out, dataset="members", rows=None, size=size_in_bytes(size), dirty=0, seed=7)
    _gzipped(plain, packed)
    print("| file | bytes | seconds | splitter MB | loader MB |\n|---|---|---|---|---|")
    for file in (plain, packed):
        _print_peak(f"{file.name} ({size})", stage, file, keyless)
    file = generators.broad_file(stage.folder / "broad.csv", 200, 200_000)
    _print_peak("200 columns, 200,000 records", stage, file, generators.broad(200))


def _print_peak(name: str, stage: Stage, file: Path, dataset: Dataset) -> None:
    stage.reset({dataset.name: dataset})
    key = f"input/{dataset.name}/{file.name}"
    stage.put(file, key)
    outcome = stage.load(key, {dataset.name: dataset})
    assert outcome.job["state"] == "COMPLETED", outcome.job
    peaks = f"{outcome.split_mb:.0f} | {outcome.load_mb:.0f}"
    print(f"| {name} | {file.stat().st_size:,} | {outcome.seconds:.1f} | {peaks} |")
    stage.store.path(key).unlink()
    file.unlink()


def _demo(path: Path, dataset: str, rows: int) -> Path:
    with path.open("wb") as out:
        write_demo(out, dataset=dataset, rows=rows, size=None, dirty=0, seed=7)
    return path


def _copy(plain: Path, file: Path) -> None:
    file.write_bytes(plain.read_bytes())


def _quoted(plain: Path, file: Path) -> None:
    lines = plain.read_text().splitlines()
    file.write_text("".join('"' + line.replace(",", '","') + '"\n' for line in lines))


def _recoded(encoding: str) -> Callable[[Path, Path], None]:
    def make(plain: Path, file: Path) -> None:
        file.write_bytes(plain.read_text().encode(encoding, "replace"))

    return make


def _gzipped(plain: Path, file: Path) -> None:
    with plain.open("rb") as source, gzip.open(file, "wb", compresslevel=5) as out:
        while chunk := source.read(1 << 22):
            out.write(chunk)


def _zipped(plain: Path, file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "members.csv")


def _rows(plain: Path) -> tuple[list[str], list[list[str]]]:
    header, *lines = plain.read_text().splitlines()
    return header.split(","), [line.split(",") for line in lines]


def _json_lines(plain: Path, file: Path) -> None:
    names, rows = _rows(plain)
    with file.open("w") as out:
        out.writelines(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)


def _parquet(plain: Path, file: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    texts = pyarrow.csv.ConvertOptions(column_types={"phone_number": pyarrow.string()})
    table = pyarrow.csv.read_csv(plain, convert_options=texts)
    pyarrow.parquet.write_table(table, file, row_group_size=100_000)


def _excel(plain: Path, file: Path) -> None:
    import openpyxl

    names, rows = _rows(plain)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in (names, *rows):
        sheet.append(row)
    book.save(file)


if __name__ == "__main__":
    sys.exit(main())

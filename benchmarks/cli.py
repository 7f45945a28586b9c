"""``dev.py bench``: sets the stage, runs the parts, writes what they found."""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import machine, report
from benchmarks.files import as_json
from benchmarks.options import add_arguments, settle
from benchmarks.parts import Bench, cold, comparisons, engine, extremes, latency, phases, series, splitter, store
from benchmarks.stage import say, staged
from benchmarks.truth import Truths

PARTS: Mapping[str, Callable[[Bench], dict[str, Any]]] = {
    "members": comparisons.members,
    "large": comparisons.large,
    "rejected": comparisons.rejected,
    "dirty": comparisons.dirty,
    "plays": comparisons.plays,
    "sizes": series.sizes,
    "consumers": series.consumers,
    "batches": series.batches,
    "phases": phases.phases,
    "engine": engine.engine,
    "splitter": splitter.splitter,
    "extremes": extremes.extremes,
    "latency": latency.latency,
    "cold": cold.cold,
    "store": store.store,
}


def run(arguments: argparse.Namespace) -> int:
    """Run what is asked for. Returns the exit code: 0, 1 where a part failed or we gave a wrong answer, 2 for usage."""
    try:
        options = settle(arguments)
    except ValueError as problem:
        print(f"dev.py bench: {problem}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped then, too
    options.out.mkdir(parents=True, exist_ok=True)
    failed = []
    with _folder(options.work) as folder, staged(folder, dict(options.postgres)) as stage:
        found = machine.described(stage)
        bench = Bench(stage, Truths(stage), options)
        for name in options.only:
            say(f"{name} ...")
            began = time.monotonic()
            try:
                part = PARTS[name](bench)
            except Exception as problem:
                say(f"{name} failed: {type(problem).__name__}: {problem}")
                failed.append(name)
                continue
            took = round(time.monotonic() - began)
            say(f"{name}: {took} s")
            arguments_of = {
                key: str(value) for key, value in vars(options).items() if key not in ("work", "out", "rest")
            }
            told = {"part": name, "machine": found, "options": arguments_of, "took_seconds": took, **part}
            (options.out / f"{name}.json").write_text(as_json(told))
            failed += [name] if wrong_of_ours(part) else []
    report.write(options.out, plots=not options.no_plots)
    print(f"{options.out}/README.md")
    if failed:
        print(f"dev.py bench: failed, or wrong: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def wrong_of_ours(part: Any) -> bool:
    """Whether dropload gave a wrong answer anywhere in what a part found."""
    if isinstance(part, dict):
        theirs = not str(part.get("name", "dropload")).startswith("dropload")
        return (bool(part.get("wrong")) and not theirs) or any(map(wrong_of_ours, part.values()))
    return isinstance(part, list) and any(map(wrong_of_ours, part))


@contextmanager
def _folder(work: Path | None) -> Iterator[Path]:
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
        yield work.resolve()
        return
    parent = "/var/tmp" if os.access("/var/tmp", os.W_OK) else None  # on a disk, as /tmp often is not
    with tempfile.TemporaryDirectory(prefix="dropload-bench-", dir=parent) as folder:
        yield Path(folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench")
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())

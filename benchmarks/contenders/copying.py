"""PostgreSQL's own ``\\copy`` by psql: one stream, or two at once."""

import shutil
import subprocess
import time
from pathlib import Path

from benchmarks import tables
from benchmarks.contenders.base import NotRunError, Run
from benchmarks.files import Files
from benchmarks.stage import Stage
from infra.local import postgres_binaries

_OPTIONS = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-d")


def psql() -> str:
    """The server's own, else the one on PATH. Raises NotRunError where there is none."""
    own = postgres_binaries.binaries() / "psql"
    found = str(own) if own.exists() else shutil.which("psql")
    if found is None:
        raise NotRunError("there is no psql beside PostgreSQL's programs, nor on PATH")
    return found


class Copy:
    """The whole file in one stream and one transaction."""

    name = "\\copy"
    note = "psql, one stream, one transaction; validates types only"

    def prepare(self) -> None:
        psql()

    def create(self, stage: Stage, dataset: str) -> None:
        tables.create(stage, dataset)

    def load(self, stage: Stage, files: Files, *, dirty: bool) -> Run:
        return _copied(stage, [files.dirty if dirty else files.accepted], files.dataset)


class TwoCopies(Copy):
    """Two halves at once, each a transaction."""

    name = "two \\copy"
    note = "the file split in two halves beforehand, which is not in its time; two streams at once"

    def load(self, stage: Stage, files: Files, *, dirty: bool) -> Run:
        if dirty:
            return _copied(stage, [files.dirty], files.dataset)
        return _copied(stage, list(files.halves), files.dataset)


def _copied(stage: Stage, parts: list[Path], table: str) -> Run:
    began = time.perf_counter()
    streams = [
        subprocess.Popen(
            [psql(), *_OPTIONS, stage.url, "-c", tables.copy_command(part, table)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for part in parts
    ]
    said = [stream.communicate()[1] for stream in streams]
    seconds = time.perf_counter() - began
    codes = [stream.returncode for stream in streams]
    wrong = next((tables.first_line(text) for text, code in zip(said, codes, strict=True) if code), "")
    return Run(seconds, f"failed: {wrong}" if any(codes) else "", {"exit": max(codes)})

"""pgloader, as Debian has it and as its manual's first CSV example is written."""

import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import install, tables
from benchmarks.contenders.base import Run
from benchmarks.files import Files, columns_of
from benchmarks.stage import Stage

_COMMAND = """load csv from '{file}' ({columns})
into {url}?tablename=public.{table} ({columns})
with skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote, fields terminated by ',';
"""
_MOST_SECONDS = 3600


class Pgloader:
    """Batches of 25,000 records; where COPY refuses one, it is halved until the bad records are found."""

    name = "pgloader"
    note = "Debian's 3.6.9, its defaults; puts aside what the database refuses, knows no rules of its own"

    def prepare(self) -> None:
        self._program, self._environment = install.pgloader()

    def create(self, stage: Stage, dataset: str) -> None:
        tables.create(stage, dataset)

    def load(self, stage: Stage, files: Files, *, dirty: bool) -> Run:
        file = files.dirty if dirty else files.accepted
        with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
            command = Path(folder) / "members.load"
            url = stage.url.replace("postgresql://", "pgsql://")
            columns = columns_of(files.dataset)
            command.write_text(_COMMAND.format(file=file, columns=columns, url=url, table=files.dataset))
            began = time.perf_counter()
            try:
                done = subprocess.run(
                    [self._program, "--quiet", "--root-dir", folder, str(command)],
                    env=self._environment,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=_MOST_SECONDS,
                )
            except subprocess.TimeoutExpired:
                return Run(_MOST_SECONDS, f"not ready after {_MOST_SECONDS} s")
            seconds = time.perf_counter() - began
            aside = sum(path.read_bytes().count(b"\n") for path in Path(folder).rglob("*.dat"))
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line or "FATAL" in line]
        details = {"exit": done.returncode, "put aside": aside, "errors logged": len(said)}
        return Run(seconds, f"failed with {done.returncode}" if done.returncode else "", details)

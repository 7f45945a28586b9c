"""Django's ``bulk_create(ignore_conflicts=True)``: what the simplest importers do (``django_importer.py`` is one)."""

import subprocess
import time
from pathlib import Path

from benchmarks import install, tables
from benchmarks.contenders.base import Run
from benchmarks.files import Files
from benchmarks.stage import Stage

_SCRIPT = Path(__file__).with_name("django_importer.py")
BATCH = 5_000


class Django:
    """``csv.DictReader``, one model instance a record."""

    name = "Django bulk_create"
    note = f"Django 5.2, psycopg2, batch_size={BATCH}, ignore_conflicts=True; a batch a transaction; no full_clean"

    def prepare(self) -> None:
        self._python = install.environment()

    def create(self, stage: Stage, dataset: str) -> None:
        tables.create(stage, dataset)

    def load(self, stage: Stage, files: Files, *, dirty: bool) -> Run:
        file = files.dirty if dirty else files.accepted
        began = time.perf_counter()
        done = subprocess.run([self._python, _SCRIPT, stage.url, str(file), str(BATCH)], capture_output=True, text=True)
        seconds = time.perf_counter() - began
        # The last line of a traceback may quote the file: its first word, the exception's type, does not.
        why = done.stderr.strip().rpartition("\n")[2].partition(":")[0]
        return Run(seconds, f"failed: {why}" if done.returncode else "", {"exit": done.returncode})

"""dropload as it runs on Lambda: always on the dirty file, with its error file, its receipt and its books."""

import shutil
from typing import Any

from benchmarks import tables
from benchmarks.contenders.base import Run
from benchmarks.files import Files
from benchmarks.stage import MIB, Outcome, Stage
from benchmarks.truth import wrong_rejections
from chalicelib.core.dataset import Dataset


class Ours:
    """One policy. The table has the column ``_origin`` besides, which the others' has not."""

    def __init__(self, policy: str, *, workers: int = 0, batch_mib: int = 0) -> None:
        """``workers`` and ``batch_mib``: 0 for what the stage has."""
        self.policy = policy
        self._workers = workers
        self._batch_mib = batch_mib
        self.name = f"dropload, {policy}" + (f", consumers: {workers}" if workers else "")
        self.name += f", batches of {batch_mib} MiB" if batch_mib else ""
        self.note = "validates every record by its descriptor, hands back the bad ones, books all; one more column"

    def prepare(self) -> None:
        """It is here."""

    def create(self, stage: Stage, dataset: str) -> None:
        shutil.rmtree(stage.store.path("error"), ignore_errors=True)
        stage.reset({dataset: self.dataset(dataset)})

    def dataset(self, name: str) -> Dataset:
        return tables.plays() if name == "plays" else tables.members(self.policy)

    def load(self, stage: Stage, files: Files, *, dirty: bool) -> Run:
        stage = stage.with_(
            workers=self._workers or stage.workers, batch_bytes=self._batch_mib * MIB or stage.batch_bytes
        )
        key = f"input/{files.dataset}/{'dirty' if dirty else 'accepted'}.csv"
        stage.put(files.dirty if dirty else files.accepted, key)
        outcome = stage.load(key, {files.dataset: self.dataset(files.dataset)})
        return Run(outcome.seconds, self._wrong(stage, files, outcome, dirty=dirty), details(outcome))

    def _wrong(self, stage: Stage, files: Files, outcome: Outcome, *, dirty: bool) -> str:
        job = outcome.job
        if not job["balanced"] or job["state"] not in ("COMPLETED", "COMPLETED_WITH_FAILURES"):
            return f"{job['state']}, balanced: {job['balanced']}, {job['reason']}"
        if not dirty:
            return ""
        if job["counts"]["read"] != files.rows:
            return f"{job['counts']['read']:,} records read instead of {files.rows:,}"
        return wrong_rejections(stage, files, job, policy=self.policy)


def details(outcome: Outcome) -> dict[str, Any]:
    """What was measured of a load besides its seconds."""
    return {
        "split_mb": round(outcome.split_mb, 1),
        "load_mb": round(outcome.load_mb, 1),
        "cpu": outcome.cpu,
        "counts": outcome.job["counts"],
        "batches": sum(outcome.job["progress"]["batches"].values()),
    }

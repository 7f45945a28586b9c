"""Forget: what the ledger has kept for long enough goes, a slice at a time (docs/retention.md)."""

from collections.abc import Mapping
from typing import Protocol

from chalicelib.services.ports import Datasets, Remaining

_ENOUGH = 60.0  # seconds that must be left for another slice


class Memory(Protocol):
    """The ledger, as far as this service needs it. Every method is one transaction, and does a slice."""

    def expire_undo(self, days: Mapping[str, int]) -> None:
        """Jobs of these datasets that ended so many days ago, and all of other ones, cannot be undone any more."""

    def forget_changes(self) -> int:
        """Forget what such jobs have changed; how many rows of that."""

    def forget_jobs(self, days: int) -> tuple[int, int]:
        """Forget jobs that ended so many days ago, and that nothing needs; how many, and rows that went before them."""

    def forget_events(self, days: int) -> int:
        """Forget what the API did to records so many days ago, once it is told; how many times it did something."""

    def forget_answers(self) -> int:
        """Forget what was kept for ``Idempotency-Key`` for a day; how many answers."""

    def forget_exports(self, days: int) -> int:
        """Forget exports that ended so many days ago; how many."""


class Forget:
    """Done by the sweep, for as long as it has time: what is left comes next time."""

    def __init__(self, *, memory: Memory, datasets: Datasets, ledger_days: int) -> None:
        self._memory = memory
        self._datasets = datasets
        self._days = ledger_days

    def run(self, remaining: Remaining) -> int:
        """Forget what is old; the number of jobs and exports."""
        kept = {name: dataset.undo_days for name, dataset in self._datasets.items() if dataset.undo_days is not None}
        self._memory.expire_undo(kept)
        forgotten = 0
        while remaining() > _ENOUGH and self._memory.forget_changes():
            pass
        while remaining() > _ENOUGH:
            jobs, rows = self._memory.forget_jobs(self._days)
            forgotten += jobs
            if not jobs and not rows:
                break
        while remaining() > _ENOUGH and (exports := self._memory.forget_exports(self._days)):
            forgotten += exports
        while remaining() > _ENOUGH and self._memory.forget_events(self._days):
            pass
        while remaining() > _ENOUGH and self._memory.forget_answers():
            pass
        return forgotten

"""What a contender is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.files import Files
from benchmarks.stage import Stage


class NotRunError(Exception):
    """A contender cannot run here; the message says why, and stands in the results."""


@dataclass(frozen=True)
class Run:
    """One run: wall seconds, or why its answer is wrong (then its time does not count), and what else was measured."""

    seconds: float
    wrong: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class Contender(Protocol):
    """One way to get a file into a table."""

    name: str
    note: str
    """What must be known to read its figures."""

    def prepare(self) -> None:
        """Install what it needs. Raises NotRunError where that is impossible."""

    def create(self, stage: Stage, dataset: str) -> None:
        """A fresh database, its tables empty, everything settled."""

    def load(self, stage: Stage, files: Files, *, dirty: bool) -> Run:
        """Load the file, ``dirty`` or its accepted records only; time nothing but that."""

"""What exports need from the world, and the plain records that pass between them and it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.dataset import Dataset
from chalicelib.core.lines import Row
from chalicelib.services.ports import Reason


class ExportState(StrEnum):
    """Where an export stands; the last three are its ends."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class ExportFormat(StrEnum):
    """What parts are written as."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class ExportJob:
    """An export that has not ended. ``filters`` are texts as files have them, by field.

    ``rows`` is None until the snapshot was taken, as of ``snapshot_at`` (RFC 3339).
    """

    number: int
    id: UUID
    dataset: str
    format: ExportFormat
    filters: Mapping[str, str]
    max_part_bytes: int
    with_id: bool
    rows: int | None
    snapshot_at: str | None


@dataclass(frozen=True, slots=True)
class ExportPart:
    """A part that stands in the bucket. ``last_row`` is the number of its last row in the snapshot, from 1."""

    number: int
    key: str
    rows: int
    bytes: int
    last_row: int
    sha256: str


class PartWriter(Protocol):
    """A part while it is filled. Raises ExportRefused for what cannot be written."""

    def add(self, rows: Sequence[Row]) -> tuple[int, bytes]:
        """How many of the rows are in the part, and what to write; fewer than all mean that the part is full."""

    def finish(self) -> bytes:
        """What is left to write."""


class NewPart(Protocol):
    """Begins a part of one format."""

    def __call__(self, dataset: Dataset, max_bytes: int, *, with_id: bool) -> PartWriter: ...


class ExportLedger(Protocol):
    """The books of exports, and their snapshots. Every method is one transaction."""

    def open(
        self, id: UUID, dataset: str, format: str, filters: Mapping[str, str], max_part_bytes: int, *, with_id: bool
    ) -> None:
        """Book a new export."""

    def working(self, id: UUID) -> AbstractContextManager[ExportJob | None]:
        """The export, kept from all other workers until the block ends; None where one has it, or it has ended."""

    def take_snapshot(self, export: ExportJob, dataset: Dataset, seconds: float) -> ExportJob:
        """Copy the rows that are wanted, as they are at one moment, in the order of the match key.

        Raises Transient when that takes longer than ``seconds``.
        """

    def parts(self, export: ExportJob) -> list[ExportPart]:
        """The parts that stand, in order."""

    def rows(self, export: ExportJob, dataset: Dataset, after: int, most_bytes: int) -> list[Row]:
        """The rows of the snapshot after this one: some, of about this many bytes. None where the snapshot is gone."""

    def add_part(self, export: ExportJob, part: ExportPart) -> bool:
        """Book a part. False where the export has ended meanwhile, or somebody else has booked it."""

    def start_over(self, export: ExportJob) -> bool:
        """Forget snapshot and parts. False where the export has ended meanwhile."""

    def end(self, id: UUID, state: ExportState, reason: Reason | None) -> bool:
        """End the export and drop its snapshot. False where it had ended already, or there is none."""

    def stuck(self) -> list[UUID]:
        """Exports at which nothing has happened for long; not given again before the same time has passed."""

    def drop_leftovers(self) -> None:
        """Drop the snapshots of exports that have ended."""

    def view(self, id: UUID) -> dict[str, Any] | None:
        """The export as the API shows it, but for links."""

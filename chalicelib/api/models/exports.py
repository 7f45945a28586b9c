"""Exports."""

from uuid import UUID

from pydantic import Field

from chalicelib.api.models.common import Cell, Input, Moment, Name, Output, Reason, SelfLink
from chalicelib.services.export_ports import ExportFormat, ExportState


class ExportRequest(Input):
    """Filters are exact, their values as files have them."""

    format: ExportFormat = ExportFormat.CSV
    filters: dict[Name, Cell] = Field(default_factory=dict, max_length=50)
    max_part_bytes: int = Field(default=500_000_000, ge=1024, le=5_000_000_000, strict=True)
    with_id: bool = Field(default=False, strict=True)


class File(Output):
    """An object of ours, and a link to it that expires."""

    key: str
    url: str


class Part(File):
    """A part of an export."""

    rows: int
    bytes: int
    sha256: str


class Export(Output):
    """A dataset written out as files."""

    id: UUID
    dataset: str
    state: ExportState
    reason: Reason | None
    format: ExportFormat
    filters: dict[str, str]
    max_part_bytes: int
    with_id: bool
    rows: int | None
    rows_done: int
    bytes: int
    snapshot_at: Moment | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    parts: list[Part]
    manifest: File | None
    expires_at: Moment | None
    links: SelfLink

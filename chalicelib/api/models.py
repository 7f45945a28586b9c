"""What requests may carry."""

import base64
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from chalicelib.core.states import JobState
from chalicelib.services.export_ports import ExportFormat
from chalicelib.services.redrive import What


class Query(BaseModel):
    """Query parameters: unknown ones are refused, so that a typo is not an answer to another question."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


def _storable(text: str) -> str:
    if "\0" in text or (not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)):
        raise ValueError("holds a character that no name has")
    return text


Name = Annotated[str, Field(max_length=1024), AfterValidator(_storable)]


class JobsQuery(Query):
    """``GET /v1/jobs``: exact filters, newest first."""

    dataset: Name | None = None
    state: JobState | None = None
    key: Name | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: UUID | None = None


class JobQuery(Query):
    """``GET /v1/jobs/{id}``: ``wait`` holds the answer back until the job changes, for at most that many seconds."""

    wait: int = Field(default=0, ge=0, le=20)


def _place(cursor: str) -> tuple[int, int]:
    try:
        batch, record = base64.urlsafe_b64decode(cursor.encode()).decode().split(".")
        return int(batch), int(record)
    except ValueError:
        raise ValueError("not a cursor that we gave") from None


class RejectionsQuery(Query):
    """``GET /v1/jobs/{id}/rejections``."""

    limit: int = Field(default=100, ge=1, le=1000)
    cursor: Annotated[tuple[int, int], BeforeValidator(_place)] = (-1, 0)


FilterValue = Annotated[str, Field(max_length=10_000), AfterValidator(_storable)]


class ExportRequest(Query):
    """``POST /v1/datasets/{name}/exports``: filters are exact, their values as files have them."""

    format: ExportFormat = ExportFormat.CSV
    filters: dict[Name, FilterValue] = Field(default_factory=dict, max_length=50)
    max_part_bytes: int = Field(default=500_000_000, ge=1024, le=5_000_000_000, strict=True)
    with_id: bool = Field(default=False, strict=True)


class RedriveRequest(Query):
    """``POST /v1/jobs/{id}/redrive``: failed batches, or rejected records; what there is, failed batches first."""

    what: What | None = None


def rejections_cursor(place: tuple[int, int] | None) -> str | None:
    """The opaque cursor that leads past a (batch, record)."""
    return None if place is None else base64.urlsafe_b64encode(f"{place[0]}.{place[1]}".encode()).decode()

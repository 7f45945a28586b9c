"""Uploads, jobs that are asked for, and what a job has written."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from chalicelib.api.models.common import Address, Input, Moment, Name, Output
from chalicelib.api.models.exports import File
from chalicelib.api.models.jobs import Counts
from chalicelib.core.attempts import MOST_ATTEMPTS
from chalicelib.core.states import JobState


class UploadRequest(Input):
    """A file to be uploaded. Whether it was loaded before can be told by its ``sha256`` (in hex) only."""

    dataset: Name
    filename: Name
    size: int = Field(ge=0, le=1 << 50, strict=True, description="bytes")
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    validate_only: bool = Field(default=False, strict=True)
    again: bool = Field(default=False, strict=True, description="load it even if it was loaded before")
    max_attempts: int | None = Field(
        default=None,
        ge=1,
        le=MOST_ATTEMPTS,
        strict=True,
        description="how often it is tried",
    )


class Upload(Output):
    """A form to be posted as multipart/form-data: all ``fields`` first, then the file as ``file``."""

    method: Literal["POST"]
    url: str
    fields: dict[str, str]
    key: str
    expires_at: Moment


class JobRequest(Input):
    """A file that lies somewhere already: ``s3://bucket/key`` or ``https://...``."""

    target: Address
    dataset: Name
    validate_only: bool = Field(default=False, strict=True)
    again: bool = Field(default=False, strict=True, description="load an object that was loaded before")


class ResultFile(File):
    """A file that a job has written."""

    name: str
    bytes: int


class Result(Output):
    """What a job has written: its receipt, and its rejected records."""

    job: UUID
    state: JobState
    duplicate_of: UUID | None
    counts: Counts
    output: list[ResultFile]
    error: list[ResultFile]
    expires_at: Moment

"""What there is to say of a key."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from chalicelib.api.models.common import Input, Output, storable
from chalicelib.api.models.jobs import Job, StoredObject
from chalicelib.core.explaining import CODES

Code = StrEnum("Code", [(code.replace("-", "_").upper(), code) for code in CODES])  # type: ignore[misc]


class WhereaboutsQuery(Input):
    """Any key, as S3 has it."""

    key: Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(storable)]


class Whereabouts(Output):
    """What became of the object with this key, or why nothing did."""

    key: str
    dataset: str | None = Field(description="whose folder it is in, if it is in one")
    code: Code = Field(description="a stable word for programs")
    explanation: str = Field(description="sentences for people")
    advice: str = Field(description="what to do; empty where there is nothing to do")
    object: StoredObject | None = Field(description="its newest version, if there is one")
    job: Job | None = Field(description="the job of that version; of the last one, where the object is gone")
    jobs: list[Job] = Field(description="the last 20 jobs of this key, newest first")
    superseded: list[UUID] = Field(description="those of them that are of other versions")

"""What the models of all subjects share."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chalicelib.core.addresses import MOST_URL


class Input(BaseModel):
    """What is sent: unknown members are refused, so that a typo is not an answer to another question."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Output(BaseModel):
    """What is answered. All members are always there."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


def storable(text: str) -> str:
    """The text, if PostgreSQL can hold it. Raises ValueError."""
    if "\0" in text or (not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)):
        raise ValueError("holds a character that no name has")
    return text


Name = Annotated[str, Field(max_length=1024), AfterValidator(storable)]
Cell = Annotated[str, Field(max_length=10_000), AfterValidator(storable)]
"""A value as files have it."""
Address = Annotated[str, Field(min_length=1, max_length=MOST_URL), AfterValidator(storable)]
Moment = Annotated[datetime, Field(description="RFC 3339, UTC")]
Page = Annotated[int, Field(ge=1, le=200)]


class SelfLink(Output):
    """Where a thing is found."""

    self: str


class Reason(Output):
    """Why something failed."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid")

    code: str = Field(description="a stable word for programs")
    message: str = Field(description="a sentence for people")
    class_: str = Field(
        alias="class", description="whose move it is: file, request, transient or terminal; or that it is waiting"
    )


class Problem(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str = Field(description="a stable word for programs")
    detail: str = Field(description="a sentence for people")

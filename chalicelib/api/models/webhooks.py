"""Webhooks, their deliveries, and the rows that a job has changed."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from chalicelib.api.models.common import Input, Moment, Name, Output, Page
from chalicelib.core.addresses import MOST_URL
from chalicelib.core.news import Event
from chalicelib.services.webhooks import LONGEST_OVERLAP, OVERLAP_SECONDS


def _printable(text: str) -> str:
    if text and not text.isprintable():
        raise ValueError("is made of printable characters")
    return text


Url = Annotated[Name, Field(min_length=1, max_length=MOST_URL, description="https, on the public internet")]
Description = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
Datasets = Annotated[list[Name], Field(min_length=1, max_length=100)]
Events = Annotated[list[Event], Field(min_length=1, max_length=len(Event))]


class WebhooksQuery(Input):
    """A page of webhooks, or of deliveries."""

    limit: Page = 50
    cursor: UUID | None = None


class WebhookRequest(Input):
    """What is to be told, and where to. ``datasets`` null is all of them."""

    url: Url
    description: Description = ""
    datasets: Datasets | None = None
    events: Events


class WebhookChange(Input):
    """What is to be another one; what is not given stays."""

    url: Url | None = Field(default=None)
    description: Description | None = None
    datasets: Datasets | None = None
    events: Events | None = None


class RotateRequest(Input):
    """For how many seconds deliveries are signed by the secret before, too."""

    overlap_seconds: int = Field(default=OVERLAP_SECONDS, ge=0, le=LONGEST_OVERLAP, strict=True)


class WebhookLinks(Output):
    """Where to go on."""

    self: str
    deliveries: str


class Webhook(Output):
    """Where something is told; ``reason`` is why it is disabled, if we did that."""

    id: UUID
    url: str
    description: str
    datasets: list[str] | None
    events: list[Event]
    state: Literal["enabled", "disabled"]
    reason: Literal["gone", "failing"] | None
    failing_since: Moment | None
    old_secret_until: Moment | None
    created_at: Moment
    updated_at: Moment
    links: WebhookLinks


class WebhookAndSecret(Webhook):
    """A webhook and its secret, which nobody can read again."""

    secret: str


class WebhookPage(Output):
    """Webhooks, newest first."""

    items: list[Webhook]
    next_cursor: UUID | None


class DeliveryAttempt(Output):
    """How an attempt went; ``error`` is null where it was taken."""

    at: Moment
    status: int | None
    milliseconds: int
    error: str | None = Field(description="status, redirect, timeout, unreachable, or why we did not go there")


class Delivery(Output):
    """Something that is told to a webhook; its id is ``webhook-id``. ``due_at`` is of the next attempt."""

    id: UUID
    event: str
    dataset: str | None
    job: UUID | None
    state: Literal["pending", "delivered", "failed", "cancelled"]
    due_at: Moment | None
    attempts: list[DeliveryAttempt]
    created_at: Moment
    ended_at: Moment | None


class DeliveryPage(Output):
    """Deliveries, newest first."""

    items: list[Delivery]
    next_cursor: UUID | None


def _id(cursor: object) -> int:
    text = str(cursor)
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 1 << 63):
        raise ValueError("not a cursor that we gave")
    return int(text)


class ChangesQuery(Input):
    """A page of changed rows."""

    limit: int = Field(default=1000, ge=1, le=1000)
    cursor: Annotated[int | None, BeforeValidator(_id), Field(json_schema_extra={"type": "string"})] = None


class Changes(Output):
    """Ids of rows, the highest first. A page may be short, or empty, with more to come."""

    job: UUID
    dataset: str
    items: list[int]
    next_cursor: str | None

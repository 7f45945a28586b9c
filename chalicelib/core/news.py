"""What webhooks tell: the events, what of a job is one, and how it is written down."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.core.states import LOADED, JobState


class Event(StrEnum):
    """What a webhook may ask to be told of."""

    JOB_COMPLETED = "job.completed"
    JOB_FAILED = "job.failed"
    RECORDS_CHANGED = "records.changed"
    RECORD_CREATED = "record.created"
    RECORD_UPDATED = "record.updated"
    RECORD_DELETED = "record.deleted"


RECORD_EVENTS = (Event.RECORD_CREATED, Event.RECORD_UPDATED, Event.RECORD_DELETED)
"""What the API does to records."""
TEST = "webhook.test"
"""Told to one webhook, because somebody asked for it."""


def news_of(state: JobState, changed: int, *, validate_only: bool) -> tuple[Event, ...]:
    """What there is to tell of a job that has ended in this state with so many rows inserted or updated.

    Rows that a job has changed are changed, even if it failed or was cancelled later.
    """
    news = [Event.RECORDS_CHANGED] if changed and not validate_only else []
    if state in LOADED:
        return (Event.JOB_COMPLETED, *news)
    if state is JobState.FAILED:
        return (Event.JOB_FAILED, *news)
    return tuple(news)


def render(event: str, at: datetime, data: Mapping[str, Any]) -> str:
    """The body of a delivery: JSON. ``at``, in UTC, is when it happened."""
    timestamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": event, "timestamp": timestamp, "data": data}, ensure_ascii=False, separators=(",", ":"))

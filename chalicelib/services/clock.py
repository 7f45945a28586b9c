"""The time."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time, in UTC. Services take it as an argument, so that tests need not wait."""
    return datetime.now(UTC)

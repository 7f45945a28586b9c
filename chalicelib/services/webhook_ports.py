"""What webhooks need from the world, and the plain records that pass between them and it."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

SecretKey = Callable[[], bytes]
"""The deployment's key, of which all webhooks' secrets are made."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be told, and where; ``datasets`` None for all."""

    url: str
    description: str
    datasets: tuple[str, ...] | None
    events: tuple[str, ...]


class WebhookStore(Protocol):
    """Webhooks as the API manages them. Views are in the API's shapes. ``datasets`` of a caller is None for all."""

    def add(self, id: UUID, wish: Wish, salt: bytes, most: int) -> bool:
        """False where there are as many already."""

    def views(
        self, *, id: UUID | None = None, before: UUID | None = None, datasets: Collection[str] | None, limit: int
    ) -> list[dict[str, Any]]:
        """Newest first: those that are about nothing but the caller's datasets."""

    def change(self, id: UUID, wish: Wish) -> bool:
        """What it would not be told any more is not delivered, either. False where there is no such webhook."""

    def remove(self, id: UUID) -> bool:
        """With all its deliveries. False where there is no such webhook."""

    def rotate(self, id: UUID, salt: bytes, seconds: int) -> bool:
        """The secret before goes on signing, too, for so long. False where there is no such webhook."""

    def enable(self, id: UUID) -> bool:
        """False where it is enabled, or gone."""

    def put_test(self, id: UUID, delivery: UUID, event: str, payload: str) -> bool:
        """A delivery to this webhook alone. False where it is not enabled."""

    def deliveries(
        self, webhook: UUID, *, id: UUID | None = None, before: UUID | None = None, limit: int
    ) -> list[dict[str, Any]]:
        """Newest first, each with its last attempts."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A job of which it is to be told what rows it has changed. ``at`` is when it ended."""

    number: int
    job: UUID
    dataset: str
    at: datetime


class Changes(Protocol):
    """The rows that a job was the last to insert or update."""

    def ids(self, job: UUID, dataset: str, below: int | None, limit: int) -> tuple[list[int], int | None]:
        """A page of ids, downwards from ``below``, and below what to go on; None at the end.

        A page may be short, or empty, with more to come: only so many rows are looked at.
        """


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery to be made. ``salts`` are those of the secrets that sign it, the newest first."""

    number: int
    id: UUID
    event: str
    payload: str
    attempts: int
    first_at: datetime | None
    webhook: int
    webhook_id: UUID
    url: str
    salts: tuple[bytes, ...]
    failures: int
    failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt went: ``status`` is that of the answer, ``error`` a word for what went wrong."""

    at: datetime
    status: int | None
    error: str | None
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be booked of an attempt. ``due_at`` is of the next one, ``disabled`` why the webhook is no more."""

    due: Due
    attempt: Attempt
    state: str
    due_at: datetime | None = None
    paused_until: datetime | None = None
    disabled: str | None = None
    back: bool = False


class Outgoing(Protocol):
    """What is told, from the ledger to the deliveries. Every method is one transaction."""

    def collect(self, most_ids: int) -> bool:
        """Make messages of what the API has done to records, at most so many ids each; False where it did nothing."""

    def changed(self) -> AbstractContextManager["tuple[Changed, Callable[[str], None]] | None"]:
        """The next job whose changed rows are to be looked up, and what takes each body there is to send of it."""

    def spread(self, now: datetime) -> bool:
        """Put in the deliveries of some messages; False where there are none."""

    def claim(self, lease: UUID, most: int, seconds: float, now: datetime) -> list[Due]:
        """Deliveries that are due, at most one a webhook: nobody else gets another one of it for so long."""

    def book(self, lease: UUID, outcomes: Sequence[Outcome], now: datetime) -> None:
        """What became of claimed deliveries; their webhooks are free again."""

    def wake_at(self, now: datetime, latest: datetime) -> datetime | None:
        """When somebody should look again, at the latest then; None where nothing is due, or a message comes anyway."""

    def wake_for_records(self, now: datetime, at: datetime) -> bool:
        """Whether somebody should look then, for what the API has done to records: no message comes before that."""

    def forget(self, now: datetime, days: int) -> None:
        """Forget bodies when nobody is to get them any more, and deliveries that ended so many days ago."""

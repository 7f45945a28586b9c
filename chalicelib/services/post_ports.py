"""What the services need to tell people: the outbox, what letters are about, and those who carry them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from chalicelib.core.daily import DayReport, OursReport
from chalicelib.core.digest import Pile
from chalicelib.core.late import Lateness


@dataclass(frozen=True, slots=True)
class OpenLetter:
    """A letter that notices may still join: when its oldest and newest came, when the one before it was closed.

    ``wakes_at`` is for when a message was sent that has it looked at again.
    """

    number: int
    oldest: datetime
    newest: datetime
    last: datetime | None
    wakes_at: datetime | None


@dataclass(frozen=True, slots=True)
class OneJob:
    """A job as the API shows it, and the first lines of each of its causes."""

    job: Mapping[str, Any]
    lines: Mapping[tuple[str, str | None], Sequence[int]]


Content: TypeAlias = OneJob | Pile | DayReport | OursReport | Lateness


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter that is due. ``id`` is the same however often it is sent; ``attempts`` failed before.

    ``content`` is None where there is nothing to tell any more, since a redrive has taken it back.
    """

    number: int
    id: UUID
    audience: str
    dataset: str
    attempts: int
    content: Content | None


@dataclass(frozen=True, slots=True)
class JobEvent:
    """The end of a job, for the topic: a notice's number, the job as the API shows it, and the failed attempts."""

    number: int
    job: Mapping[str, Any]
    attempts: int


class Gathering(Protocol):
    """All notices are in letters now, and nobody else opens, closes or fills one before this transaction ends."""

    letters: Sequence[OpenLetter]

    def close(self, letter: OpenLetter, now: datetime) -> None:
        """No more notices join: it is due."""

    def wake(self, letter: OpenLetter, at: datetime) -> None:
        """Note that a message was sent for this time."""


class Post(Protocol):
    """The outbox. Every method is one transaction, and so is every block."""

    def gathering(self) -> AbstractContextManager[Gathering]:
        """Put each notice that is in no letter into the open one of its audience and dataset."""

    def sending(self, now: datetime) -> AbstractContextManager[Outgoing | None]:
        """The next letter that is due, marked as sent when the block ends well; None when there is none."""

    def publishing(self, now: datetime) -> AbstractContextManager[JobEvent | None]:
        """The next job's end that is due for the topic, as ``sending``."""

    def give_up_events(self, now: datetime) -> None:
        """There is no topic any more: what was to be said there never is."""

    def postpone(self, what: Outgoing | JobEvent, now: datetime, *, given_up: bool) -> None:
        """It could not be sent: it is due again later, or never more; and the next one is first."""


class Watched(Protocol):
    """What the ledger knows of days and of files that did not come."""

    def active(self, start: datetime, end: datetime) -> list[str]:
        """The datasets of which jobs ended in this time, those left out that only validated."""

    def ours(self, start: datetime, end: datetime) -> bool:
        """Whether engineers were to be told of jobs that ended in this time."""

    def expected_since(self, dataset: str, expected: str, now: datetime) -> datetime:
        """Since when this has been expected of the dataset: now, where something else was."""

    def came(self, dataset: str, start: datetime, end: datetime) -> bool:
        """Whether a file of the dataset came in this time, that was neither to be validated only nor a correction."""

    def add(self, kind: str, audience: str, dataset: str, about: str) -> bool:
        """Put a letter into the outbox; False where that very letter has been there before."""

    def forget(self, before: datetime) -> int:
        """Letters that were sent before this time are forgotten; their number."""


class Mailer(Protocol):
    """Mail, as plain text and as HTML."""

    def send(self, *, to: Sequence[str], subject: str, text: str, html: str, message_id: str) -> None:
        """Raises Terminal where it was refused for good, and Transient where it could not be sent."""


class Topic(Protocol):
    """Where programs hear of jobs' ends."""

    def publish(self, event: Mapping[str, Any]) -> None:
        """Raises Terminal and Transient as ``Mailer`` does."""

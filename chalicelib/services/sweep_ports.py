"""What the sweep needs from the world: the listing of what was dropped, and what stands still in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from chalicelib.services.ports import Job, StoredObject


@dataclass(frozen=True, slots=True)
class Listed:
    """The newest version of an object, and when it was put (UTC)."""

    stored: StoredObject
    modified: datetime


class Page(NamedTuple):
    """Some of the objects under ``input/``, by key; the next ones come after the key ``after``, None at the end."""

    objects: Sequence[Listed]
    after: str | None


class Listing(Protocol):
    """The bucket's folder ``input/``."""

    def page(self, after: str) -> Page:
        """Objects whose keys come after this one. Deleted ones are not among them."""


class TakenBack(NamedTuple):
    """A batch that its worker has left, and how often it was begun."""

    job: UUID
    number: int
    attempts: int


class Sweeps(Protocol):
    """The ledger, as far as the sweep needs it. Every method is one transaction."""

    def place(self) -> str:
        """The key that the listing goes on after: "" at its start."""

    def keep_place(self, after: str) -> None: ...

    def missed(self, listed: Sequence[Listed]) -> list[Listed]:
        """Those that have no job and never had one, in the order in which they were put."""

    def take_back(self) -> list[TakenBack]:
        """Batches of workers that cannot live any more, pending again; a good number of them, the oldest first."""

    def stuck(self) -> list[tuple[Job, list[int]]]:
        """Open jobs at which nothing has happened for long, and their batches to send again; a good number of them.

        A job is not given again before the same time has passed; without any news, twice as much each time.
        """

    def due_notices(self) -> int:
        """How many notices of the outbox should have been sent by now."""

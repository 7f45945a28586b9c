"""Intake: from a queue's message to the service that it is for."""

from typing import Protocol
from uuid import UUID

from chalicelib.services.bury import Bury
from chalicelib.services.load import Load
from chalicelib.services.ports import Remaining, StoredObject
from chalicelib.services.split import Split


class Messages(Protocol):
    """How messages are read; each function raises Terminal for what is none of ours."""

    def objects_created(self, body: str) -> list[StoredObject]: ...

    def job_of(self, body: str) -> UUID | None: ...

    def batch_of(self, body: str) -> tuple[UUID, int]: ...


class Intake:
    """One method a queue, each taking one message's body."""

    def __init__(self, *, split: Split, load: Load, bury: Bury, messages: Messages) -> None:
        self._split = split
        self._load = load
        self._bury = bury
        self._messages = messages

    def split(self, body: str, remaining: Remaining) -> None:
        """Objects that were created, or a split to go on with; ``remaining`` tells the seconds left."""
        for stored in self._messages.objects_created(body):
            self._split.announced(stored, remaining)
        job = self._messages.job_of(body)
        if job is not None:
            self._split.resume(job, remaining)

    def load(self, body: str) -> None:
        """A batch to load."""
        self._load.run(*self._messages.batch_of(body))

    def bury_split(self, body: str) -> None:
        """A message that ``split`` failed on too often."""
        for stored in self._messages.objects_created(body):
            self._bury.announced(stored)
        job = self._messages.job_of(body)
        if job is not None:
            self._bury.job(job)

    def bury_batch(self, body: str) -> None:
        """A message that ``load`` failed on too often."""
        self._bury.batch(*self._messages.batch_of(body))

"""Intake: from a queue's message to the service that it is for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from chalicelib.errors import Terminal
from chalicelib.services.ports import Delivery, Remaining, StoredObject, unhurried
from chalicelib.services.telemetry import working

if TYPE_CHECKING:
    from chalicelib.services.bury import Bury
    from chalicelib.services.convert import Convert
    from chalicelib.services.erase import Erase
    from chalicelib.services.export import Export
    from chalicelib.services.fetch import Fetch
    from chalicelib.services.load import Load
    from chalicelib.services.retries import Retries
    from chalicelib.services.split import Split
    from chalicelib.services.undo import Undo

log = logging.getLogger("dropload.intake")


class Messages(Protocol):
    """How messages are read; each function raises Terminal for what is none of ours."""

    def objects_created(self, body: str) -> list[StoredObject]: ...

    def job_of(self, body: str) -> UUID | None: ...

    def batch_of(self, body: str) -> tuple[UUID, int]: ...

    def undo_of(self, body: str) -> UUID | None: ...

    def erasure_of(self, body: str) -> UUID | None: ...

    def export_of(self, body: str) -> UUID: ...

    def delivery_of(self, record: Mapping[str, Any]) -> Delivery: ...


class Services(Protocol):
    """The services that messages are for. Each is made when first asked for: a function has messages for a few."""

    @property
    def split(self) -> Split: ...

    @property
    def load(self) -> Load: ...

    @property
    def convert(self) -> Convert: ...

    @property
    def bury(self) -> Bury: ...

    @property
    def export(self) -> Export: ...

    @property
    def undo(self) -> Undo: ...

    @property
    def erase(self) -> Erase: ...

    @property
    def fetch(self) -> Fetch: ...

    @property
    def retries(self) -> Retries: ...


class Intake:
    """One method a queue, each taking one message's body."""

    def __init__(self, *, services: Services, messages: Messages) -> None:
        self._services = services
        self._messages = messages

    def retried(self, record: Mapping[str, Any]) -> AbstractContextManager[None]:
        """The block that handles this record of an SQS event: should it fail, the message comes back soon."""
        return self._services.retries.of(self._messages.delivery_of(record))

    def split(self, body: str, remaining: Remaining) -> None:
        """Objects that were created, or a split to go on with; ``remaining`` tells the seconds left."""
        for stored in self._messages.objects_created(body):
            with working("split", key=stored.key):
                self._services.split.announced(stored, remaining)
        job = self._messages.job_of(body)
        if job is not None:
            with working("split", job=job):
                self._services.split.resume(job, remaining)

    def convert(self, body: str, remaining: Remaining) -> None:
        """A job whose table is to be converted, or to go on with."""
        job = self._messages.job_of(body)
        if job is None:
            raise Terminal("unknown-message", "a message on the convert queue names no job")
        with working("convert", job=job):
            self._services.convert.run(job, remaining)

    def fetch(self, body: str, remaining: Remaining) -> None:
        """A job whose file is to be fetched."""
        job = self._messages.job_of(body)
        if job is None:
            raise Terminal("unknown-message", "a message on the fetch queue names no job")
        with working("fetch", job=job):
            self._services.fetch.run(job, remaining)

    def load(self, body: str, remaining: Remaining = unhurried) -> None:
        """A batch to load, a job to undo, or files to erase from; ``remaining`` tells the seconds left."""
        erasure = self._messages.erasure_of(body)
        if erasure is not None:
            self._services.erase.run(erasure, remaining)
            return
        undone = self._messages.undo_of(body)
        if undone is not None:
            with working("undo", job=undone):
                self._services.undo.run(undone, remaining)
            return
        job, number = self._messages.batch_of(body)
        with working("load", job=job, batch=number):
            self._services.load.run(job, number, remaining)

    def bury_split(self, body: str) -> None:
        """A message that ``split`` failed on too often. One that is none of ours is dropped: it has no job to fail."""
        try:
            created, job = self._messages.objects_created(body), self._messages.job_of(body)
        except Terminal as unknown:
            log.error("dropped a message of the intake's dead letters: %s", unknown)
            return
        for stored in created:
            with working(key=stored.key):
                self._services.bury.announced(stored)
        if job is not None:
            with working(job=job):
                self._services.bury.job(job)

    def bury_batch(self, body: str) -> None:
        """A message that ``load`` failed on too often, or one that is none of ours, as above."""
        try:
            if self._messages.erasure_of(body) is not None:
                return  # the sweep asks again, and again
            undone = self._messages.undo_of(body)
            if undone is not None:
                self._services.undo.give_up(undone)
                return
            job, number = self._messages.batch_of(body)
        except Terminal as unknown:
            log.error("dropped a message of the batches' dead letters: %s", unknown)
            return
        with working(job=job, batch=number):
            self._services.bury.batch(job, number)

    def export(self, body: str, remaining: Remaining) -> None:
        """An export to write out, or to go on with."""
        export = self._messages.export_of(body)
        with working("export", export=export):
            self._services.export.run(export, remaining)

    def bury_export(self, body: str) -> None:
        """A message that ``export`` failed on too often, or one that is none of ours, as above."""
        try:
            id = self._messages.export_of(body)
        except Terminal as unknown:
            log.error("dropped a message of the exports' dead letters: %s", unknown)
            return
        with working(export=id):
            self._services.export.give_up(id)

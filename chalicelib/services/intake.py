"""Intake: from a queue's message to the service that it is for."""

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol
from uuid import UUID

from chalicelib.errors import Terminal
from chalicelib.services.bury import Bury
from chalicelib.services.convert import Convert
from chalicelib.services.erase import Erase
from chalicelib.services.export import Export
from chalicelib.services.fetch import Fetch
from chalicelib.services.load import Load
from chalicelib.services.ports import Delivery, Remaining, StoredObject, unhurried
from chalicelib.services.retries import Retries
from chalicelib.services.split import Split
from chalicelib.services.telemetry import working
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


class Intake:
    """One method a queue, each taking one message's body."""

    def __init__(
        self,
        *,
        split: Split,
        load: Load,
        convert: Convert,
        bury: Bury,
        export: Export,
        undo: Undo,
        erase: Erase,
        fetch: Fetch,
        retries: Retries,
        messages: Messages,
    ) -> None:
        self._retries = retries
        self._split = split
        self._load = load
        self._convert = convert
        self._bury = bury
        self._export = export
        self._undo = undo
        self._erase = erase
        self._fetch = fetch
        self._messages = messages

    def retried(self, record: Mapping[str, Any]) -> AbstractContextManager[None]:
        """The block that handles this record of an SQS event: should it fail, the message comes back soon."""
        return self._retries.of(self._messages.delivery_of(record))

    def split(self, body: str, remaining: Remaining) -> None:
        """Objects that were created, or a split to go on with; ``remaining`` tells the seconds left."""
        for stored in self._messages.objects_created(body):
            with working("split", key=stored.key):
                self._split.announced(stored, remaining)
        job = self._messages.job_of(body)
        if job is not None:
            with working("split", job=job):
                self._split.resume(job, remaining)

    def convert(self, body: str, remaining: Remaining) -> None:
        """A job whose table is to be converted, or to go on with."""
        job = self._messages.job_of(body)
        if job is None:
            raise Terminal("unknown-message", "a message on the convert queue names no job")
        with working("convert", job=job):
            self._convert.run(job, remaining)

    def fetch(self, body: str, remaining: Remaining) -> None:
        """A job whose file is to be fetched."""
        job = self._messages.job_of(body)
        if job is None:
            raise Terminal("unknown-message", "a message on the fetch queue names no job")
        with working("fetch", job=job):
            self._fetch.run(job, remaining)

    def load(self, body: str, remaining: Remaining = unhurried) -> None:
        """A batch to load, a job to undo, or files to erase from; ``remaining`` tells the seconds left."""
        erasure = self._messages.erasure_of(body)
        if erasure is not None:
            self._erase.run(erasure, remaining)
            return
        undone = self._messages.undo_of(body)
        if undone is not None:
            with working("undo", job=undone):
                self._undo.run(undone, remaining)
            return
        job, number = self._messages.batch_of(body)
        with working("load", job=job, batch=number):
            self._load.run(job, number, remaining)

    def bury_split(self, body: str) -> None:
        """A message that ``split`` failed on too often. One that is none of ours is dropped: it has no job to fail."""
        try:
            created, job = self._messages.objects_created(body), self._messages.job_of(body)
        except Terminal as unknown:
            log.error("dropped a message of the intake's dead letters: %s", unknown)
            return
        for stored in created:
            with working(key=stored.key):
                self._bury.announced(stored)
        if job is not None:
            with working(job=job):
                self._bury.job(job)

    def bury_batch(self, body: str) -> None:
        """A message that ``load`` failed on too often, or one that is none of ours, as above."""
        try:
            if self._messages.erasure_of(body) is not None:
                return  # the sweep asks again, and again
            undone = self._messages.undo_of(body)
            if undone is not None:
                self._undo.give_up(undone)
                return
            job, number = self._messages.batch_of(body)
        except Terminal as unknown:
            log.error("dropped a message of the batches' dead letters: %s", unknown)
            return
        with working(job=job, batch=number):
            self._bury.batch(job, number)

    def export(self, body: str, remaining: Remaining) -> None:
        """An export to write out, or to go on with."""
        export = self._messages.export_of(body)
        with working("export", export=export):
            self._export.run(export, remaining)

    def bury_export(self, body: str) -> None:
        """A message that ``export`` failed on too often, or one that is none of ours, as above."""
        try:
            id = self._messages.export_of(body)
        except Terminal as unknown:
            log.error("dropped a message of the exports' dead letters: %s", unknown)
            return
        with working(export=id):
            self._export.give_up(id)

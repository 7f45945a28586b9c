"""Somebody who has webhooks sent to them, and checks each delivery as Standard Webhooks' own library does."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from standardwebhooks.webhooks import Webhook

from chalicelib.adapters.identity import new_id
from chalicelib.adapters.postgres.outgoing import PostgresOutgoing
from chalicelib.bootstrap import Container
from chalicelib.core.access import EVERYONE
from chalicelib.services.deliver import Deliver
from chalicelib.services.webhook_ports import Wish
from tests.system import System, forever
from tests.webserver import Handler, WebServer, serving

Json = dict[str, Any]
ALL = ("job.completed", "job.failed", "records.changed", "record.created", "record.updated", "record.deleted")


@dataclass
class Received:
    """A delivery that came: ``body`` as it was sent, ``answer`` the status that it was answered with."""

    path: str
    headers: dict[str, str]
    body: bytes
    answer: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> Json:
        message: Json = json.loads(self.body)
        return message


@dataclass
class Receiver:
    """``answer`` is the status for each delivery; it may take its time."""

    web: WebServer
    answer: Callable[[Received], int] = lambda _: 204
    received: list[Received] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/hook") -> str:
        self.web.answers[path] = self._take
        return self.web.origin + path

    def _take(self, handler: Handler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = next(body for _, _, sent, body in reversed(self.web.requests) if sent == headers)
        received = Received(handler.path, headers, body, 0)
        received.answer = self.answer(received)
        with self.lock:
            self.received.append(received)
        handler.send(b"x" * 100_000, received.answer, Location=self.web.origin + "/elsewhere")

    def messages(self, path: str = "/hook") -> list[Json]:
        """What was taken, each once, in the order in which it came."""
        taken = {each.id: each.message for each in self.received if each.path == path and each.answer < 300}
        return list(taken.values())

    def types(self, path: str = "/hook") -> list[str]:
        return [message["type"] for message in self.messages(path)]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    with serving(tls=False, port=port) as web:
        yield Receiver(web)


def subscribe(system: System, url: str, *events: str, datasets: Sequence[str] | None = None) -> Json:
    """A webhook, with its secret; for all events unless some are named."""
    wish = Wish(url, "", None if datasets is None else tuple(datasets), events or ALL)
    return system.container.webhooks.create(EVERYONE, wish)


def verify(received: Received, *secrets: str) -> None:
    """Raises where one of the secrets' holders would not believe the delivery."""
    for secret in secrets:
        Webhook(secret).verify(received.body, received.headers)


def deliveries(system: System, webhook: Json) -> list[Json]:
    """All of its log, oldest first."""
    found: list[Json] = []
    before = None
    while True:
        page = system.container.webhooks.deliveries(EVERYONE, UUID(webhook["id"]), before=before, limit=100)
        found += page["items"]
        if page["next_cursor"] is None:
            return found[::-1]
        before = UUID(page["next_cursor"])


def webhook(system: System, of: Json) -> Json:
    return system.container.webhooks.get(EVERYONE, UUID(of["id"]))


class Days:
    """Deliveries as time goes by, without waiting for it."""

    def __init__(self, system: System) -> None:
        self.now = datetime.now(UTC)
        self._system = system
        self._container: Container = system.container
        self.deliver = Deliver(
            outgoing=PostgresOutgoing(self._container.database),
            changes=self._container.changes,
            web=self._container.web,
            queues=self._container.queues,
            key=lambda: self._container.webhook_key,
            new_id=new_id,
            clock=lambda: self.now,
        )

    def pass_until(self, end: timedelta) -> None:
        """Let so much time go by, with somebody looking whenever something is due."""
        until = self.now + end
        while True:
            self.deliver.run(forever)
            [(due,)] = self._system.rows(
                "select min(greatest(delivery.due_at, webhook.paused_until)) from dropload.webhook_delivery as delivery"
                " join dropload.webhook on webhook.number = delivery.webhook"
                " where delivery.state = 'pending' and webhook.state = 'enabled'"
            )
            if due is None or due > until:
                self.now = until
                return
            self.now = max(due, self.now)

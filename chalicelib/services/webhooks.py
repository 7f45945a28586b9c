"""Webhooks: who is told of what, as admins manage it."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.core.access import Caller
from chalicelib.core.addresses import is_numeric, is_public, origin_of, parse_url
from chalicelib.core.news import TEST, Event, render
from chalicelib.core.signing import SALT_BYTES, derive_secret, spell_secret
from chalicelib.errors import RequestRefused, UrlRefused
from chalicelib.services.clock import utc_now
from chalicelib.services.ports import Datasets, Queues
from chalicelib.services.webhook_ports import SecretKey, WebhookStore, Wish

MOST = 1_000  # webhooks
OVERLAP_SECONDS = 86_400  # for which the secret before goes on signing, unless somebody says otherwise
LONGEST_OVERLAP = 7 * 86_400


class Webhooks:
    """A caller who is limited to some datasets has the webhooks that are about nothing else."""

    def __init__(
        self,
        *,
        store: WebhookStore,
        queues: Queues,
        datasets: Datasets,
        key: SecretKey,
        private_origins: Sequence[str],
        new_id: Callable[[], UUID],
        clock: Callable[[], datetime] = utc_now,
        most: int = MOST,
    ) -> None:
        self._store = store
        self._queues = queues
        self._datasets = datasets
        self._key = key
        self._private = frozenset(map(origin_of, private_origins))
        self._new_id = new_id
        self._clock = clock
        self._most = most

    def create(self, caller: Caller, wish: Wish) -> dict[str, Any]:
        """The webhook, and its secret, which is never shown again.

        Raises:
            RequestRefused: 422, the URL leads where we do not go, or a dataset is none; 409, there are too many.
        """
        wish = self._checked(caller, wish)
        id, salt = self._new_id(), secrets.token_bytes(SALT_BYTES)
        secret = self._secret(id, salt)
        if not self._store.add(id, wish, salt, self._most):
            raise RequestRefused(409, "too-many", f"there are {self._most} webhooks already: remove one first")
        return {**self.get(caller, id), "secret": secret}

    def get(self, caller: Caller, id: UUID) -> dict[str, Any]:
        """Return a webhook. Raises RequestRefused with 404 where there is none for this caller."""
        found = self._store.views(id=id, datasets=caller.datasets, limit=1)
        if not found:
            raise RequestRefused(404, "not-found", "there is no webhook with this id")
        return found[0]

    def page(self, caller: Caller, *, before: UUID | None, limit: int) -> dict[str, Any]:
        """A page of webhooks, newest first."""
        return _page(self._store.views(before=before, datasets=caller.datasets, limit=limit + 1), limit)

    def change(self, caller: Caller, id: UUID, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change what is given: url, description, datasets, events. Raises RequestRefused as ``create`` and ``get``."""
        old = self.get(caller, id)
        new = {name: changes.get(name, old[name]) for name in ("url", "description", "datasets", "events")}
        datasets = None if new["datasets"] is None else tuple(new["datasets"])
        wish = self._checked(caller, Wish(new["url"], new["description"], datasets, tuple(new["events"])))
        self._store.change(id, wish)
        return self.get(caller, id)

    def remove(self, caller: Caller, id: UUID) -> None:
        """Nothing more is sent to it, but for what is on its way. Raises RequestRefused with 404."""
        self.get(caller, id)
        self._store.remove(id)

    def rotate(self, caller: Caller, id: UUID, overlap_seconds: int = OVERLAP_SECONDS) -> dict[str, Any]:
        """A new secret, shown this once; deliveries are signed by the one before, too, for so long.

        Raises:
            RequestRefused: 404, there is no such webhook.
        """
        self.get(caller, id)
        salt = secrets.token_bytes(SALT_BYTES)
        secret = self._secret(id, salt)
        self._store.rotate(id, salt, overlap_seconds)
        return {**self.get(caller, id), "secret": secret}

    def enable(self, caller: Caller, id: UUID) -> dict[str, Any]:
        """Tell it again of what happens from now on. Raises RequestRefused with 404."""
        self.get(caller, id)
        self._store.enable(id)
        return self.get(caller, id)

    def test(self, caller: Caller, id: UUID) -> dict[str, Any]:
        """Send something to it, once; the delivery, which is about to be made.

        Raises:
            RequestRefused: 404, there is no such webhook; 409, it is disabled.
        """
        self.get(caller, id)
        delivery = self._new_id()
        body = render(TEST, self._clock(), {"webhook": str(id)})
        if not self._store.put_test(id, delivery, TEST, body):
            raise RequestRefused(409, "disabled", "the webhook is disabled: enable it first")
        self._queues.send_webhooks()
        return self._store.deliveries(id, id=delivery, limit=1)[0]

    def deliveries(self, caller: Caller, id: UUID, *, before: UUID | None, limit: int) -> dict[str, Any]:
        """A page of what was, or is to be, delivered to a webhook, newest first. Raises RequestRefused with 404."""
        self.get(caller, id)
        return _page(self._store.deliveries(id, before=before, limit=limit + 1), limit)

    def _secret(self, id: UUID, salt: bytes) -> str:
        return spell_secret(derive_secret(self._key(), id, salt))

    def _checked(self, caller: Caller, wish: Wish) -> Wish:
        self._check_url(wish.url)
        if wish.datasets is None and caller.datasets is not None:
            raise RequestRefused(422, "bad-datasets", "datasets: name those that you may see")
        datasets = None if wish.datasets is None else tuple(dict.fromkeys(wish.datasets))
        for name in datasets or ():
            if name not in self._datasets or not caller.sees(name):
                raise RequestRefused(422, "bad-datasets", "datasets: there is no dataset with one of these names")
        events = tuple(event for event in Event if event in wish.events)
        return Wish(wish.url, wish.description, datasets, events)

    def _check_url(self, text: str) -> None:
        """What can be told without asking for the host's addresses, as each delivery does."""
        try:
            url = parse_url(text)
        except UrlRefused as refused:
            raise RequestRefused(422, refused.code, f"url: {refused.message}") from None
        if url.origin in self._private:
            return
        if url.scheme != "https":
            raise RequestRefused(422, "not-https", "url: must begin with https://")
        if url.host == "localhost" or (is_numeric(url.host) and not is_public(url.host)):
            raise RequestRefused(422, "address-refused", "url: its host is not an address on the public internet")


def _page(found: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    page = found[:limit]
    return {"items": page, "next_cursor": page[-1]["id"] if len(found) > limit else None}

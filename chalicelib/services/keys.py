"""API keys: made once, shown once, kept as a hash."""

import hashlib
import secrets
from collections.abc import Callable, Collection
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.access import Caller, Scope, scopes_of
from chalicelib.errors import CallerFault, RequestRefused

PREFIX = "dropload_"


class KeyStore(Protocol):
    """Where hashes are kept."""

    def add(
        self, id: UUID, name: str, hash: bytes, scopes: Collection[Scope], datasets: Collection[str] | None
    ) -> None: ...

    def find(self, hash: bytes) -> Caller | None:
        """Who has the key with this hash, unless it is revoked; noting that it is used."""

    def page(self, limit: int, before: UUID | None) -> list[dict[str, Any]]:
        """Keys in the API's shape, newest first, those after the key ``before``."""

    def get(self, id: UUID) -> dict[str, Any] | None: ...

    def revoke(self, id: UUID) -> None: ...


class Keys:
    """Tokens are 256 random bits, so a plain SHA-256 is as good to look them up as a slow hash, and fast."""

    def __init__(self, *, store: KeyStore, datasets: Collection[str], new_id: Callable[[], UUID]) -> None:
        self._store = store
        self._datasets = datasets
        self._new_id = new_id

    def create(self, name: str, scopes: Collection[str], datasets: Collection[str] | None = None) -> str:
        """Make a key and return its token, which nobody can read again. See ``make``."""
        return str(self.make(name, scopes, datasets)["token"])

    def make(self, name: str, scopes: Collection[str], datasets: Collection[str] | None = None) -> dict[str, Any]:
        """A new key in the API's shape, with its ``token``, which nobody can read again.

        Raises:
            CallerFault: a scope or a dataset is unknown.
        """
        unknown = sorted(set(scopes) - set(Scope))
        if unknown or not scopes:
            raise CallerFault("unknown-scope", f"scopes are {', '.join(Scope)}; not {', '.join(unknown) or 'none'}")
        missing = sorted(set(datasets or ()) - set(self._datasets))
        if missing or (datasets is not None and not datasets):
            raise CallerFault("unknown-dataset", f"there is no dataset {', '.join(missing) or 'in an empty list'}")
        token = PREFIX + secrets.token_urlsafe(32)
        id = self._new_id()
        self._store.add(id, name, _hash(token), scopes_of(scopes), datasets)
        return {**self.get(id), "token": token}

    def check(self, token: str) -> Caller | None:
        """Who has this token, or None where it opens nothing."""
        return self._store.find(_hash(token)) if token.startswith(PREFIX) else None

    def page(self, *, limit: int, before: UUID | None) -> dict[str, Any]:
        """A page of keys, newest first; revoked ones, too."""
        found = self._store.page(limit + 1, before)
        page = found[:limit]
        return {"items": page, "next_cursor": page[-1]["id"] if len(found) > limit else None}

    def get(self, id: UUID) -> dict[str, Any]:
        """One key. Raises RequestRefused: 404."""
        key = self._store.get(id)
        if key is None:
            raise RequestRefused(404, "not-found", "there is no key with this id")
        return key

    def revoke(self, id: UUID) -> dict[str, Any]:
        """Make a key worth nothing; again, too. Raises RequestRefused: 404."""
        self.get(id)
        self._store.revoke(id)
        return self.get(id)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

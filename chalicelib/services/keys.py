"""API keys: made once, shown once, kept as a hash."""

import hashlib
import secrets
from collections.abc import Callable, Collection
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.access import EVERYONE, Caller, Scope, scopes_of
from chalicelib.errors import CallerFault, RequestRefused

PREFIX = "dropload_"


class KeyStore(Protocol):
    """Where hashes are kept."""

    def add(
        self, id: UUID, name: str, hash: bytes, scopes: Collection[Scope], datasets: Collection[str] | None
    ) -> None: ...

    def find(self, hash: bytes) -> Caller | None:
        """Who has the key with this hash, unless it is revoked; noting that it is used."""

    def page(self, limit: int, before: UUID | None, datasets: Collection[str] | None) -> list[dict[str, Any]]:
        """Keys in the API's shape, newest first, those after the key ``before``.

        With ``datasets`` only those keys for which no other one is there.
        """

    def get(self, id: UUID) -> dict[str, Any] | None: ...

    def revoke(self, id: UUID) -> None: ...


class Keys:
    """Tokens are 256 random bits, so a plain SHA-256 is as good to look them up as a slow hash, and fast.

    A caller who is limited to some datasets makes, sees and revokes keys that are limited to these.
    """

    def __init__(self, *, store: KeyStore, datasets: Collection[str], new_id: Callable[[], UUID]) -> None:
        self._store = store
        self._datasets = datasets
        self._new_id = new_id

    def create(self, name: str, scopes: Collection[str], datasets: Collection[str] | None = None) -> str:
        """Make a key and return its token, which nobody can read again. See ``make``."""
        return str(self.make(EVERYONE, name, scopes, datasets)["token"])

    def make(
        self, caller: Caller, name: str, scopes: Collection[str], datasets: Collection[str] | None = None
    ) -> dict[str, Any]:
        """A new key in the API's shape, with its ``token``, which nobody can read again.

        Raises:
            CallerFault: a scope is unknown, or a dataset is not there for the caller, or it is to be for all and the
                caller sees some.
        """
        unknown = sorted(set(scopes) - set(Scope))
        if unknown or not scopes:
            raise CallerFault("unknown-scope", f"scopes are {', '.join(Scope)}; not {', '.join(unknown) or 'none'}")
        if datasets is None and caller.datasets is not None:
            raise CallerFault("unknown-dataset", "name the datasets that the key is for, of those that you see")
        missing = sorted(name for name in set(datasets or ()) if name not in self._datasets or not caller.sees(name))
        if missing or (datasets is not None and not datasets):
            raise CallerFault("unknown-dataset", f"there is no dataset {', '.join(missing) or 'in an empty list'}")
        token = PREFIX + secrets.token_urlsafe(32)
        id = self._new_id()
        self._store.add(id, name, _hash(token), scopes_of(scopes), datasets)
        return {**self.get(caller, id), "token": token}

    def check(self, token: str) -> Caller | None:
        """Who has this token, or None where it opens nothing."""
        return self._store.find(_hash(token)) if token.startswith(PREFIX) else None

    def page(self, caller: Caller, *, limit: int, before: UUID | None) -> dict[str, Any]:
        """A page of keys, newest first; revoked ones, too."""
        found = self._store.page(limit + 1, before, caller.datasets)
        page = found[:limit]
        return {"items": page, "next_cursor": page[-1]["id"] if len(found) > limit else None}

    def get(self, caller: Caller, id: UUID) -> dict[str, Any]:
        """One key. Raises RequestRefused: 404."""
        key = self._store.get(id)
        if key is None or not _is_within(key["datasets"], caller):
            raise RequestRefused(404, "not-found", "there is no key with this id")
        return key

    def revoke(self, caller: Caller, id: UUID) -> dict[str, Any]:
        """Make a key worth nothing; again, too. Raises RequestRefused: 404."""
        self.get(caller, id)
        self._store.revoke(id)
        return self.get(caller, id)


def _is_within(datasets: Collection[str] | None, caller: Caller) -> bool:
    if datasets is None:
        return caller.datasets is None
    return all(map(caller.sees, datasets))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

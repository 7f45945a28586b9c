"""API keys: made once, shown once, kept as a hash."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from chalicelib.errors import CallerFault

PREFIX = "dropload_"
SCOPES = ("read", "write", "admin")


class KeyStore(Protocol):
    """Where hashes are kept."""

    def add(self, id: UUID, name: str, hash: bytes, scopes: Sequence[str]) -> None: ...

    def scopes(self, hash: bytes) -> tuple[str, tuple[str, ...]] | None:
        """(key id, scopes) of a key that is not revoked."""


class Keys:
    """Tokens are 256 random bits, so a plain SHA-256 is as good to look them up as a slow hash, and fast."""

    def __init__(self, *, store: KeyStore, new_id: Callable[[], UUID]) -> None:
        self._store = store
        self._new_id = new_id

    def create(self, name: str, scopes: Sequence[str]) -> str:
        """Make a key and return its token, which nobody can read again.

        Raises:
            CallerFault: a scope is unknown.
        """
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise CallerFault("unknown-scope", f"scopes are {', '.join(SCOPES)}; not {', '.join(unknown) or 'none'}")
        token = PREFIX + secrets.token_urlsafe(32)
        self._store.add(self._new_id(), name, _hash(token), scopes)
        return token

    def check(self, authorization: str) -> tuple[str, tuple[str, ...]] | None:
        """(key id, scopes) for the value of an ``Authorization`` header, or None where it opens nothing."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.startswith(PREFIX):
            return None
        return self._store.scopes(_hash(token.strip()))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

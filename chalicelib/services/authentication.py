"""Who is it? An API key of ours, or a token of the OpenID Connect issuer that was configured."""

from typing import Protocol

from chalicelib.core.access import Caller
from chalicelib.services.keys import Keys

MAX_TOKEN = 8192


class Tokens(Protocol):
    """Tokens of an issuer."""

    def check(self, token: str) -> Caller | None:
        """Who has this token, or None where it is none of the issuer's, is not for us, or is not valid now.

        Raises Transient where that cannot be told, since the issuer's keys cannot be had.
        """


class Authentication:
    """Bearer tokens (RFC 6750)."""

    def __init__(self, *, keys: Keys, tokens: Tokens | None) -> None:
        self._keys = keys
        self._tokens = tokens

    def caller(self, authorization: str) -> Caller | None:
        """Who sent this ``Authorization`` header, or None where it opens nothing."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token.isascii() or len(token) > MAX_TOKEN:
            return None
        if token.count(".") == 2 and self._tokens is not None:
            return self._tokens.check(token)
        return self._keys.check(token)

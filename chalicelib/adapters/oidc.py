"""JSON Web Tokens of an OpenID Connect issuer, checked as RFC 8725 advises.

Only its own keys, only algorithms that were chosen here, only tokens that are for us, and only while they are valid.
"""

import json
import math
import time
import urllib.request
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import jwt

from chalicelib.config import Oidc
from chalicelib.core.access import Caller, scopes_of
from chalicelib.errors import Transient

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
_LEEWAY_SECONDS = 30
_KEPT_SECONDS = 3600.0  # that the issuer's keys are taken for current
_KEPT_AT_MOST_SECONDS = 24 * 3600.0  # while it does not answer
_ASKED_AGAIN_SECONDS = 30.0  # after any try: neither invented keys nor an issuer that is down make us ask each time
_TIMEOUT_SECONDS = 5
_MOST_BYTES = 1024 * 1024


class OidcTokens:
    """See ``services.authentication.Tokens``."""

    def __init__(self, settings: Oidc, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched = self._tried = -math.inf
        self._answered = False
        self._lock = Lock()

    def check(self, token: str) -> Caller | None:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS:
                return None
            key = self._key(str(header.get("kid", "")))
            claims = None if key is None else self._claims(token, key)
        except jwt.InvalidTokenError:
            return None
        return None if claims is None else _caller(claims)

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any] | None:
        # The key says which algorithm it is for: a token cannot choose.
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=self._settings.issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "sub"], "verify_aud": False},
        )
        # Cognito's access tokens have no audience, but the client that they were issued to.
        audience = claims.get("aud", claims.get("client_id"))
        intended = audience if isinstance(audience, list) else [audience]
        return claims if self._settings.audience in intended else None

    def _key(self, kid: str) -> jwt.PyJWK | None:
        with self._lock:
            wanted = kid not in self._keys or self._clock() - self._fetched > _KEPT_SECONDS
            if wanted and self._clock() - self._tried > _ASKED_AGAIN_SECONDS:
                self._try_to_fetch()
            current = self._clock() - self._fetched <= _KEPT_AT_MOST_SECONDS
            key = self._keys.get(kid) if current else None
            if key is None and not self._answered:
                raise Transient("issuer-unavailable", "the token issuer's keys cannot be fetched")
            return key

    def _try_to_fetch(self) -> None:
        keys = self._fetch_keys()
        self._tried = self._clock()
        self._answered = keys is not None
        if keys is not None:
            self._keys, self._fetched = keys, self._tried

    def _fetch_keys(self) -> dict[str, jwt.PyJWK] | None:
        """The issuer's keys; None where it does not answer as it should."""
        try:
            about = _fetch(f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            found = _fetch(str(about["jwks_uri"]))
            keys = [each for each in found["keys"] if each.get("use", "sig") == "sig" and "kid" in each]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        usable = {}
        for each in keys:
            try:
                key = jwt.PyJWK(each)
            except jwt.PyJWTError:
                continue  # of a kind that we do not take
            if key.algorithm_name in _ALGORITHMS:
                usable[str(each["kid"])] = key
        return usable


def _fetch(url: str) -> dict[str, Any]:
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError("an issuer is reached by https")
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 (see above)
        body = answer.read(_MOST_BYTES + 1)
    if len(body) > _MOST_BYTES:
        raise ValueError("too long")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _caller(claims: Mapping[str, Any]) -> Caller:
    """``scope`` and ``cognito:groups`` say what is allowed: ``dropload/read``, ``dropload:read`` or ``dropload.read``.

    ``dropload_datasets`` (a list, or words) says on what, where it is not everything.
    """
    words = [*_words(claims.get("scope")), *_words(claims.get("cognito:groups"))]
    mine = [word[len("dropload") + 1 :] for word in words if word.startswith(("dropload/", "dropload:", "dropload."))]
    datasets = claims.get("dropload_datasets")
    subject = str(claims["sub"])
    return Caller(
        id=f"{claims['iss']}#{subject}",
        name=subject,
        scopes=scopes_of(mine),
        datasets=None if datasets is None else frozenset(_words(datasets)),
    )


def _words(claim: Any) -> list[str]:
    if isinstance(claim, str):
        return claim.split()
    return [str(each) for each in claim] if isinstance(claim, list) else []

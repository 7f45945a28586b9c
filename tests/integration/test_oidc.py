"""Tokens of an OpenID Connect issuer: only its own, only for us, only while they are valid."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.adapters.oidc import OidcTokens
from chalicelib.config import Oidc
from chalicelib.core.access import Caller, Scope
from chalicelib.errors import Transient

AUDIENCE = "dropload-api"


class Issuer:
    """An issuer on loopback, whose keys may change; it counts how often it was asked for them."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.keys: dict[str, Any] = {"first": rsa.generate_private_key(65537, 2048)}
        self.asked = 0
        self.well = True

    def jwks(self) -> dict[str, Any]:
        keys = []
        for kid, key in self.keys.items():
            algorithm = jwt.algorithms.get_default_algorithms()[
                "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
            ]
            entry = json.loads(algorithm.to_jwk(key.public_key()))
            keys.append({**entry, "kid": kid, "use": "sig", "alg": "RS256" if entry["kty"] == "RSA" else "ES256"})
        return {"keys": keys}

    def token(self, *, kid: str = "first", key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        """A token that is good, but for what is said."""
        good = {
            "iss": self.url,
            "sub": "somebody",
            "aud": AUDIENCE,
            "exp": time.time() + 300,
            "scope": "openid dropload/read dropload/write",
        }
        given = {name: value for name, value in {**good, **claims}.items() if value is not None}
        return jwt.encode(given, key or self.keys[kid], algorithm=algorithm, headers={"kid": kid})


@contextmanager
def serving() -> Iterator[Issuer]:
    issuer: Issuer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/.well-known/openid-configuration":
                answer = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"}
            else:
                issuer.asked += 1
                answer = issuer.jwks() if issuer.well else {}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with serving() as made:
        yield made


@pytest.fixture
def tokens(issuer: Issuer) -> OidcTokens:
    return OidcTokens(Oidc(issuer.url, AUDIENCE))


def test_token_opens_what_it_says(issuer: Issuer, tokens: OidcTokens) -> None:
    found = tokens.check(issuer.token(dropload_datasets=["members"]))
    scopes = frozenset({Scope.READ, Scope.WRITE})
    assert found == Caller(f"{issuer.url}#somebody", "somebody", scopes, frozenset({"members"}))


def test_groups_and_clients_of_cognito_are_understood(issuer: Issuer, tokens: OidcTokens) -> None:
    groups: dict[str, Any] = {"cognito:groups": ["dropload.admin", "staff"]}
    token = issuer.token(scope=None, aud=None, client_id=AUDIENCE, **groups)
    found = tokens.check(token)
    assert found is not None
    assert (found.scopes, found.datasets) == (frozenset({Scope.ADMIN}), None)


def test_token_without_our_scopes_opens_nothing_but_is_known(issuer: Issuer, tokens: OidcTokens) -> None:
    found = tokens.check(issuer.token(scope="openid read write admin elsewhere/admin"))
    assert found is not None
    assert found.scopes == frozenset()


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": time.time() - 3600},
        {"exp": None},
        {"nbf": time.time() + 3600},
        {"aud": "somebody-else"},
        {"aud": None},
        {"aud": None, "client_id": "somebody-else"},
        {"iss": "https://issuer.example.com"},
        {"iss": None},
        {"sub": None},
        {"kid": "unknown", "key": rsa.generate_private_key(65537, 2048)},
        {"key": rsa.generate_private_key(65537, 2048)},
        {"key": ec.generate_private_key(ec.SECP256R1()), "algorithm": "ES256"},
        {"key": "public text as a secret, thirty-two bytes long or more", "algorithm": "HS256"},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_token_that_is_wrong_in_one_way_opens_nothing(
    issuer: Issuer, tokens: OidcTokens, wrong: dict[str, Any]
) -> None:
    assert tokens.check(issuer.token(**wrong)) is None


def test_unsigned_token_opens_nothing(issuer: Issuer, tokens: OidcTokens) -> None:
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    assert tokens.check(jwt.encode(claims, "", algorithm="none", headers={"kid": "first"})) is None
    assert tokens.check(issuer.token().rpartition(".")[0] + ".") is None


def test_public_key_is_no_secret_to_sign_with(issuer: Issuer, tokens: OidcTokens) -> None:
    payload = issuer.token().split(".")[1]
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"first"}').rstrip(b"=").decode()
    public = issuer.keys["first"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signature = hmac.digest(public, f"{header}.{payload}".encode(), "sha256")
    assert tokens.check(f"{header}.{payload}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}") is None


@pytest.mark.parametrize(
    "token", ["a.b.c", "..", "e30.e30.e30", "é.é.é", "x" * 5000 + "..", "eyJhbGciOiJSUzI1NiJ9.W10.AA"]
)
def test_nonsense_opens_nothing(tokens: OidcTokens, token: str) -> None:
    assert tokens.check(token) is None


def test_clocks_may_differ_a_little(issuer: Issuer, tokens: OidcTokens) -> None:
    assert tokens.check(issuer.token(exp=time.time() - 10)) is not None


def test_keys_are_asked_for_once_and_again_for_a_new_one_but_not_for_each_invented_one() -> None:
    now = [1000.0]
    with serving() as issuer:
        tokens = OidcTokens(Oidc(issuer.url, AUDIENCE), clock=lambda: now[0])
        assert tokens.check(issuer.token()) is not None
        assert tokens.check(issuer.token()) is not None
        assert issuer.asked == 1
        stranger = rsa.generate_private_key(65537, 2048)
        for number in range(20):
            assert tokens.check(issuer.token(kid=f"invented-{number}", key=stranger)) is None
        assert issuer.asked == 1
        now[0] += 60
        issuer.keys["second"] = ec.generate_private_key(ec.SECP256R1())
        assert tokens.check(issuer.token(kid="second", algorithm="ES256")) is not None
        assert issuer.asked == 2


def test_issuer_that_does_not_answer_is_a_passing_trouble() -> None:
    with serving() as issuer:
        token = issuer.token()
    with pytest.raises(Transient, match="keys cannot be fetched"):
        OidcTokens(Oidc(issuer.url, AUDIENCE)).check(token)


def test_issuer_that_does_not_answer_is_asked_every_half_minute_at_most() -> None:
    now = [1000.0]
    with serving() as issuer:
        issuer.well = False
        tokens = OidcTokens(Oidc(issuer.url, AUDIENCE), clock=lambda: now[0])
        for _ in range(5):
            with pytest.raises(Transient, match="keys cannot be fetched"):
                tokens.check(issuer.token())
        assert issuer.asked == 1
        now[0] += 31
        issuer.well = True
        assert tokens.check(issuer.token()) is not None
        assert issuer.asked == 2


def test_known_keys_open_for_a_day_while_the_issuer_does_not_answer() -> None:
    now = [1000.0]
    with serving() as issuer:
        tokens = OidcTokens(Oidc(issuer.url, AUDIENCE), clock=lambda: now[0])
        assert tokens.check(issuer.token()) is not None
        issuer.well = False
        issuer.keys["second"] = ec.generate_private_key(ec.SECP256R1())
        for hours in (2, 23):
            now[0] = 1000 + hours * 3600.0
            assert tokens.check(issuer.token()) is not None
            with pytest.raises(Transient):
                tokens.check(issuer.token(kid="second", algorithm="ES256"))
        now[0] = 1000 + 24 * 3600 + 1
        with pytest.raises(Transient):
            tokens.check(issuer.token())
        issuer.well = True
        now[0] += 31
        assert tokens.check(issuer.token()) is not None
        assert issuer.asked == 5


def test_issuer_is_reached_by_https_only() -> None:
    with pytest.raises(Transient):
        OidcTokens(Oidc("http://issuer.example.com", AUDIENCE)).check(
            jwt.encode({"sub": "x"}, rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": "x"})
        )

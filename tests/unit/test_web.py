"""What goes to other people's servers, on a real one."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.adapters.web import PublicWeb
from chalicelib.errors import Transient, UrlRefused
from tests.webserver import AUTHORITY, Handler, WebServer, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
    with serving() as server:
        yield server


def got(web: PublicWeb, url: str, *, redirects: int = 0, seconds: float = 10) -> tuple[int, bytes]:
    with web.open(url, seconds=seconds, redirects=redirects) as answer:
        return answer.status, b"".join(answer.chunks(1000))


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Has every name lead to these addresses, all at once; the names that were asked for."""
    asked = []

    def answer(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [
            (socket.AF_INET6, 1, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, 1, 6, "", (address, port))
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def test_an_answer_comes_as_it_was_sent(server: WebServer) -> None:
    server.answers["/file.csv"] = lambda handler: handler.send(b"a,b\n" * 10_000)
    assert got(PublicWeb([server.origin]), f"{server.origin}/file.csv?sig=1") == (200, b"a,b\n" * 10_000)
    method, path, headers, _ = server.requests[0]
    assert (method, path) == ("GET", "/file.csv?sig=1")
    assert headers["host"] == f"localhost:{server.port}"
    assert headers["accept-encoding"] == "identity"


def test_a_body_and_headers_are_posted(server: WebServer) -> None:
    server.answers["/hook"] = lambda handler: handler.send(b"thanks" * 1000, 202)
    body, headers = b"x" * 300_000, {"webhook-id": "1", "Content-Type": "application/json"}
    with PublicWeb([server.origin]).open(
        f"{server.origin}/hook", method="POST", headers=headers, body=body, seconds=10
    ) as answer:
        assert answer.status == 202
        assert answer.read(6) == b"thanks"
    method, _, sent, received = server.requests[0]
    assert (method, received, sent["webhook-id"]) == ("POST", body, "1")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
    ],
)
def test_addresses_of_ours_are_refused_however_they_are_written(server: WebServer, host: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        got(PublicWeb(), f"https://{host}:{server.port}/")
    assert refused.value.code in ("address-refused", "no-such-host")
    assert server.requests == []


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.0.0.5"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["fd00:ec2::254"]]
)
def test_a_name_that_leads_to_one_is_refused(
    server: WebServer, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    resolve_to(monkeypatch, *addresses)
    with pytest.raises(UrlRefused, match="address-refused"):
        got(PublicWeb(), f"https://innocent.example:{server.port}/")
    assert server.requests == []


def test_a_name_is_looked_up_once_and_what_was_found_is_connected_to(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = PublicWeb([server.origin])
    asked = resolve_to(monkeypatch, "127.0.0.1")
    server.answers["/"] = lambda handler: handler.send(b"here")
    assert got(web, server.origin) == (200, b"here")
    assert asked == ["localhost"]


def test_the_next_of_a_hosts_addresses_is_tried(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    server.answers["/"] = lambda handler: handler.send(b"here")
    assert got(PublicWeb([server.origin]), server.origin) == (200, b"here")


def test_nothing_goes_out_without_tls() -> None:
    with serving(tls=False) as server:
        with pytest.raises(UrlRefused, match="not-https"):
            got(PublicWeb(), server.origin)
        with pytest.raises(UrlRefused, match="not-https"):
            got(PublicWeb([server.origin.replace("http:", "https:")]), server.origin)
        server.answers["/"] = lambda handler: handler.send(b"plain")
        assert got(PublicWeb([server.origin]), server.origin) == (200, b"plain")


def test_a_server_must_prove_to_be_the_host(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    other = f"https://127.0.0.1:{server.port}"
    with pytest.raises(UrlRefused, match="bad-certificate"):
        got(PublicWeb([other]), other)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(UrlRefused, match="bad-certificate"):
        got(PublicWeb([server.origin]), server.origin)
    assert server.requests == []


def redirect(to: str, status: int = 302) -> Any:
    return lambda handler: handler.send(b"elsewhere", status, Location=to)


def test_redirects_are_followed_as_far_as_was_said(server: WebServer) -> None:
    web = PublicWeb([server.origin])
    for number in range(5):
        server.answers[f"/{number}"] = redirect(f"/{number + 1}?secret", 301 + number % 3)
    server.answers["/5"] = lambda handler: handler.send(b"there")
    assert got(web, f"{server.origin}/0", redirects=5) == (200, b"there")
    with pytest.raises(UrlRefused, match="too-many-redirects"):
        got(web, f"{server.origin}/0", redirects=4)
    assert got(web, f"{server.origin}/0") == (301, b"elsewhere")


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("https://127.0.0.1:1/latest/meta-data", "address-refused"),
        ("//169.254.169.254/", "address-refused"),
        ("http://example.com/", "not-https"),
        ("file:///etc/passwd", "bad-url"),
        ("https://user:pw@example.com/", "bad-url"),
    ],
)
def test_a_redirect_is_checked_as_the_first_url_is(server: WebServer, to: str, code: str) -> None:
    server.answers["/"] = redirect(to)
    with pytest.raises(UrlRefused, match=code):
        got(PublicWeb([server.origin]), server.origin, redirects=5)


def test_a_redirect_from_plain_to_secure_is_followed_and_not_back(server: WebServer) -> None:
    server.answers["/"] = lambda handler: handler.send(b"there")
    with serving(tls=False) as plain:
        web = PublicWeb([plain.origin, server.origin])
        plain.answers["/"] = redirect(server.origin)
        assert got(web, plain.origin, redirects=1) == (200, b"there")
        server.answers["/"] = redirect(plain.origin)
        with pytest.raises(UrlRefused, match="not-https"):
            got(web, server.origin, redirects=1)


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(500):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.02)


def drip_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(500):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.02)


@pytest.mark.parametrize("slowly", [drip, drip_headers])
def test_who_sends_byte_by_byte_does_not_hold_us_longer_than_we_said(server: WebServer, slowly: Any) -> None:
    server.answers["/"] = slowly
    started = time.monotonic()
    with pytest.raises(Transient, match="web-timeout"):
        got(PublicWeb([server.origin]), server.origin, seconds=0.5)
    assert time.monotonic() - started < 5


def test_who_never_says_a_word_does_not_either() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://localhost:{mute.getsockname()[1]}"
        with pytest.raises(Transient, match="web-timeout"):
            got(PublicWeb([url]), url, seconds=0.3)


def test_a_body_that_breaks_off_is_not_taken_for_whole(server: WebServer) -> None:
    def short(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 600)
        handler.close_connection = True

    def endless(handler: Handler) -> None:  # no length: only a proper end of TLS says that this is all
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 600)
        handler.close_connection = True

    def chunked(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 600)
        handler.close_connection = True

    for answer in (short, endless, chunked):
        server.answers["/"] = answer
        with pytest.raises(Transient, match="web-trouble"):
            got(PublicWeb([server.origin]), server.origin)


def test_a_server_that_is_down_or_talks_nonsense_is_a_passing_trouble(server: WebServer) -> None:
    def other_protocol(handler: Handler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")

    server.answers["/"] = other_protocol
    with pytest.raises(Transient, match="web-trouble"):
        got(PublicWeb([server.origin]), server.origin)
    with pytest.raises(Transient, match="web-trouble"):
        got(PublicWeb(["https://localhost:1"]), "https://localhost:1/")


def test_no_error_tells_a_query(server: WebServer) -> None:
    server.answers["/"] = redirect("https://127.0.0.1:1/?secret")
    for url in (f"{server.origin}/?secret", "https://localhost:1/?secret"):
        with pytest.raises((UrlRefused, Transient)) as refused:
            got(PublicWeb([server.origin]), url, redirects=3)
        assert "secret" not in str(refused.value)


def test_no_proxy_of_the_environment_is_used(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    server.answers["/"] = lambda handler: handler.send(b"straight")
    assert got(PublicWeb([server.origin]), server.origin) == (200, b"straight")

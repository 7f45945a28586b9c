"""HTTPS to other people's servers, in reach of anyone who can give us a URL: see ``services.web_ports``."""

import http.client
import socket
import ssl
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import urljoin

from chalicelib.adapters.sockets import TimedTlsSocket, connected, secured
from chalicelib.core.addresses import Url, is_public, origin_of, parse_url
from chalicelib.errors import Transient, UrlRefused

_CONNECT_SECONDS = 10.0  # to one of a host's addresses
_MOST_ADDRESSES = 4  # of one host that are tried
_REDIRECTS = (301, 302, 303, 307, 308)
_NO_SUCH_HOST = (socket.EAI_NONAME, socket.EAI_FAIL)
_AGENT = "dropload/1"


class PublicWeb:
    """No proxy, no cookies, no password: only what is asked for goes to only where it was asked to go.

    ``private_origins`` are the exceptions: origins (``https://host:port``) that may be at any address, and without TLS
    where they begin with ``http://``.
    """

    def __init__(self, private_origins: Collection[str] = ()) -> None:
        self._private = frozenset(map(origin_of, private_origins))

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sslsocket_class = TimedTlsSocket
        return context

    @contextmanager
    def open(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
        seconds: float,
        redirects: int = 0,
    ) -> Iterator["HttpAnswer"]:
        """See ``services.web_ports.Web``."""
        ends = time.monotonic() + seconds
        with ExitStack() as opened:
            where = parse_url(url)
            for left in range(redirects, -1, -1):
                answer = opened.enter_context(self._ask(where, method, headers, body, ends))
                if not redirects or answer.status not in _REDIRECTS:
                    yield answer
                    return
                if left:
                    where = _next(where, answer)
                    opened.close()
        raise UrlRefused("too-many-redirects", f"the server redirects more than {redirects} times")

    @contextmanager
    def _ask(
        self, url: Url, method: str, headers: Mapping[str, str], body: bytes | None, ends: float
    ) -> Iterator["HttpAnswer"]:
        connection = http.client.HTTPConnection(url.host, url.port)
        connection.auto_open = 0  # to nowhere but where it is connected to
        try:
            with talking(url):
                connection.sock = self._connect(url, ends)
                connection.request(
                    method,
                    url.path,
                    body,
                    {
                        "Host": url.authority,
                        "User-Agent": _AGENT,
                        "Accept-Encoding": "identity",
                        "Connection": "close",
                        **headers,
                    },
                )
                answer = HttpAnswer(connection.getresponse(), url)
            yield answer
        finally:
            connection.close()

    def _connect(self, url: Url, ends: float) -> socket.socket:
        """A connection to the first of the host's addresses that takes one. All of them must be public."""
        private = url.origin in self._private
        if url.scheme != "https" and not private:
            raise UrlRefused("not-https", "the URL must begin with https://")
        addresses = _resolve(url)
        if not private and not all(is_public(str(address[0])) for _, address in addresses):
            raise UrlRefused("address-refused", f"{url.host} is not an address on the public internet")
        failed: OSError | None = None
        for family, address in addresses[:_MOST_ADDRESSES]:
            try:
                plain = connected(address, family, min(ends, time.monotonic() + _CONNECT_SECONDS))
            except OSError as error:
                failed = error
                continue
            plain.ends = ends
            return secured(plain, self._tls, url.host) if url.scheme == "https" else plain
        raise failed or OSError("no address")


class HttpAnswer:
    """See ``services.web_ports.Answer``."""

    def __init__(self, response: http.client.HTTPResponse, url: Url) -> None:
        self._response = response
        self._url = url
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.getheaders()}
        self.url = url.shown

    def chunks(self, most_bytes: int) -> Iterator[bytes]:
        while chunk := self.read(most_bytes):
            yield chunk
        if self._response.length:  # http.client takes an early end for the end
            raise Transient("web-trouble", f"{self._url.host} broke off {self._response.length} bytes before the end")

    def read(self, most_bytes: int) -> bytes:
        with talking(self._url):
            return self._response.read(most_bytes)


def _resolve(url: Url) -> list[tuple[int, tuple[Any, ...]]]:
    """(family, address to connect to) of a host, in the order of preference. Raises OSError where it has none."""
    found = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


def _next(url: Url, answer: HttpAnswer) -> Url:
    location = answer.headers.get("location", "")
    target = parse_url(urljoin(url.origin + url.path, location))
    if url.scheme == "https" and target.scheme != "https":
        raise UrlRefused("not-https", "the server redirects to a URL that does not begin with https://")
    return target


@contextmanager
def talking(url: Url) -> Iterator[None]:
    """Turns what can happen on the way to a server into our errors; their messages name the host, and nothing else.

    Raises:
        UrlRefused: there is no such host, or it cannot prove to be that.
        Transient: all else.
    """
    try:
        yield
    except socket.gaierror as error:
        if error.errno in _NO_SUCH_HOST:
            raise UrlRefused("no-such-host", f"there is no host {url.host}") from None
        raise Transient("web-trouble", f"{url.host} cannot be looked up now") from None
    except ssl.SSLCertVerificationError as error:
        raise UrlRefused("bad-certificate", f"{url.host} has no valid certificate: {error.verify_message}") from None
    except TimeoutError:
        raise Transient("web-timeout", f"{url.host} took too long") from None
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise Transient("web-trouble", f"talking to {url.host}: {type(error).__name__}") from None

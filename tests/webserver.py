"""A web server of the tests, on loopback, with or without TLS: what somebody else's might answer."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CERTIFICATES = Path(__file__).parent / "certificates"
AUTHORITY = CERTIFICATES / "authority.pem"
"""What ``SSL_CERT_FILE`` must name for the server to be believed."""

Answering = Callable[["Handler"], None]


@dataclass
class WebServer:
    """``answers`` has what is answered to each path; all else is 404. ``requests`` are those that came, with bodies."""

    port: int
    scheme: str
    answers: dict[str, Answering] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"


class Handler(BaseHTTPRequestHandler):
    """One request; ``send`` answers it whole."""

    protocol_version = "HTTP/1.1"
    web: WebServer

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.web.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        answer = self.web.answers.get(self.path.partition("?")[0], _not_found)
        with suppress(OSError):
            answer(self)

    do_GET = do_POST = answer  # noqa: N815

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _not_found(handler: Handler) -> None:
    handler.send(b"", 404)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever breaks off while TLS is begun is a case of the tests."""


@contextmanager
def serving(*, tls: bool = True, port: int = 0) -> Iterator[WebServer]:
    """A server until the block ends; by TLS it proves to be ``localhost``, and nothing else."""

    class OwnHandler(Handler):
        pass

    server = _Server(("127.0.0.1", port), OwnHandler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / "localhost.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    web = WebServer(server.server_port, "https" if tls else "http")
    OwnHandler.web = web
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

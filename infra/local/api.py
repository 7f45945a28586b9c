"""Serves the API on loopback with chalice's local server: ``python -m infra.local.api PORT``.

What API Gateway would answer itself (no key, wrong key, no such route) comes from the same lines of the template.
"""

import logging
import sys
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from chalice.cli.factory import CLIFactory
from chalice.local import (
    ChaliceRequestHandler,
    ForbiddenError,
    InvalidAuthorizerError,
    LocalDevServer,
    LocalGateway,
    LocalGatewayException,
    NotAuthorizedError,
    create_local_server,
)

from chalicelib.api.problems import problem
from chalicelib.errors import DroploadError
from infra.local.packaging import STAGE, read_template
from infra.local.paths import ROOT

MAX_BODY_BYTES = 10 * 1024 * 1024
"""What API Gateway takes."""
_BACKLOG = 128  # of clients that connect at once; chalice's server has 5
GATEWAY_RESPONSES = read_template()["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]


class TooLargeError(LocalGatewayException):
    """A body is larger than API Gateway takes."""

    CODE = 413


class Gateway(LocalGateway):
    """Chalice's, but that it refuses what API Gateway refuses."""

    def handle_request(self, method: str, path: str, headers: Any, body: bytes | None) -> Any:
        """Raises LocalGatewayException for what is answered without our code."""
        if body is not None and len(body) > MAX_BODY_BYTES:
            raise TooLargeError({}, b"")
        try:
            return super().handle_request(method, path, headers, body)
        except DroploadError:  # of the authorizer: routes answer for themselves
            raise InvalidAuthorizerError({}, b"") from None


class RequestHandler(ChaliceRequestHandler):
    """Chalice's, but for the gateway's own answers, and for a log without query strings."""

    # An answer goes out at once and in one piece; else its body waits for the client to acknowledge its head.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def __init__(self, request: Any, client_address: Any, server: Any, app_object: Any, config: Any) -> None:
        self.local_gateway = Gateway(app_object, config)
        BaseHTTPRequestHandler.__init__(self, request, client_address, server)

    def _parse_payload(self) -> Any:
        _, body = super()._parse_payload()
        return {name: ", ".join(self.headers.get_all(name, [])) for name in self.headers}, body

    def _send_error_response(self, error: LocalGatewayException) -> None:
        answer = GATEWAY_RESPONSES[_response_type(error)]
        headers = {name: value.strip("'") for name, value in answer["ResponseParameters"]["Headers"].items()}
        self._send_http_response(answer["StatusCode"], headers, answer["ResponseTemplates"]["application/json"])

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the server itself refuses: requests that are none, methods that are nowhere."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        answer = problem(status, "bad-request", status.description or status.phrase)
        self._send_http_response(status, {str(k): str(v) for k, v in answer.headers.items()}, answer.body)
        self.wfile.flush()  # the server does that only after methods that it knows

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Log method, path and status."""
        path = getattr(self, "path", "-")  # of a request line that is none, or too long, there is none
        self.log_message("%s %s %s", self.command, path.partition("?")[0], int(code))


def make_server(port: int) -> LocalDevServer:
    """A server of the API on a port of 127.0.0.1, listening but not yet answering.

    Raises OSError when the port is taken.
    """
    config = CLIFactory(str(ROOT)).create_config_obj(chalice_stage_name=STAGE)
    server = create_local_server(config.chalice_app, config, "127.0.0.1", port)
    handler: Any = partial(RequestHandler, app_object=config.chalice_app, config=config)
    server.server.RequestHandlerClass = handler
    server.server.socket.listen(_BACKLOG)
    return server


def _response_type(error: LocalGatewayException) -> str:
    if isinstance(error, NotAuthorizedError):
        return "UNAUTHORIZED"
    if isinstance(error, InvalidAuthorizerError):
        return "AUTHORIZER_FAILURE"
    if isinstance(error, TooLargeError):
        return "REQUEST_TOO_LARGE"
    # chalice raises the same for a route that does not exist, but says so in a header
    denied = error.headers.get("x-amzn-ErrorType") == "AccessDeniedException"
    return "ACCESS_DENIED" if isinstance(error, ForbiddenError) and denied else "MISSING_AUTHENTICATION_TOKEN"


def main() -> None:
    """Serve until killed."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    make_server(int(sys.argv[1])).serve_forever()


if __name__ == "__main__":
    main()

"""``Idempotency-Key``: a POST that is sent again does nothing again, and is answered as it was."""

import hashlib
import re
from collections.abc import Callable
from urllib.parse import unquote

from chalice import Response

from chalicelib.api.problems import as_problems
from chalicelib.api.requests import Request
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller
from chalicelib.errors import RequestRefused
from chalicelib.services.idempotency import Asked, Given

HEADER = "idempotency-key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def answered_once(
    request: Request, caller: Caller | None, answer: Callable[[Asked | None], Response], *, keeps: bool
) -> Response:
    """The answer, given before or now; ``keeps`` is whether its body may be kept.

    Raises:
        RequestRefused: 400, the key is none; else as ``Idempotency.once``.
    """
    key = request.headers.get(HEADER)
    if key is None or caller is None:
        return answer(None)
    if not _KEY.fullmatch(key):
        raise RequestRefused(400, "bad-idempotency-key", "an Idempotency-Key is 1 to 255 printable ASCII characters")
    path = "\0".join([request.method, request.path, *request.arguments.values()])
    digest = hashlib.sha256(path.encode() + b"\0" + request.body).digest()

    asked = Asked(caller.id, key, digest, _dataset(request))

    def serve() -> Given:
        response = as_problems(answer)(asked)
        return Given(digest, response.status_code, {k: str(v) for k, v in response.headers.items()}, response.body)

    given = container().idempotency.once(asked, serve, keeps_body=keeps)
    return Response(body=given.body, status_code=given.status or 200, headers=dict(given.headers))


def _dataset(request: Request) -> str | None:
    named = request.path.startswith("/v1/datasets/{name}")
    return unquote(request.arguments["name"]) if named else None

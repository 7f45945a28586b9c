"""Errors in one shape: problem+json (RFC 9457), also for what Chalice itself refuses."""

import json
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

from chalice import Response

from chalicelib.errors import RequestRefused, Transient

PROBLEM = "application/problem+json"
_CHALICES = {
    405: ("method-not-allowed", "this route does not take this method"),
    415: ("unsupported-media-type", "send application/json"),
}

log = logging.getLogger("dropload.api")


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """``code`` is a stable word for programs, ``detail`` a sentence for people."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    return Response(
        body=json.dumps(body, ensure_ascii=False),
        status_code=status,
        headers={"Content-Type": PROBLEM, "Cache-Control": "no-store", **(headers or {})},
    )


def as_problems(function: Callable[..., Response]) -> Callable[..., Response]:
    """``function``, answering with the problem that it raises."""

    @wraps(function)
    def route(*args: Any, **kwargs: Any) -> Response:
        try:
            return function(*args, **kwargs)
        except RequestRefused as refused:
            return problem(refused.status, refused.code, refused.message, refused.headers, **refused.more)
        except Transient as trouble:
            return problem(503, trouble.code, trouble.message, headers={"Retry-After": "5"})
        except Exception:
            log.exception("a request failed")
            return problem(500, "internal-error", "something went wrong on our side; it has been logged")

    return route


def chalices_as_problems(request: Any, get_response: Callable[[Any], Response]) -> Response:
    """Chalice's middleware: what it refuses before a route is asked looks like a problem, too."""
    response = get_response(request)
    if response.status_code < 400 or response.headers.get("Content-Type") == PROBLEM:
        return response
    code, detail = _CHALICES.get(response.status_code, ("bad-request", "the request was refused"))
    kept = {name: str(value) for name, value in response.headers.items() if name == "Allow"}
    return problem(response.status_code, code, detail, kept)

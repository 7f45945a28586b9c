"""What was sent, as models, and answers in JSON.

Chalice keeps the request on the app, which threads share; here each has its own.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from chalice import Response
from pydantic import BaseModel, ValidationError

from chalicelib.core.access import Caller, scopes_of
from chalicelib.errors import RequestRefused

JSON = "application/json"
MAX_BODY_BYTES = 5 * 1024 * 1024
"""Lambda takes no more than 6 MB, in which a body may be wrapped in base64."""
ALL_DATASETS = "*"

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Request:
    """A request. ``path`` is the route's, ``asked`` the one that was sent, with the stage before it on AWS.

    Headers' names are in lower case, ``query`` has every value of each name.
    """

    method: str
    path: str
    asked: str
    arguments: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    caller: Caller | None


_current: ContextVar[Request] = ContextVar("request")


def current_request() -> Request:
    """The request that this thread answers."""
    return _current.get()


def receive(request: Any, get_response: Callable[[Any], Response]) -> Response:
    """Chalice's middleware: the request is this thread's own while it is answered."""
    event = request.to_original_event()
    context = event["requestContext"]
    token = _current.set(
        Request(
            method=context["httpMethod"],
            path=context["resourcePath"],
            asked=context.get("path") or "/",
            arguments=event["pathParameters"] or {},
            query=event["multiValueQueryStringParameters"] or {},
            headers=_headers(event),
            body=_body(event),
            caller=_caller(context.get("authorizer")),
        )
    )
    try:
        return get_response(request)
    finally:
        _current.reset(token)


def as_context(caller: Caller) -> dict[str, str]:
    """What the authorizer hands on of a caller; API Gateway carries text only."""
    datasets = ALL_DATASETS if caller.datasets is None else " ".join(sorted(caller.datasets))
    return {"id": caller.id, "name": caller.name, "scopes": " ".join(sorted(caller.scopes)), "datasets": datasets}


def json_response(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer that no cache keeps."""
    return Response(
        body=json.dumps(body, ensure_ascii=False),
        status_code=status,
        headers={"Content-Type": JSON, "Cache-Control": "no-store", **(headers or {})},
    )


def accepted(thing: Mapping[str, Any], status: int = 202) -> Response:
    """A thing that was begun, or made; ``Location`` leads to it."""
    return json_response(thing, status, {"Location": thing["links"]["self"]})


def parse_query(model: type[Model], request: Request) -> Model:
    """The query parameters as a model.

    Raises:
        RequestRefused: 400, naming every parameter that is wrong, unknown or given twice. Values are not repeated.
    """
    twice = sorted(name for name, values in request.query.items() if len(values) > 1)
    if twice:
        raise RequestRefused(400, "bad-parameter", f"given more than once: {', '.join(twice)[:200]}")
    try:
        return model.model_validate({name: values[0] for name, values in request.query.items()})
    except ValidationError as error:
        raise RequestRefused(400, "bad-parameter", _wrong(error)) from None


def parse_body(model: type[Model], request: Request) -> Model:
    """The body's JSON as a model; an empty body is an empty object.

    Raises:
        RequestRefused: 400, naming every member that is wrong or unknown; 413. Values are not repeated.
    """
    check_size(request)
    try:
        return model.model_validate_json(request.body or b"{}")
    except ValidationError as error:
        raise RequestRefused(400, "bad-body", _wrong(error)) from None


def check_size(request: Request) -> None:
    """Raises RequestRefused: 413, the body is larger than any may be."""
    if len(request.body) > MAX_BODY_BYTES:
        raise RequestRefused(413, "too-large", f"a body may have at most {MAX_BODY_BYTES} bytes")


def _wrong(error: ValidationError) -> str:
    wrong = [(".".join(map(str, item["loc"])), item["msg"]) for item in error.errors(include_input=False)]
    return "; ".join(f"{where[:100]}: {what}" if where else what for where, what in wrong[:20])


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """By names in lower case. Of one that was sent twice Lambda shows the last alone; together they are what it says
    (RFC 9110, 5.3), and no key, tag or token any more."""
    several = event.get("multiValueHeaders") or {name: [value] for name, value in (event["headers"] or {}).items()}
    return {name.lower(): ", ".join(values) for name, values in several.items()}


def _body(event: Mapping[str, Any]) -> bytes:
    body = event["body"]
    if body is None or isinstance(body, bytes):
        return body or b""
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error:
            return b""
    return str(body).encode()


def _caller(context: Mapping[str, Any] | None) -> Caller | None:
    if not context or "scopes" not in context:
        return None
    datasets = context["datasets"]
    return Caller(
        id=context["id"],
        name=context["name"],
        scopes=scopes_of(context["scopes"].split()),
        datasets=None if datasets == ALL_DATASETS else frozenset(datasets.split()),
    )

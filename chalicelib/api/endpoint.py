"""From a route's function to an answer: JSON, or a problem (RFC 9457), in one shape everywhere."""

import json
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from chalice import Response
from pydantic import BaseModel, ValidationError

from chalicelib.errors import RequestRefused, Transient

JSON = "application/json"
PROBLEM = "application/problem+json"

Model = TypeVar("Model", bound=BaseModel)
log = logging.getLogger("dropload.api")


def endpoint(function: Callable[..., Mapping[str, Any] | Response]) -> Callable[..., Response]:
    """The route that answers with what ``function`` returns, or with the problem that it raises."""

    @wraps(function)
    def route(*args: Any, **kwargs: Any) -> Response:
        try:
            answer = function(*args, **kwargs)
        except RequestRefused as refused:
            return problem(refused.status, refused.code, refused.message)
        except Transient as trouble:
            return problem(503, trouble.code, trouble.message, headers={"Retry-After": "5"})
        except Exception:
            log.exception("a request failed")
            return problem(500, "internal-error", "something went wrong on our side; it has been logged")
        return answer if isinstance(answer, Response) else json_response(answer)

    return route


def json_response(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer that no cache keeps."""
    return Response(
        body=json.dumps(body, ensure_ascii=False),
        status_code=status,
        headers={"Content-Type": JSON, "Cache-Control": "no-store", **(headers or {})},
    )


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """RFC 9457: ``code`` is a stable word for programs, ``detail`` a sentence for people."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    return Response(
        body=json.dumps(body, ensure_ascii=False),
        status_code=status,
        headers={"Content-Type": PROBLEM, "Cache-Control": "no-store", **(headers or {})},
    )


def parse_query(model: type[Model], query: Mapping[str, str] | None) -> Model:
    """A request's query parameters as a model.

    Raises:
        RequestRefused: 400, naming every parameter that is wrong or unknown. Their values are not repeated.
    """
    try:
        return model.model_validate(dict(query or {}))
    except ValidationError as error:
        raise RequestRefused(400, "bad-parameter", _wrong(error)) from None


def parse_body(model: type[Model], body: bytes | str) -> Model:
    """A request's JSON as a model; an empty body is an empty object.

    Raises:
        RequestRefused: 400, naming every member that is wrong or unknown. Their values are not repeated.
    """
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise RequestRefused(400, "bad-body", _wrong(error)) from None


def _wrong(error: ValidationError) -> str:
    wrong = [(".".join(map(str, item["loc"])), item["msg"]) for item in error.errors(include_input=False)]
    return "; ".join(f"{where}: {what}" if where else what for where, what in wrong)


def parse_id(text: str) -> UUID:
    """A job's id from a path.

    Raises:
        RequestRefused: 404, since nothing has an id that is none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise RequestRefused(404, "not-found", "there is nothing with this id") from None

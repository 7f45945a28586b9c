"""Routes as declarations: from one come the authorization, the parsing of what was sent, and the OpenAPI document.

::

    routes = Routes(__name__)

    @routes.get("/v1/jobs/{id}", Scope.READ, answers={200: Job}, refuses=(404,))
    def get_job(caller: Caller, id: UUID, query: JobQuery) -> Answer:
        \"\"\"One job; with ``wait`` as soon as it changes.\"\"\"
        return container().jobs.get(caller, id, wait=query.wait)

A function gets what its parameters are annotated with: ``caller: Caller``, ``query`` and ``body`` as models,
``request`` as the bare ``Request`` (headers, raw body), ``asked: Asked | None`` as what was asked with an
``Idempotency-Key`` (to be booked where it takes effect), and the path's own parameters by their names, as ``str``,
``int`` or ``UUID``. It returns JSON, which is answered with the first status of ``answers``, or a ``Response``, or
raises a ``DroploadError``.
"""

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote
from uuid import UUID

from chalice import Blueprint, Response
from pydantic import BaseModel

from chalicelib.api.auth import authorize
from chalicelib.api.idempotency import answered_once
from chalicelib.api.problems import as_problems
from chalicelib.api.requests import JSON, Request, check_size, current_request, json_response, parse_body, parse_query
from chalicelib.core.access import Caller, Scope
from chalicelib.errors import RequestRefused
from chalicelib.services.idempotency import Asked

Answer = Mapping[str, Any] | Response
Function = TypeVar("Function", bound=Callable[..., Answer])


@dataclass(frozen=True, slots=True)
class Route:
    """What a route takes and gives. ``answers`` has a model by status, None for no body, or a media type.

    ``refuses`` are statuses of problems, beside those that every route may give. Open to all where ``scope`` is None.
    ``raw`` tells what a body is like that the function reads for itself. ``once`` is whether an ``Idempotency-Key``
    is heeded.
    """

    method: str
    path: str
    scope: Scope | None
    name: str
    doc: str
    parameters: Mapping[str, type]
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answers: Mapping[int, type[BaseModel] | str | None]
    refuses: Sequence[int]
    raw: type[BaseModel] | None = None
    once: bool = False


class Routes:
    """The routes of one subject. ``blueprint`` is what Chalice is given, ``declared`` what was declared."""

    def __init__(self, import_name: str) -> None:
        self.blueprint = Blueprint(import_name)
        self.declared: list[Route] = []

    def get(self, path: str, scope: Scope | None, **about: Any) -> Callable[[Function], Function]:
        """Declare a GET; ``about`` is ``answers`` and ``refuses`` of ``Route``, and what ``_declare`` takes else."""
        return self._declare("GET", path, scope, **about)

    def post(self, path: str, scope: Scope | None, **about: Any) -> Callable[[Function], Function]:
        """Declare a POST. It takes ``Idempotency-Key``, and what it answered is kept for a day by that.

        An answer that holds a secret is not kept: ``keeps=False``. One that has no effect needs no key: ``once=False``.
        """
        return self._declare("POST", path, scope, **about)

    def put(self, path: str, scope: Scope | None, **about: Any) -> Callable[[Function], Function]:
        """Declare a PUT."""
        return self._declare("PUT", path, scope, **about)

    def patch(self, path: str, scope: Scope | None, **about: Any) -> Callable[[Function], Function]:
        """Declare a PATCH."""
        return self._declare("PATCH", path, scope, **about)

    def delete(self, path: str, scope: Scope | None, **about: Any) -> Callable[[Function], Function]:
        """Declare a DELETE."""
        return self._declare("DELETE", path, scope, **about)

    def _declare(
        self,
        method: str,
        path: str,
        scope: Scope | None,
        *,
        answers: Mapping[int, type[BaseModel] | str | None],
        refuses: Sequence[int] = (),
        keeps: bool = True,
        takes: Sequence[str] = (JSON,),
        raw: type[BaseModel] | None = None,
        once: bool | None = None,
    ) -> Callable[[Function], Function]:
        def declare(function: Function) -> Function:
            hints = typing.get_type_hints(function)
            del hints["return"]
            given = inspect.getdoc(function) or ""
            reads = {"caller", "query", "body", "request", "asked"}
            parameters = {name: hint for name, hint in hints.items() if name not in reads}
            route = Route(
                method,
                path,
                scope,
                function.__name__,
                given,
                parameters,
                hints.get("query"),
                hints.get("body"),
                answers,
                refuses,
                raw,
                (method == "POST" and scope is not None) if once is None else once,
            )
            self.declared.append(route)
            status = next(iter(answers))

            def handle(**arguments: str) -> Response:
                request = current_request()
                caller = _let_in(request, scope)
                wanted: dict[str, Any] = {name: _converted(parameters[name], text) for name, text in arguments.items()}
                for name, make in (
                    ("caller", lambda: caller),
                    ("request", lambda: request),
                    ("query", lambda: parse_query(hints["query"], request)),
                    ("body", lambda: parse_body(hints["body"], request)),
                ):
                    if name in hints:
                        wanted[name] = make()
                if raw is not None:
                    check_size(request)
                if "query" not in hints and request.query:
                    raise RequestRefused(400, "bad-parameter", "this route takes no query parameters")

                def answer(asked: Asked | None) -> Response:
                    found = function(**wanted, asked=asked) if "asked" in hints else function(**wanted)
                    return found if isinstance(found, Response) else json_response(found, status)

                return answered_once(request, caller, answer, keeps=keeps) if route.once else answer(None)

            handle.__name__ = function.__name__
            self.blueprint.route(
                path,
                methods=[method],
                authorizer=None if scope is None else authorize,
                content_types=["*/*"] if method == "GET" else list(takes),
            )(as_problems(handle))
            return function

        return declare


def _let_in(request: Request, scope: Scope | None) -> Caller | None:
    """The caller, who may do this. Raises RequestRefused: 403."""
    if scope is not None and (request.caller is None or not request.caller.may(scope)):
        raise RequestRefused(403, "forbidden", f"this needs the scope {scope}, which your key does not have")
    return request.caller


def _converted(kind: type, text: str) -> Any:
    try:
        if kind is int and not (text.isascii() and text.isdigit()):  # int takes more: 1_0, other scripts' digits
            raise ValueError
        return unquote(text, errors="strict") if kind is str else kind(text)
    except ValueError:
        what = "id" if kind in (UUID, int) else "name"
        raise RequestRefused(404, "not-found", f"there is nothing with this {what}") from None

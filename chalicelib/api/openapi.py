"""The OpenAPI 3.1 document, made of the routes' declarations and their models."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from chalicelib.api.models.common import Problem
from chalicelib.api.problems import PROBLEM
from chalicelib.api.requests import JSON
from chalicelib.api.routing import Route

_SCHEMA = "#/components/schemas/{model}"
_PATH_TYPES: Mapping[type, dict[str, Any]] = {
    UUID: {"type": "string", "format": "uuid"},
    int: {"type": "integer"},
    str: {"type": "string"},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key is served once, and answered the same for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}

_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "ETags, of which one must be the record's, or ``*``; else 412.",
    "schema": {"type": "string"},
}

Key = tuple[type[BaseModel], JsonSchemaMode]


def openapi(routes: Iterable[Route], *, url: str, version: str) -> dict[str, Any]:
    """The document of these routes, as they are reached at ``url``."""
    routes = list(routes)
    keys = list(dict.fromkeys(key for route in routes for key in _models(route)))
    references, definitions = models_json_schema([*keys, (Problem, "serialization")], ref_template=_SCHEMA)
    schemas = {key: references[key]["$ref"] for key in keys}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, schemas, definitions["$defs"])
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    asked = {_name(schemas[route.query, "validation"]) for route in routes if route.query is not None}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dropload",
            "version": version,
            "description": "Files dropped into S3 become rows in PostgreSQL, exactly once, with every bad record handed"
            " back. Times are RFC 3339 UTC; errors are problems (RFC 9457); lists are pages with a cursor.",
        },
        "servers": [{"url": url}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in definitions["$defs"].items() if name not in asked},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, or a token of the OpenID Connect issuer that was configured.",
                }
            },
        },
    }


def _models(route: Route) -> list[Key]:
    asked: list[Key] = [(model, "validation") for model in (route.query, route.body, route.raw) if model is not None]
    given: list[Key] = [
        (model, "serialization") for model in route.answers.values() if model is not None and not isinstance(model, str)
    ]
    return asked + given


def _operation(route: Route, schemas: Mapping[Key, str], definitions: Mapping[str, Any]) -> dict[str, Any]:
    summary, _, rest = route.doc.replace("``", "`").partition("\n")
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [_tag(route.path)],
        "summary": summary.strip().replace("`", ""),
        "parameters": _parameters(route, schemas, definitions),
        "responses": {str(status): answer for status, answer in sorted(_answers(route, schemas).items())},
    }
    if rest.strip():
        operation["description"] = re.sub(r"\s+", " ", rest).strip()
    if route.scope is None:
        operation["security"] = []
    else:
        operation["x-scope"] = route.scope.value
    body = route.body or route.raw
    if body is not None:
        needed = route.raw is not None or bool(definitions[_name(schemas[body, "validation"])].get("required"))
        operation["requestBody"] = {
            "required": needed,
            "content": {JSON: {"schema": {"$ref": schemas[body, "validation"]}}},
        }
    return operation


def _tag(path: str) -> str:
    if not path.startswith("/v1/"):
        return "about"
    known = [part for part in path.split("/")[2:] if not part.startswith("{")]
    return known[-1] if known[0] == "datasets" and known[-1] in ("records", "exports") else known[0]


def _parameters(route: Route, schemas: Mapping[Key, str], definitions: Mapping[str, Any]) -> list[dict[str, Any]]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_TYPES[kind]}
        for name, kind in route.parameters.items()
    ]
    query: list[dict[str, Any]] = []
    if route.query is not None:
        model = definitions[_name(schemas[route.query, "validation"])]
        required = model.get("required", [])
        for name, schema in model.get("properties", {}).items():
            parameter = {"name": name, "in": "query", "required": name in required, "schema": _present(schema)}
            query.append(parameter)
        if isinstance(model.get("additionalProperties"), dict):
            known = ("additionalProperties", "maxProperties", "propertyNames")
            others = {"type": "object", **{name: model[name] for name in known if name in model}}
            query.append({"name": "filters", "in": "query", "style": "form", "explode": True, "schema": others})
    headers = [_IDEMPOTENCY_KEY] if route.once else []
    return path + query + headers + ([_IF_MATCH] if 412 in route.refuses else [])


def _present(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that is there: one that is not is null in our models, and nothing in a URL."""
    present = {name: value for name, value in schema.items() if not (name == "default" and value is None)}
    some = [each for each in present.pop("anyOf", []) if each.get("type") != "null"]
    return {**present, **some[0]} if len(some) == 1 else present


def _answers(route: Route, schemas: Mapping[Key, str]) -> dict[int, dict[str, Any]]:
    answers = {status: _answer(status, model, schemas) for status, model in route.answers.items()}
    refuses = set(route.refuses) | {405, 500}
    if route.scope is not None:
        refuses |= {400, 401, 403, 503}
    if route.body is not None or route.raw is not None:
        refuses |= {413, 415}
    if route.once:
        refuses |= {409, 415, 422}  # by Idempotency-Key
    if UUID in route.parameters.values() or int in route.parameters.values():
        refuses |= {404}
    for status in refuses - answers.keys():
        answers[status] = {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM: {"schema": {"$ref": _SCHEMA.format(model="Problem")}}},
        }
    return answers


def _answer(status: int, model: type[BaseModel] | str | None, schemas: Mapping[Key, str]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(model, str):
        answer["content"] = {model: {}}
    elif model is not None:
        answer["content"] = {JSON: {"schema": {"$ref": schemas[model, "serialization"]}}}
    if status in (201, 202, 303):
        answer["headers"] = {"Location": {"schema": {"type": "string"}}}
    return answer


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]

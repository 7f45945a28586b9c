"""docs/dropload.http has every call of the API, each as the API takes it."""

import json
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest

from chalicelib.api import declared
from chalicelib.api.routing import Route
from infra.local.paths import ROOT

ID = "00000000-0000-7000-8000-000000000000"


class Call(NamedTuple):
    """A request of the collection, its variables filled in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str


def calls() -> list[Call]:
    head, *blocks = re.split(r"(?m)^###.*\n", (ROOT / "docs" / "dropload.http").read_text())
    variables = {**dict(re.findall(r"(?m)^@(\w+) = (.*)$", head)), "$guid": ID}
    found = []
    for block in blocks:
        filled = re.sub(r"\{\{([$\w]+)\}\}", lambda name: variables[name[1]], block)
        request, _, body = filled.partition("\n\n")
        first, *headers = request.strip().splitlines()
        method, url = first.split()
        parts = urlsplit(url)
        named = dict(line.split(": ", 1) for line in headers)
        found.append(Call(method, parts.path, dict(parse_qsl(parts.query)), named, body.strip()))
    return found


CALLS = calls()


def matches(route: Route, call: Call) -> bool:
    return route.method == call.method and bool(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.path), call.path))


@pytest.mark.parametrize("route", declared(), ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_in_the_collection(route: Route) -> None:
    assert [call for call in CALLS if matches(route, call)]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_every_call_is_one_that_the_api_takes(call: Call) -> None:
    # More than one where the last part may be anything; the route is then the one that says this very path.
    route: Any = sorted((route for route in declared() if matches(route, call)), key=lambda each: each.path.count("{"))[
        0
    ]
    assert ("Authorization" in call.headers) is (route.scope is not None)
    if route.query is not None and route.query.model_config.get("extra") == "forbid":
        route.query.model_validate(call.query)
    if route.body is not None and call.body:
        route.body.model_validate_json(call.body)
    if call.body:
        json.loads(call.body)
        assert call.headers["Content-Type"] == "application/json"

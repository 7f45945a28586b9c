"""The API is what its own document says: no other status, shape or content type, whatever is asked."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, not_a_server_error

from chalicelib.api import declared
from chalicelib.api.openapi import openapi
from tests.acceptance.doors import Doors

pytestmark = pytest.mark.stack

SCHEMA = schemathesis.openapi.from_dict(openapi(declared(), url="http://127.0.0.1", version="0"))
CONFORMS = [
    not_a_server_error,
    *(
        CHECKS.get_one(name)
        for name in ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
    ),
]


@SCHEMA.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_route_answers_as_documented(case: Any, doors: Doors) -> None:
    if "name" in case.path_parameters:
        case.path_parameters["name"] = "plays"  # else nearly all are of a dataset that is not there
    case.call_and_validate(base_url=doors.url, headers=doors.authorization, checks=CONFORMS)


def test_document_is_served_and_valid(doors: Doors) -> None:
    document = doors.get("/openapi.json", api_key="").body
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": doors.url}]
    schemathesis.openapi.from_dict(document).validate()
    named = {method["operationId"] for path in document["paths"].values() for method in path.values()}
    assert len(named) == len(declared())


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_pages_of_the_document_load_nothing_from_elsewhere(doors: Doors, page: str) -> None:
    answer = doors.get(page, api_key="")
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert "http" not in answer.body
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    parts = [part.split('"')[0] for part in answer.body.split('"docs/')[1:]]
    assert parts
    for part in parts:
        file = doors.get(f"/docs/{part}", api_key="")
        assert (file.status, len(file.body) > 10) == (200, True)
    assert doors.get("/docs/..%2f..%2fapp.py", api_key="").status == 404

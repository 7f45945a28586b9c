"""On AWS the page lives under a stage."""

from types import SimpleNamespace

from chalice import Response

from chalicelib.api.requests import current_request, receive
from chalicelib.api.web import get_page


def answer(path: str) -> Response:
    """What is answered to an event of API Gateway for the page at this path."""
    event = {
        "requestContext": {"httpMethod": "GET", "resourcePath": "/", "path": path},
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "body": None,
    }
    asked = SimpleNamespace(to_original_event=lambda: event)
    return receive(asked, lambda _: get_page(current_request()))


def test_without_its_slash_the_stage_leads_to_the_page() -> None:
    redirect = answer("/prod")
    assert (redirect.status_code, redirect.headers["Location"]) == (308, "prod/")

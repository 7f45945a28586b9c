"""On AWS the page lives under a stage."""

from typing import Any

import app


def answer(path: str) -> dict[str, Any]:
    """What the Lambda function answers to API Gateway."""
    event = {
        "requestContext": {"httpMethod": "GET", "resourcePath": "/", "path": path},
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }
    answered: dict[str, Any] = app.app(event, None)
    return answered


def test_without_its_slash_the_stage_leads_to_the_page() -> None:
    redirect = answer("/prod")
    assert (redirect["statusCode"], redirect["headers"]["Location"]) == (308, "prod/")

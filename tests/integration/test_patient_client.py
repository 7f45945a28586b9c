"""A client of the API that waits for minutes must outlive one lost connection, and do nothing twice for it."""

import json
from collections.abc import Iterator

import pytest

from dropload_client.api import ApiClient, ApiError
from tests.webserver import Answering, Handler, WebServer, serving


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving(tls=False) as web:
        yield web


def hang_up(handler: Handler) -> None:
    handler.close_connection = True


def in_turn(*answers: Answering) -> Answering:
    left = iter(answers)
    return lambda handler: next(left)(handler)


def well(handler: Handler) -> None:
    handler.send(json.dumps({"state": "COMPLETED"}).encode())


def busy(handler: Handler) -> None:
    handler.send(b"{}", 503, Retry_After="1")


def test_a_lost_connection_and_a_busy_server_are_tried_again_with_the_same_request(web: WebServer) -> None:
    web.answers["/v1/jobs/1/redrive"] = in_turn(hang_up, busy, well)
    answer = ApiClient(web.origin, "key", patient=True).post("/v1/jobs/1/redrive", {"what": "failed"})
    assert answer == {"state": "COMPLETED"}
    assert len(web.requests) == 3
    assert len({(headers["idempotency-key"], body) for _, _, headers, body in web.requests}) == 1


def test_without_patience_a_lost_connection_is_told_at_once(web: WebServer) -> None:
    web.answers["/v1/me"] = in_turn(hang_up, well)
    with pytest.raises(ApiError, match="no answer from http://localhost"):
        ApiClient(web.origin, "key").get("/v1/me")


def test_a_refusal_is_not_tried_again(web: WebServer) -> None:
    web.answers["/v1/me"] = in_turn(lambda handler: handler.send(b'{"detail": "not you"}', 403), well)
    with pytest.raises(ApiError, match="403 not you"):
        ApiClient(web.origin, "key", patient=True).get("/v1/me")
    assert len(web.requests) == 1

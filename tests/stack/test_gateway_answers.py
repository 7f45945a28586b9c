import json
import urllib.error
import urllib.request
from contextlib import closing
from typing import Any

import psycopg2
import pytest

pytestmark = pytest.mark.stack


def refused(url: str, **headers: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30)
    with raised.value as answer:
        return answer.code, dict(answer.headers), json.load(answer)


@pytest.mark.parametrize(
    ("path", "authorization", "status", "code"),
    [
        ("/v1/jobs", None, 401, "unauthorized"),
        ("/v1/jobs", "Bearer dropload_guessed", 401, "invalid-token"),
        ("/v1/nothing", None, 404, "not-found"),
        ("/v1/nothing", "Bearer dropload_guessed", 404, "not-found"),
    ],
)
def test_what_the_gateway_refuses_is_a_problem(
    stack: dict[str, Any], path: str, authorization: str | None, status: int, code: str
) -> None:
    given = {"Authorization": authorization} if authorization else {}
    found, headers, problem = refused(stack["api_url"] + path, **given)
    assert found == problem["status"] == status
    assert problem["code"] == code
    assert headers["Content-Type"] == "application/problem+json"
    if status == 401:
        assert headers["WWW-Authenticate"].startswith("Bearer")


def test_a_failure_to_tell_who_asks_is_answered(stack: dict[str, Any]) -> None:
    with closing(psycopg2.connect(stack["database_url"])) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("alter table dropload.api_key rename to lost_key")
        try:
            found, headers, problem = refused(stack["api_url"] + "/v1/jobs", Authorization=f"Bearer {stack['api_key']}")
        finally:
            cursor.execute("alter table dropload.lost_key rename to api_key")
    assert found == problem["status"] == 503
    assert headers["Content-Type"] == "application/problem+json"

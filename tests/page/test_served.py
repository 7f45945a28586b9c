"""The page as it is served: to all, from a fixed list, with a policy that lets nothing else in."""

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.api.static import WEB
from tests.acceptance.doors import Doors

pytestmark = pytest.mark.stack


def test_the_page_is_open_to_all_under_a_strict_policy(doors: Doors, stack: Mapping[str, Any]) -> None:
    answer = doors.get("/", api_key="")
    assert (answer.status, answer.content_type) == (200, "text/html")
    policy = dict(rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": f"'self' {stack['aws_endpoint_url']}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("name", sorted(path.name for path in WEB.iterdir() if path.is_file()))
def test_files_are_served_by_their_names_with_their_types(doors: Doors, name: str) -> None:
    answer = doors.get(f"/web/{name}", api_key="")
    if name == "index.html":
        assert answer.status == 404  # without its policy it is not served
        return
    kinds = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    assert (answer.status, answer.content_type) == (200, kinds[name.rpartition(".")[2]])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["../config.py", "..%2fconfig.py", "%2e%2e%2fapp.py", "docs", "no-such.js", "__init__.py"]
)
def test_no_other_file_is_served(doors: Doors, path: str) -> None:
    assert doors.get(f"/web/{path}", api_key="").status == 404


def test_what_a_browser_has_already_is_not_sent_again(doors: Doors) -> None:
    for path in ("/", "/web/main.js"):
        tag = doors.get(path, api_key="").headers["ETag"]
        again = doors.ask("GET", path, api_key="", headers={"If-None-Match": tag})
        assert (again.status, again.headers["ETag"], again.body) == (304, tag, "")

"""The page: ``/`` and the files that it is made of, open to all. What it shows comes by the API, for a key.

All its links are relative, since on AWS it lives under a stage: ``/prod/``.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from chalice import Response

from chalicelib.api.requests import Request, current_request
from chalicelib.api.routing import Routes
from chalicelib.api.static import WEB, listed, serve
from chalicelib.bootstrap import container

routes = Routes(__name__)

_INDEX = "index.html"
_FILES = listed(WEB)
_PAGE = {_INDEX: _FILES.pop(_INDEX)}  # served with its policy only
_TAGS = {name: f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:20]}"' for name, path in (_FILES | _PAGE).items()}
_CACHE = {"Cache-Control": "no-cache"}  # kept, and asked for again each time: a deployment changes all files at once


@routes.get("/", None, answers={200: "text/html", 304: None, 308: None}, refuses=(503,))
def get_page(request: Request) -> Response:
    """The page for people."""
    if not request.asked.endswith("/"):
        # The stage without a slash, from which relative links would lead nowhere.
        return Response(body="", status_code=308, headers={"Location": request.asked.rpartition("/")[2] + "/"})
    return _file(_PAGE, _INDEX, {"Content-Security-Policy": _policy(container().objects.origin())})


@routes.get("/web/{file}", None, answers={200: "text/javascript", 304: None}, refuses=(404,))
def get_web_file(file: str) -> Response:
    """A module or style sheet of the page."""
    return _file(_FILES, file, {})


def _file(files: Mapping[str, Path], name: str, headers: Mapping[str, str]) -> Response:
    if name not in files:
        return serve(files, name, {})
    tagged = {"ETag": _TAGS[name], **_CACHE, **headers}
    if _TAGS[name] in current_request().headers.get("if-none-match", ""):
        return Response(body="", status_code=304, headers={**tagged})
    return serve(files, name, tagged)


def _policy(bucket: str) -> str:
    """Nothing but our own files; and files are uploaded straight to the bucket."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {bucket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

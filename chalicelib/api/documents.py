"""The API's own description: ``/openapi.json``, and two ways to read it, from files of ours."""

import json
from functools import cache

from chalice import Response

from chalicelib.api.openapi import openapi
from chalicelib.api.requests import JSON
from chalicelib.api.routing import Routes
from chalicelib.api.static import WEB, listed, serve
from chalicelib.bootstrap import VERSION, container

routes = Routes(__name__)

_KEPT = {"Cache-Control": "public, max-age=86400"}
_FRESH = {"Cache-Control": "no-cache"}
# Both programs style what they make from script; neither gets anything from elsewhere.
_POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
_PAGES = listed(WEB / "docs")
_FILES = _PAGES | listed(WEB / "vendor")


@routes.get("/openapi.json", None, answers={200: JSON})
def get_openapi() -> Response:
    """This document."""
    return Response(body=_openapi(), status_code=200, headers={"Content-Type": JSON, **_FRESH})


@routes.get("/docs", None, answers={200: "text/html"})
def get_docs() -> Response:
    """The API to read and to try, by Swagger UI."""
    return serve(_PAGES, "swagger.html", _FRESH | _POLICY)


@routes.get("/redoc", None, answers={200: "text/html"})
def get_redoc() -> Response:
    """The API to read, by Redoc."""
    return serve(_PAGES, "redoc.html", _FRESH | _POLICY)


@routes.get("/docs/{file}", None, answers={200: "text/javascript"}, refuses=(404,))
def get_docs_file(file: str) -> Response:
    """What these pages are made of."""
    return serve(_FILES, file, _KEPT)


@cache
def _openapi() -> str:
    from chalicelib.api import declared  # all subjects, of which this is one

    return json.dumps(openapi(declared(), url=container().settings.public_url, version=VERSION), ensure_ascii=False)

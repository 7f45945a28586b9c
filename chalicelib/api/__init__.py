"""HTTP: routes declared once (``routing``), each one call into a service, and one shape for errors."""

import os
from typing import TYPE_CHECKING

from chalice import Chalice

if TYPE_CHECKING:
    from chalicelib.api.routing import Route

_TAKES_REQUESTS = "app.app"


def register(app: Chalice) -> None:
    """Add all routes, but where Lambda runs a function that takes no requests.

    These have no use for the routes, and what routes import takes 8 MB and a tenth of a second of each cold start.
    """
    if os.environ.get("_HANDLER", _TAKES_REQUESTS) != _TAKES_REQUESTS:
        return
    from chalicelib.api.auth import authorizer
    from chalicelib.api.problems import chalices_as_problems
    from chalicelib.api.requests import receive
    from chalicelib.api.subjects import SUBJECTS

    app.register_middleware(receive, "http")
    app.register_middleware(chalices_as_problems, "http")
    app.register_blueprint(authorizer)
    for routes in SUBJECTS:
        app.register_blueprint(routes.blueprint)


def declared() -> "list[Route]":
    """Every route of the API, as it was declared."""
    from chalicelib.api.subjects import SUBJECTS

    return [route for routes in SUBJECTS for route in routes.declared]

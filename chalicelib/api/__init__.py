"""HTTP: routes as Chalice blueprints, each one call into a service, and one shape for errors."""

import os

from chalice import Chalice

_TAKE_NO_REQUESTS = ("app.split", "app.load")


def register(app: Chalice) -> None:
    """Add all routes, but where Lambda runs one of the functions that handle a file's bytes.

    These have no use for the routes, and what routes import takes 8 MB and a tenth of a second of each cold start.
    """
    if os.environ.get("_HANDLER") in _TAKE_NO_REQUESTS:
        return
    from chalicelib.api import auth, exports, health, jobs

    for part in (auth, exports, health, jobs):
        app.register_blueprint(part.routes)

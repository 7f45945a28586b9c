"""``GET /health``."""

from chalice import Response

from chalicelib.api.models.access import Health
from chalicelib.api.requests import json_response
from chalicelib.api.routing import Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Scope

routes = Routes(__name__)


@routes.get("/health", Scope.READ, answers={200: Health, 503: Health})
def health() -> Response:
    """200 when everything answers that we depend on, else 503; each check by name."""
    well, answer = container().health.check()
    return json_response(answer, 200 if well else 503)

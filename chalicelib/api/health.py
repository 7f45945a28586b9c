"""``GET /health``."""

from chalice import Blueprint, Response

from chalicelib.api.auth import authorize
from chalicelib.api.endpoint import endpoint, json_response
from chalicelib.bootstrap import container

routes = Blueprint(__name__)


@routes.route("/health", methods=["GET"], authorizer=authorize)
@endpoint
def health() -> Response:
    """200 when everything answers that we depend on, else 503; each check by name."""
    well, answer = container().health.check()
    return json_response(answer, 200 if well else 503)

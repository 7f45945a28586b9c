"""One authorizer for every route, the same here and on AWS: an API key in ``Authorization: Bearer``."""

from chalice import Blueprint
from chalice.app import AuthRequest, AuthResponse, AuthRoute

from chalicelib.bootstrap import container
from chalicelib.errors import Transient

routes = Blueprint(__name__)
HEALTH = "/health"
SCOPES = {
    "read": [AuthRoute("*", ["GET"])],
    "write": [
        AuthRoute("/v1/datasets/*/exports", ["POST"]),
        AuthRoute("/v1/exports/*/cancel", ["POST"]),
        AuthRoute("/v1/jobs/*/redrive", ["POST"]),
    ],
    "admin": [AuthRoute("*", ["*"])],
}
"""What each scope opens. A route that is not here is open to admins only, unless it is a GET."""


@routes.authorizer(ttl_seconds=60)
def authorize(request: AuthRequest) -> AuthResponse:
    """A policy for everything that the key may use, since API Gateway keeps policies by token."""
    try:
        found = container().keys.check(request.token or "")
    except Transient:
        # Keys are in the database. While it does not answer, nobody is let in, but for being told just that.
        if not request.method_arn.endswith(HEALTH):
            raise
        return AuthResponse(routes=[HEALTH], principal_id="nobody")
    if found is None:
        return AuthResponse(routes=[], principal_id="nobody")
    key, scopes = found
    return AuthResponse(routes=[route for scope in scopes for route in SCOPES.get(scope, ())], principal_id=key)

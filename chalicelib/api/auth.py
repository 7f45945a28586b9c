"""One authorizer for every route, the same here and on AWS: an API key in ``Authorization: Bearer``."""

from chalice import Blueprint
from chalice.app import AuthRequest, AuthResponse

from chalicelib.bootstrap import container

routes = Blueprint(__name__)


@routes.authorizer(ttl_seconds=60)
def authorize(request: AuthRequest) -> AuthResponse:
    """A policy for everything that the key may use, since API Gateway keeps policies by token."""
    found = container().keys.check(request.token or "")
    if found is None:
        return AuthResponse(routes=[], principal_id="nobody")
    key, scopes = found
    return AuthResponse(routes=["*"] if "read" in scopes or "admin" in scopes else [], principal_id=key)

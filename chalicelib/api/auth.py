"""One authorizer for every route, the same here and on AWS: who it is. What they may do, each route says itself."""

from chalice import Blueprint
from chalice.app import AuthRequest, AuthResponse

from chalicelib.api.requests import as_context
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope
from chalicelib.errors import Transient
from chalicelib.invocations import guarded

authorizer = Blueprint(__name__)
HEALTH = "/health"
_NOBODY = Caller("nobody", "nobody", frozenset({Scope.READ}), frozenset())


@authorizer.authorizer(ttl_seconds=60)
@guarded
def authorize(request: AuthRequest) -> AuthResponse:
    """A policy for all routes, since API Gateway keeps policies by token, with who it is for the route to judge."""
    try:
        caller = container().authentication.caller(request.token or "")
    except Transient:
        # Keys are in the database. While it does not answer, nobody is let in, but for being told just that.
        if not request.method_arn.endswith(HEALTH):
            raise
        return AuthResponse(routes=[HEALTH], principal_id="nobody", context=as_context(_NOBODY))
    if caller is None:
        return AuthResponse(routes=[], principal_id="nobody")
    return AuthResponse(routes=["*"], principal_id=caller.id, context=as_context(caller))

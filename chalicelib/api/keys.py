"""``/v1/keys``: who may ask; ``/v1/me``: who one is."""

from uuid import UUID

from chalice import Response

from chalicelib.api.models.access import Key, KeyPage, KeyRequest, KeysQuery, Me, NewKey
from chalicelib.api.requests import json_response
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope
from chalicelib.errors import CallerFault, RequestRefused

routes = Routes(__name__)


@routes.get("/v1/me", Scope.READ, answers={200: Me})
def get_me(caller: Caller) -> Answer:
    """Who one is, and what one may do."""
    datasets = None if caller.datasets is None else sorted(caller.datasets)
    return {"id": caller.id, "name": caller.name, "scopes": sorted(caller.scopes), "datasets": datasets}


@routes.get("/v1/keys", Scope.ADMIN, answers={200: KeyPage})
def list_keys(caller: Caller, query: KeysQuery) -> Answer:
    """A page of API keys, newest first; revoked ones, too. Who sees some datasets sees the keys for these alone."""
    return container().keys.page(caller, limit=query.limit, before=query.cursor)


@routes.post("/v1/keys", Scope.ADMIN, answers={201: NewKey}, refuses=(422,), keeps=False)
def create_key(caller: Caller, body: KeyRequest) -> Response:
    """A new API key. Its token is in this answer and nowhere else."""
    try:
        key = container().keys.make(caller, body.name, body.scopes, body.datasets)
    except CallerFault as fault:
        raise RequestRefused(422, fault.code, fault.message) from None
    return json_response(key, 201, {"Location": f"/v1/keys/{key['id']}"})


@routes.get("/v1/keys/{id}", Scope.ADMIN, answers={200: Key}, refuses=(404,))
def get_key(caller: Caller, id: UUID) -> Answer:
    """One API key, but for its token."""
    return container().keys.get(caller, id)


@routes.delete("/v1/keys/{id}", Scope.ADMIN, answers={200: Key}, refuses=(404,))
def revoke_key(caller: Caller, id: UUID) -> Answer:
    """Make a key worth nothing: on AWS within a minute, for so long are answers about tokens kept."""
    return container().keys.revoke(caller, id)

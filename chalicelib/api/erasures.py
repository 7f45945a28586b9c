"""``/v1/erasures``: a person's records are erased."""

from uuid import UUID

from chalice import Response

from chalicelib.api.models.erasures import Erasure, ErasureRequest
from chalicelib.api.requests import accepted
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope

routes = Routes(__name__)


@routes.post("/v1/datasets/{name}/erasures", Scope.ADMIN, answers={202: Erasure}, refuses=(404, 409))
def erase(caller: Caller, name: str, body: ErasureRequest) -> Response:
    """Erase the rows and rejected records that have these values. There is no way back."""
    return accepted(container().erase.start(caller, name, body.key))


@routes.get("/v1/erasures/{id}", Scope.ADMIN, answers={200: Erasure}, refuses=(404,))
def get_erasure(caller: Caller, id: UUID) -> Answer:
    """What was erased, and whether all error files have been written anew."""
    return container().erase.get(caller, id)

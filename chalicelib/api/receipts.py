"""``/v1/jobs/{id}/receipt``: what did it take, and what did it cost?"""

from uuid import UUID

from chalicelib.api.models.receipts import Receipt
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope

routes = Routes(__name__)


@routes.get("/v1/jobs/{id}/receipt", Scope.READ, answers={200: Receipt}, refuses=(404,))
def get_receipt(caller: Caller, id: UUID) -> Answer:
    """Seconds, rows a second, Lambda GB-seconds, requests, and what that costs; of a job that has not ended so far."""
    return container().receipts.get(caller, id)

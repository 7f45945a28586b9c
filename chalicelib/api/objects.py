"""``GET /v1/objects``: why is my file not loaded?"""

from chalicelib.api.models.objects import Whereabouts, WhereaboutsQuery
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope

routes = Routes(__name__)


@routes.get("/v1/objects", Scope.READ, answers={200: Whereabouts}, refuses=(404,))
def find_object(caller: Caller, query: WhereaboutsQuery) -> Answer:
    """Why is my file not loaded? What became of the object with this key, or why nothing did, and what to do."""
    return container().whereabouts.get(caller, query.key)

"""All subjects of the API: what is not here is not served."""

from collections.abc import Sequence

from chalicelib.api import documents, exports, health, jobs, keys, levers, web
from chalicelib.api.routing import Routes

SUBJECTS: Sequence[Routes] = (
    jobs.routes,
    levers.routes,
    exports.routes,
    keys.routes,
    health.routes,
    documents.routes,
    web.routes,
)

"""All subjects of the API: what is not here is not served."""

from collections.abc import Sequence

from chalicelib.api import (
    datasets,
    documents,
    erasures,
    exports,
    health,
    jobs,
    keys,
    levers,
    objects,
    receipts,
    records,
    uploads,
    web,
    webhooks,
)
from chalicelib.api.routing import Routes

SUBJECTS: Sequence[Routes] = (
    jobs.routes,
    objects.routes,
    uploads.routes,
    levers.routes,
    erasures.routes,
    receipts.routes,
    datasets.routes,
    records.routes,
    exports.routes,
    keys.routes,
    webhooks.routes,
    health.routes,
    documents.routes,
    web.routes,
)

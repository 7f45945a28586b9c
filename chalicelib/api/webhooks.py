"""``/v1/webhooks``: who is told of what; ``/v1/jobs/{id}/changes``: what they are not told at length."""

from uuid import UUID

from chalice import Response

from chalicelib.api.models.webhooks import (
    Changes,
    ChangesQuery,
    Delivery,
    DeliveryPage,
    RotateRequest,
    Webhook,
    WebhookAndSecret,
    WebhookChange,
    WebhookPage,
    WebhookRequest,
    WebhooksQuery,
)
from chalicelib.api.requests import accepted
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope
from chalicelib.services.webhook_ports import Wish

routes = Routes(__name__)


@routes.get("/v1/webhooks", Scope.ADMIN, answers={200: WebhookPage})
def list_webhooks(caller: Caller, query: WebhooksQuery) -> Answer:
    """A page of webhooks, newest first."""
    return container().webhooks.page(caller, before=query.cursor, limit=query.limit)


@routes.post("/v1/webhooks", Scope.ADMIN, answers={201: WebhookAndSecret}, refuses=(409, 422), keeps=False)
def create_webhook(caller: Caller, body: WebhookRequest) -> Response:
    """A new webhook. Its secret is in this answer and nowhere else."""
    datasets = None if body.datasets is None else tuple(body.datasets)
    wish = Wish(body.url, body.description, datasets, tuple(body.events))
    webhook = container().webhooks.create(caller, wish)
    return accepted(webhook, 201)


@routes.get("/v1/webhooks/{id}", Scope.ADMIN, answers={200: Webhook}, refuses=(404,))
def get_webhook(caller: Caller, id: UUID) -> Answer:
    """One webhook, but for its secret."""
    return container().webhooks.get(caller, id)


@routes.patch("/v1/webhooks/{id}", Scope.ADMIN, answers={200: Webhook}, refuses=(404, 422))
def change_webhook(caller: Caller, id: UUID, body: WebhookChange) -> Answer:
    """Change a webhook. What it would not be told any more is not delivered, either."""
    changes = body.model_dump(exclude_unset=True)
    given = {name: value for name, value in changes.items() if value is not None or name == "datasets"}
    return container().webhooks.change(caller, id, given)


@routes.delete("/v1/webhooks/{id}", Scope.ADMIN, answers={204: None}, refuses=(404,))
def delete_webhook(caller: Caller, id: UUID) -> Response:
    """Tell it nothing more; only what is on its way may still arrive."""
    container().webhooks.remove(caller, id)
    return Response(body="", status_code=204, headers={"Cache-Control": "no-store"})


@routes.post("/v1/webhooks/{id}/rotate", Scope.ADMIN, answers={200: WebhookAndSecret}, refuses=(404,), keeps=False)
def rotate_webhook(caller: Caller, id: UUID, body: RotateRequest) -> Answer:
    """A new secret, shown this once. For a while deliveries are signed by the one before, too."""
    return container().webhooks.rotate(caller, id, body.overlap_seconds)


@routes.post("/v1/webhooks/{id}/enable", Scope.ADMIN, answers={200: Webhook}, refuses=(404,))
def enable_webhook(caller: Caller, id: UUID) -> Answer:
    """Tell it again what happens from now on."""
    return container().webhooks.enable(caller, id)


@routes.post("/v1/webhooks/{id}/test", Scope.ADMIN, answers={202: Delivery}, refuses=(404, 409))
def test_webhook(caller: Caller, id: UUID) -> Answer:
    """Send it a ``webhook.test``, once; how that went is in its deliveries a moment later."""
    return container().webhooks.test(caller, id)


@routes.get("/v1/webhooks/{id}/deliveries", Scope.ADMIN, answers={200: DeliveryPage}, refuses=(404,))
def list_deliveries(caller: Caller, id: UUID, query: WebhooksQuery) -> Answer:
    """A page of what was, or is to be, delivered to a webhook, newest first; kept for 30 days."""
    return container().webhooks.deliveries(caller, id, before=query.cursor, limit=query.limit)


@routes.get("/v1/jobs/{id}/changes", Scope.READ, answers={200: Changes}, refuses=(404,))
def list_changes(caller: Caller, id: UUID, query: ChangesQuery) -> Answer:
    """A page of the rows that a job was the last to insert or update."""
    page = container().changed_records.page(caller, id, below=query.cursor, limit=query.limit)
    cursor = page["next_cursor"]
    return {**page, "next_cursor": None if cursor is None else str(cursor)}

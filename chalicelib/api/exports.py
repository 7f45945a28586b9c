"""``/v1/exports``: a dataset written out as files."""

from uuid import UUID

from chalice import Response

from chalicelib.api.models.exports import Export, ExportRequest
from chalicelib.api.requests import accepted
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope

routes = Routes(__name__)


@routes.post("/v1/datasets/{name}/exports", Scope.WRITE, answers={202: Export}, refuses=(404,))
def start_export(caller: Caller, name: str, body: ExportRequest) -> Response:
    """202 with an export that has been booked; ``Location`` leads to it."""
    export = container().exports.start(
        caller,
        name,
        format=body.format,
        filters=body.filters,
        max_part_bytes=body.max_part_bytes,
        with_id=body.with_id,
    )
    return accepted(export)


@routes.get("/v1/exports/{id}", Scope.READ, answers={200: Export}, refuses=(404,))
def get_export(caller: Caller, id: UUID) -> Answer:
    """One export: its state, and links to what stands of it."""
    return container().exports.get(caller, id)


@routes.post("/v1/exports/{id}/cancel", Scope.WRITE, answers={202: Export}, refuses=(404, 409))
def cancel_export(caller: Caller, id: UUID) -> Response:
    """202 with an export that was called off; 409 where it had ended."""
    return accepted(container().exports.cancel(caller, id))

"""``/v1/exports``: a dataset written out as files."""

from typing import Any

from chalice import Blueprint, Response

from chalicelib.api.auth import authorize
from chalicelib.api.endpoint import endpoint, json_response, parse_body, parse_id
from chalicelib.api.models import ExportRequest
from chalicelib.bootstrap import container

routes = Blueprint(__name__)


@routes.route("/v1/datasets/{name}/exports", methods=["POST"], authorizer=authorize)
@endpoint
def start_export(name: str) -> Response:
    """202 with an export that has been booked; ``Location`` leads to it."""
    wanted = parse_body(ExportRequest, routes.current_request.raw_body)
    export = container().exports.start(
        name,
        format=wanted.format,
        filters=wanted.filters,
        max_part_bytes=wanted.max_part_bytes,
        with_id=wanted.with_id,
    )
    return _accepted(export)


@routes.route("/v1/exports/{id}", methods=["GET"], authorizer=authorize)
@endpoint
def get_export(id: str) -> dict[str, Any]:
    """One export: its state, and links to what stands of it."""
    return container().exports.get(parse_id(id))


@routes.route("/v1/exports/{id}/cancel", methods=["POST"], authorizer=authorize)
@endpoint
def cancel_export(id: str) -> Response:
    """202 with an export that was called off; 409 where it had ended."""
    return _accepted(container().exports.cancel(parse_id(id)))


def _accepted(export: dict[str, Any]) -> Response:
    return json_response(export, 202, headers={"Location": export["links"]["self"]})

"""``/v1/jobs``: where is my file, and what was wrong with it?"""

from typing import Any

from chalice import Blueprint, Response

from chalicelib.api.auth import authorize
from chalicelib.api.endpoint import endpoint, json_response, parse_body, parse_id, parse_query
from chalicelib.api.models import JobQuery, JobsQuery, RedriveRequest, RejectionsQuery, rejections_cursor
from chalicelib.bootstrap import container

routes = Blueprint(__name__)


@routes.route("/v1/jobs", methods=["GET"], authorizer=authorize)
@endpoint
def list_jobs() -> dict[str, Any]:
    """A page of jobs, newest first."""
    query = parse_query(JobsQuery, routes.current_request.query_params)
    return container().jobs.page(
        limit=query.limit, dataset=query.dataset, state=query.state, key=query.key, before=query.cursor
    )


@routes.route("/v1/jobs/{id}", methods=["GET"], authorizer=authorize)
@endpoint
def get_job(id: str) -> dict[str, Any]:
    """One job; with ``?wait=`` as soon as it changes."""
    query = parse_query(JobQuery, routes.current_request.query_params)
    return container().jobs.get(parse_id(id), wait=query.wait)


@routes.route("/v1/jobs/{id}/rejections", methods=["GET"], authorizer=authorize)
@endpoint
def list_rejections(id: str) -> dict[str, Any]:
    """Causes grouped, and a page of the rejected records in file order."""
    query = parse_query(RejectionsQuery, routes.current_request.query_params)
    page = container().jobs.rejections(parse_id(id), after=query.cursor, limit=query.limit)
    return {**page, "next_cursor": rejections_cursor(page["next_cursor"])}


@routes.route("/v1/jobs/{id}/redrive", methods=["POST"], authorizer=authorize)
@endpoint
def redrive_job(id: str) -> Response:
    """Do again what failed of a job; the job that does it."""
    request = parse_body(RedriveRequest, routes.current_request.raw_body)
    job = container().jobs.get(container().redrive.run(parse_id(id), request.what))
    return json_response(job, 202, {"Location": job["links"]["self"]})

"""What a person may do about a job: call it off, or begin it before its time."""

from uuid import UUID

from chalice import Response

from chalicelib.api.models.jobs import Job
from chalicelib.api.requests import json_response
from chalicelib.api.routing import Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope

routes = Routes(__name__)


@routes.post("/v1/jobs/{id}/cancel", Scope.WRITE, answers={202: Job}, refuses=(404, 409))
def cancel_job(caller: Caller, id: UUID) -> Response:
    """Call a job off, once or again: what is loaded stays, nothing more is. 409 where it has ended otherwise."""
    container().jobs.get(caller, id)
    container().cancel.run(id)
    job = container().jobs.get(caller, id)
    return json_response(job, 202, {"Location": job["links"]["self"]})


@routes.post("/v1/jobs/{id}/start", Scope.WRITE, answers={202: Job}, refuses=(404, 409))
def start_job(caller: Caller, id: UUID) -> Response:
    """Begin a job that waits for its dataset's load window now. 409 where it has begun, or ended."""
    container().jobs.get(caller, id)
    container().schedule.start(id)
    job = container().jobs.get(caller, id)
    return json_response(job, 202, {"Location": job["links"]["self"]})

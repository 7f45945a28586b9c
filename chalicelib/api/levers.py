"""What a person may do about a job: call it off, begin it before its time, or undo it."""

from uuid import UUID

from chalice import Response

from chalicelib.api.models.jobs import Job, UndoPlan, UndoRequest
from chalicelib.api.requests import accepted
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope

routes = Routes(__name__)


@routes.post("/v1/jobs/{id}/cancel", Scope.WRITE, answers={202: Job}, refuses=(404, 409))
def cancel_job(caller: Caller, id: UUID) -> Response:
    """Call a job off, once or again: what is loaded stays, nothing more is. 409 where it has ended otherwise."""
    container().jobs.get(caller, id)
    container().cancel.run(id)
    return accepted(container().jobs.get(caller, id))


@routes.post("/v1/jobs/{id}/start", Scope.WRITE, answers={202: Job}, refuses=(404, 409))
def start_job(caller: Caller, id: UUID) -> Response:
    """Begin a job that waits for its dataset's load window now. 409 where it has begun, or ended."""
    container().jobs.get(caller, id)
    container().schedule.start(id)
    return accepted(container().jobs.get(caller, id))


@routes.get("/v1/jobs/{id}/undo", Scope.READ, answers={200: UndoPlan}, refuses=(404, 409))
def plan_undo(caller: Caller, id: UUID) -> Answer:
    """What an undo of the job would do now, and what it could not."""
    container().jobs.get(caller, id)
    return container().undo.plan(id)


@routes.post("/v1/jobs/{id}/undo", Scope.WRITE, answers={202: Job}, refuses=(404, 409))
def undo_job(caller: Caller, id: UUID, body: UndoRequest) -> Response:
    """Do what a plan has shown; 409 where it would do something else by now. ``undone`` of the job tells when it is."""
    container().jobs.get(caller, id)
    container().undo.ask(id, body.token)
    return accepted(container().jobs.get(caller, id))

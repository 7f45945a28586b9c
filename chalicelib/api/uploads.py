"""The ways in and out for files: ``/v1/uploads``, ``POST /v1/jobs``, and what a job has written."""

from uuid import UUID

from chalice import Response

from chalicelib.api.models.jobs import Job
from chalicelib.api.models.uploads import JobRequest, Result, Upload, UploadRequest
from chalicelib.api.requests import accepted
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope

routes = Routes(__name__)


@routes.post("/v1/uploads", Scope.WRITE, answers={201: Upload}, refuses=(404, 409, 413), once=False)
def grant_upload(caller: Caller, body: UploadRequest) -> Answer:
    """Leave to upload one file straight to S3. 409 where it was loaded before, by the ``job`` that is named.

    Asked again it is granted again: nothing has happened by that, and an older form may have expired.
    """
    return container().uploads.grant(
        caller,
        body.dataset,
        body.filename,
        body.size,
        sha256=body.sha256,
        validate_only=body.validate_only,
        again=body.again,
        max_attempts=body.max_attempts,
    )


@routes.post("/v1/jobs", Scope.WRITE, answers={202: Job}, refuses=(404, 409))
def create_job(caller: Caller, body: JobRequest) -> Response:
    """Load a file that lies somewhere already. 409 where it was loaded before, by the ``job`` that is named."""
    id = container().starts.run(caller, body.target, body.dataset, validate_only=body.validate_only, again=body.again)
    return accepted(container().jobs.get(caller, id))


@routes.get("/v1/jobs/{id}/rejected.csv", Scope.READ, answers={303: None}, refuses=(404, 409))
def get_rejected(caller: Caller, id: UUID) -> Response:
    """303 to the file of a job's rejected records, by a link that expires."""
    url = container().results.rejected(caller, id)
    return Response(body="", status_code=303, headers={"Location": url, "Cache-Control": "no-store"})


@routes.get("/v1/jobs/{id}/result", Scope.READ, answers={200: Result}, refuses=(404, 409, 425))
def get_result(caller: Caller, id: UUID) -> Answer:
    """What a job has written, by links that expire. 425 while it has not ended, 409 where it failed."""
    return container().results.get(caller, id)

"""``/v1/jobs``: where is my file, and what was wrong with it?"""

from uuid import UUID

from chalice import Response

from chalicelib.api.models.jobs import (
    BatchesQuery,
    BatchPage,
    Job,
    JobPage,
    JobQuery,
    JobsQuery,
    RedriveRequest,
    RejectionPage,
    RejectionsQuery,
    rejections_cursor,
)
from chalicelib.api.requests import accepted, json_response
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope
from chalicelib.core.states import JobState, is_terminal

routes = Routes(__name__)
_ASK_AGAIN_SECONDS = "2"
_LOOK_AGAIN_SECONDS = "10"  # where nothing is under way


@routes.get("/v1/jobs", Scope.READ, answers={200: JobPage})
def list_jobs(caller: Caller, query: JobsQuery) -> Response:
    """A page of jobs, newest first. ``Retry-After`` says when it may be worth asking again."""
    page = container().jobs.page(
        caller, limit=query.limit, dataset=query.dataset, state=query.state, key=query.key, before=query.cursor
    )
    ended = all(is_terminal(JobState(job["state"])) for job in page["items"])
    return json_response(page, headers={"Retry-After": _LOOK_AGAIN_SECONDS if ended else _ASK_AGAIN_SECONDS})


@routes.get("/v1/jobs/{id}", Scope.READ, answers={200: Job}, refuses=(404,))
def get_job(caller: Caller, id: UUID, query: JobQuery) -> Response:
    """One job; with ``wait`` as soon as it changes. While it has not ended, ``Retry-After`` says when to ask again."""
    job = container().jobs.get(caller, id, wait=query.wait)
    ended = is_terminal(JobState(job["state"]))
    return json_response(job, headers={} if ended else {"Retry-After": _ASK_AGAIN_SECONDS})


@routes.get("/v1/jobs/{id}/rejections", Scope.READ, answers={200: RejectionPage}, refuses=(404,))
def list_rejections(caller: Caller, id: UUID, query: RejectionsQuery) -> Answer:
    """Causes grouped, and a page of the rejected records in file order."""
    if query.records:
        page = container().details.rejections(caller, id, after=query.cursor, limit=query.limit)
    else:
        page = container().jobs.rejections(caller, id, after=query.cursor, limit=query.limit)
        page["items"] = [{**item, "cells": None} for item in page["items"]]
    return {**page, "next_cursor": rejections_cursor(page["next_cursor"])}


@routes.get("/v1/jobs/{id}/batches", Scope.READ, answers={200: BatchPage}, refuses=(404,))
def list_batches(caller: Caller, id: UUID, query: BatchesQuery) -> Answer:
    """A page of a job's batches, in file order."""
    return container().details.batches(caller, id, after=query.cursor, limit=query.limit)


@routes.post("/v1/jobs/{id}/redrive", Scope.WRITE, answers={202: Job}, refuses=(404, 409))
def redrive_job(caller: Caller, id: UUID, body: RedriveRequest) -> Response:
    """Do again what failed of a job; the job that does it."""
    container().jobs.get(caller, id)
    return accepted(container().jobs.get(caller, container().redrive.run(id, body.what)))

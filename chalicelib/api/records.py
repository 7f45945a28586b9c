"""``/v1/datasets/{name}/records``: records looked up and written, one by one or a few at a time.

They go through here as the text that they came as, and that they are shown as: numbers keep all their digits.
"""

import json
from collections.abc import Mapping

from chalice import Response

from chalicelib.api.models.records import (
    Deleted,
    DeleteQuery,
    Record,
    RecordBody,
    RecordPage,
    RecordsBody,
    RecordsQuery,
    WrittenRecords,
)
from chalicelib.api.requests import JSON, Request
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope
from chalicelib.services import record_answers
from chalicelib.services.idempotency import Asked

routes = Routes(__name__)
_ALL = "/v1/datasets/{name}/records"
_ONE = "/v1/datasets/{name}/records/{id}"


@routes.get(_ALL, Scope.READ, answers={200: RecordPage}, refuses=(404, 409))
def list_records(caller: Caller, name: str, query: RecordsQuery) -> Response:
    """Records in the order of their ids, those alone that have the values that are asked for.

    Filters are the dataset's ``filters`` and its keys.
    """
    page = container().records.page(
        caller, name, filters=query.__pydantic_extra__, cursor=query.cursor, limit=query.limit
    )
    items = b", ".join(page.bodies).decode()
    return _json(f'{{"items": [{items}], "next_cursor": {json.dumps(page.next_cursor)}}}')


@routes.post(_ALL, Scope.WRITE, answers={201: Record, 200: Record}, refuses=(404, 409, 422), raw=RecordBody)
def create_record(caller: Caller, name: str, request: Request, asked: Asked | None) -> Response:
    """Write a record by the dataset's policy: 201 where it made a row, 200 where it changed or met one."""
    record = container().records.create(caller, name, request.body, asked)
    headers = {"Location": f"/v1/datasets/{name}/records/{record.id}"}
    return _one(caller, record, 201 if record.created else 200, headers)


@routes.put(_ALL, Scope.WRITE, answers={207: WrittenRecords}, refuses=(404,), raw=RecordsBody, once=True)
def put_records(caller: Caller, name: str, request: Request, asked: Asked | None) -> Answer:
    """Write a batch of records: of each, what became of it. What is right is written, whatever the others are.

    Where records are added up or just added, the same batch sent again is added again, but for an ``Idempotency-Key``.
    """
    return container().records.put(caller, name, request.body, asked)


@routes.delete(_ALL, Scope.ADMIN, answers={200: Deleted}, refuses=(404, 409))
def delete_records(caller: Caller, name: str, query: DeleteQuery) -> Answer:
    """Delete all records of a dataset, in one transaction; ``confirm`` must be its name."""
    return {"deleted": container().records.delete_all(caller, name, query.confirm)}


@routes.get(_ONE, Scope.READ, answers={200: Record}, refuses=(404, 409))
def get_record(caller: Caller, name: str, id: int) -> Response:
    """One record; its ``ETag`` changes with its content."""
    return _one(caller, container().records.get(caller, name, id))


@routes.put(_ONE, Scope.WRITE, answers={200: Record}, refuses=(404, 409, 412, 422), raw=RecordBody)
def replace_record(caller: Caller, name: str, id: int, request: Request) -> Response:
    """Give a record other content; what is not there becomes null. With ``If-Match`` only if it is as it was."""
    return _one(caller, container().records.replace(caller, name, id, request.body, request.headers.get("if-match")))


@routes.patch(_ONE, Scope.WRITE, answers={200: Record}, refuses=(404, 409, 412, 422), raw=RecordBody)
def patch_record(caller: Caller, name: str, id: int, request: Request) -> Response:
    """Change some members of a record, as wholes. With ``If-Match`` only if it is as it was."""
    return _one(caller, container().records.patch(caller, name, id, request.body, request.headers.get("if-match")))


@routes.delete(_ONE, Scope.WRITE, answers={204: None}, refuses=(404, 409, 412))
def delete_record(caller: Caller, name: str, id: int, request: Request) -> Response:
    """Delete a record. With ``If-Match`` only if it is as it was."""
    container().records.delete(caller, name, id, request.headers.get("if-match"))
    return Response(body="", status_code=204, headers={"Cache-Control": "no-store"})


def _one(
    caller: Caller, record: record_answers.Record, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A record for whoever may read; for others its id alone, for what they wrote may have met what others wrote."""
    if not caller.may(Scope.READ):
        return _json(json.dumps({"id": record.id}), status, headers)
    return _json(record.body.decode(), status, {"ETag": record.etag, **(headers or {})})


def _json(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    sent: dict[str, str | list[str]] = {"Content-Type": JSON, "Cache-Control": "no-store", **(headers or {})}
    return Response(body=text, status_code=status, headers=sent)

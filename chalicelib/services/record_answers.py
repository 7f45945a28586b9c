"""What requests about records are answered with, and what they are refused for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from chalicelib.core.dataset import Dataset
from chalicelib.core.lines import Row
from chalicelib.core.parsed import Parsed
from chalicelib.core.rejection import RecordError
from chalicelib.core.representation import MAX_ID, matches, record_encoder, tag_of
from chalicelib.errors import ExportRefused, RequestRefused
from chalicelib.services.record_ports import Guard, Stored

Found = TypeVar("Found")

_CONFLICTS = {"unique-error", "primary-key"}


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it is: ``body`` is a JSON object. ``created`` if this request has made it."""

    id: int
    body: bytes
    etag: str
    created: bool = False


def record_of(dataset: Dataset, row: Row, *, created: bool = False) -> Record:
    """A row as it is answered. Raises RequestRefused: 409, it has a value that no file of the dataset can say."""
    body = body_of(dataset, row)
    return Record(id_of(row), body, tag_of(body), created)


def body_of(dataset: Dataset, row: Row) -> bytes:
    """A row as a JSON object. Raises as ``record_of``."""
    try:
        return record_encoder(dataset)(row).rstrip(b"\n")
    except ExportRefused as refused:
        raise RequestRefused(409, refused.code, refused.message) from None


def id_of(row: Row) -> int:
    """A row's id."""
    assert row[0] is not None, "it is the table's primary key"
    return int(row[0])


def guard_of(dataset: Dataset, if_match: str | None) -> Guard:
    """What lets a row be changed only if it is the one that ``If-Match`` names."""

    def guard(row: Row) -> None:
        if if_match is not None and not matches(if_match, tag_of(body_of(dataset, row))):
            raise RequestRefused(412, "changed-meanwhile", "the record is not the one that If-Match names any more")

    return guard


def item_of(row: int, stored: Stored) -> dict[str, Any]:
    """What became of a record of a batch that was not refused."""
    return {"status": 201 if row in stored.created else 200, "id": stored.ids.get(row), "errors": []}


def refused_item(errors: Sequence[RecordError]) -> dict[str, Any]:
    """What became of one that was."""
    return {"status": _status(errors), "id": None, "errors": _as_json(errors)}


def errors_of(parsed: Parsed, stored: Stored) -> dict[int, tuple[RecordError, ...]]:
    """What is wrong with each record that is not in the table, by its number from 1."""
    errors = {rejection.record: rejection.errors for rejection in parsed.rejections}
    for row, refusal in stored.placed.refusals.items():
        if row not in stored.ids:  # else it was passed over for a row that has its key
            errors[parsed.where(row).record] = refusal.errors
    return errors


def refuse(errors: Sequence[RecordError]) -> None:
    """Raises RequestRefused, 409 or 422, where there are errors."""
    if errors:
        message = "the record was rejected; errors say why"
        raise RequestRefused(_status(errors), "record-rejected", message, errors=_as_json(errors))


def stays(errors: Sequence[RecordError]) -> RequestRefused:
    """Why what was to be deleted was not."""
    message = "the database does not let it be deleted; errors say why"
    return RequestRefused(409, "not-deleted", message, errors=_as_json(errors))


def read_json(read: Callable[[bytes], Found], body: bytes) -> Found:
    """What is read from a body. Raises RequestRefused: 400, it is no JSON, or not what is asked for."""
    try:
        return read(body)
    except ValueError as problem:
        raise RequestRefused(400, "bad-body", f"the body is {problem}") from None


def known_id(id: int) -> int:
    """An id that a row may have. Raises RequestRefused: 404."""
    if not 0 < id <= MAX_ID:
        raise not_found()
    return id


def not_found() -> RequestRefused:
    """There is no such record."""
    return RequestRefused(404, "not-found", "there is no record with this id")


def _status(errors: Sequence[RecordError]) -> int:
    return 409 if all(error.code in _CONFLICTS for error in errors) else 422


def _as_json(errors: Sequence[RecordError]) -> list[dict[str, str | None]]:
    return [{"column": error.column, "code": error.code, "message": error.message} for error in errors]

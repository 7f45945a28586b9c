"""What arrives on the queues: S3's notifications in both of their shapes, and our own messages."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from chalicelib.errors import Terminal
from chalicelib.services.ports import Delivery, StoredObject

_MOST_BATCHES = (1 << 23) - 1


def objects_created(body: str) -> list[StoredObject]:
    """The objects whose creation a message announces; none for tests, deletions and whatever else S3 reports.

    Takes S3's own notification (``Records``; keys are form-encoded) and EventBridge's (``detail``; keys are plain).

    Raises:
        Terminal: the message is none of these.
    """
    message = _parse(body)
    try:
        if "Records" in message:
            return [_from_notification(record["s3"]) for record in message["Records"] if _creates(record)]
        if message.get("source") == "aws.s3":
            created = message.get("detail-type") == "Object Created"
            return [_from_eventbridge(message["detail"])] if created else []
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise Terminal("unknown-message", "a message on the intake queue announces no object") from None
    if message.get("Event") == "s3:TestEvent" or "job" in message:
        return []
    raise Terminal("unknown-message", "a message on the intake queue is neither S3's nor ours")


def job_of(body: str) -> UUID | None:
    """The job that one of our own messages is about, None where it is S3's. Raises Terminal as above."""
    message = _parse(body)
    return _job(message) if "job" in message else None


def batch_of(body: str) -> tuple[UUID, int]:
    """The (job, batch number) that a message on the batch queue is about. Raises Terminal where there is none."""
    message = _parse(body)
    number = message.get("batch")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= _MOST_BATCHES:
        raise Terminal("unknown-message", "a message on the batch queue names no batch")
    return _job(message), number


def undo_of(body: str) -> UUID | None:
    """The job that a message on the batch queue wants undone, None where it is about a batch. Raises as above."""
    message = _parse(body)
    return _id(message, "undo") if "undo" in message else None


def erasure_of(body: str) -> UUID | None:
    """The erasure that a message on the batch queue is about, None where it is about other things. Raises as above."""
    message = _parse(body)
    return _id(message, "erase") if "erase" in message else None


def export_of(body: str) -> UUID:
    """The export that a message on the export queue is about. Raises Terminal where there is none."""
    return _id(_parse(body), "export")


def delivery_of(record: Mapping[str, Any]) -> Delivery:
    """The delivery that a record of an SQS event stands for."""
    return Delivery(
        queue=record["eventSourceARN"],
        receipt=record["receiptHandle"],
        receives=int(record["attributes"]["ApproximateReceiveCount"]),
    )


def _job(message: Mapping[str, Any]) -> UUID:
    return _id(message, "job")


def _id(message: Mapping[str, Any], of: str) -> UUID:
    try:
        return UUID(message[of])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Terminal("unknown-message", f"a message of ours names no {of}") from None


def _parse(body: str) -> Mapping[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Terminal("unknown-message", "a message is not a JSON object")
    return message


def _creates(record: Mapping[str, Any]) -> bool:
    return str(record.get("eventName", "")).startswith("ObjectCreated")


def _from_notification(s3: Mapping[str, Any]) -> StoredObject:
    stored = s3["object"]
    return StoredObject(
        bucket=_word(s3["bucket"]["name"]),
        key=unquote_plus(stored["key"]),
        version_id=version_of(stored.get("versionId")),
        etag=_word(stored.get("eTag", "")).strip('"'),
        size=_size(stored.get("size", 0)),
    )


def _from_eventbridge(detail: Mapping[str, Any]) -> StoredObject:
    stored = detail["object"]
    return StoredObject(
        bucket=_word(detail["bucket"]["name"]),
        key=str(stored["key"]),
        version_id=version_of(stored.get("version-id")),
        etag=_word(stored.get("etag", "")).strip('"'),
        size=_size(stored.get("size", 0)),
    )


def _word(value: str) -> str:
    """Raises ValueError for what no bucket, version or ETag looks like."""
    if not value.isprintable():
        raise ValueError
    return value


def _size(value: str | float) -> int:
    size = int(value)
    if not 0 <= size < 1 << 63:
        raise ValueError
    return size


def version_of(version: str | None) -> str | None:
    """ "null" is how S3 names the version of an object from before its bucket kept versions."""
    return _word(version) if version and version != "null" else None

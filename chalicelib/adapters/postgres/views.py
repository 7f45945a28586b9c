"""Jobs and rejections in the API's shapes, read from the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.services.ports import RejectedBytes

VIEWS = queries("views")
COUNTS = ("read", "inserted", "updated", "unchanged", "ignored", "rejected")
FOUND = ("container", "format", "encoding", "delimiter")
BATCH_STATES = ("pending", "running", "succeeded", "failed", "cancelled")
_NO_FILTER: dict[str, Any] = {
    "id": None,
    "dataset": None,
    "datasets": None,
    "state": None,
    "key": None,
    "before": None,
    "limit": 1,
    "children": 20,  # that are named, the newest
}

_HELD = {
    "code": "load-window",
    "message": "waits for its dataset's load window to open; whoever may write can start it at once",
    "class": "waiting",
}


class PostgresViews:
    """See ``services.ports.Views``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def job(self, id: UUID) -> dict[str, Any] | None:
        with self._database.transaction() as cursor:
            return job_view(cursor, id)

    def glance(self, id: UUID) -> tuple[Any, ...] | None:
        with self._database.transaction() as cursor:
            cursor.execute(VIEWS["glance"], {"id": id})
            row = cursor.fetchone()
            return None if row is None else tuple(row)

    def jobs(self, **filters: Any) -> list[dict[str, Any]]:
        with self._database.transaction() as cursor:
            cursor.execute(VIEWS["jobs"], {**_NO_FILTER, **filters})
            rows = cursor.fetchall()
            found = causes(cursor, [row.number for row in rows if row.rejected])
            return [_job(row, found.get(row.number, [])) for row in rows]

    def rejections(self, id: UUID, after: tuple[int, int], limit: int) -> list[dict[str, Any]]:
        return [_rejection(row) for row in self._rejections(id, after, limit, raw_bytes=0)]

    def rejected_records(self, id: UUID, after: tuple[int, int], limit: int, raw_bytes: int) -> list[RejectedBytes]:
        return [
            RejectedBytes(
                _rejection(row),
                None if row.raw is None else bytes(row.raw),
                row.dataset,
                tuple(row.columns or ()),
                row.format,
                row.delimiter,
            )
            for row in self._rejections(id, after, limit, raw_bytes)
        ]

    def batches(self, id: UUID, after: int, limit: int) -> list[dict[str, Any]]:
        with self._database.transaction() as cursor:
            cursor.execute(VIEWS["batches"], {"id": id, "after": after, "limit": limit})
            return [dict(row._asdict()) for row in cursor.fetchall()]

    def ping(self) -> None:
        """Raises Transient when the database does not answer."""
        with self._database.transaction() as cursor:
            cursor.execute(VIEWS["ping"])

    def _rejections(self, id: UUID, after: tuple[int, int], limit: int, raw_bytes: int) -> list[Any]:
        batch, record = after
        values = {"id": id, "batch": batch, "record": record, "limit": limit, "raw_bytes": raw_bytes}
        with self._database.transaction() as cursor:
            cursor.execute(VIEWS["rejections"], values)
            return cursor.fetchall()


def job_view(cursor: Cursor, id: UUID) -> dict[str, Any] | None:
    """One job as the API shows it."""
    cursor.execute(VIEWS["jobs"], {**_NO_FILTER, "id": id})
    row = cursor.fetchone()
    return None if row is None else _job(row, causes(cursor, [row.number]).get(row.number, []))


def causes(cursor: Cursor, numbers: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The causes of each of these jobs that has any, most frequent first."""
    cursor.execute(VIEWS["causes"], {"numbers": list(numbers)})
    found: dict[int, list[dict[str, Any]]] = {}
    for row in cursor.fetchall():
        cause = dict(row._asdict())
        found.setdefault(cause.pop("job"), []).append(cause)
    return found


def timestamp(value: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the millisecond."""
    return None if value is None else value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rejection(row: Any) -> dict[str, Any]:
    return {
        "place": (row.batch, row.place),
        "record": None if row.record is None else int(row.record),
        "line": row.line,
        "errors": row.errors,
    }


def _job(row: Any, its_causes: list[dict[str, Any]]) -> dict[str, Any]:
    here = f"/v1/jobs/{row.id}"
    return {
        "id": str(row.id),
        "dataset": row.dataset,
        "state": row.state,
        "reason": row.reason if row.starts_at is None else _HELD,
        "object": {
            "bucket": row.bucket,
            "key": row.key,
            "version_id": row.version_id,
            "etag": row.etag,
            "size": row.size,
        },
        "counts": {name: getattr(row, name) for name in COUNTS},
        "balanced": row.balanced,
        "progress": {
            "bytes_done": row.bytes_done,
            "bytes_total": row.bytes_total,
            "batches": {name: getattr(row, name) for name in BATCH_STATES},
        },
        "causes": its_causes,
        "duplicate_of": None if row.duplicate_of is None else str(row.duplicate_of),
        "parent": None if row.parent is None else str(row.parent),
        "again_of": None if row.again_of is None else str(row.again_of),
        "undone": _undone(row),
        "children": [str(id) for id in reversed(row.children)],
        "resolved": row.resolved,
        "validate_only": row.validate_only,
        "found": {name: getattr(row, name) for name in FOUND},
        "attempts": row.attempts,
        "retry_at": timestamp(row.retry_at),
        "starts_at": timestamp(row.starts_at),
        "created_at": timestamp(row.created_at),
        "started_at": timestamp(row.started_at),
        "finished_at": timestamp(row.finished_at),
        "source": row.source,
        "links": {
            "self": here,
            "rejections": f"{here}/rejections",
            "rejected": f"{here}/rejected.csv",
            "result": f"{here}/result",
        },
    }


def _undone(row: Any) -> dict[str, Any] | None:
    if row.undo_asked_at is None:
        return None
    return {
        "asked_at": timestamp(row.undo_asked_at),
        "finished_at": timestamp(row.undo_finished_at),
        "counts": row.undo_counts,
        "reason": row.undo_reason,
    }

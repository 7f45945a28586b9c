"""Exports in the ledger, and the snapshots that their parts are written from."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg2.errors
from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor, Database, as_json
from chalicelib.adapters.postgres.finalising import reason_json
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.tables import column_type, names, table
from chalicelib.adapters.postgres.text import Rows
from chalicelib.adapters.postgres.views import timestamp
from chalicelib.core.dataset import Dataset
from chalicelib.core.lines import ROW_ID, Row, exported_columns
from chalicelib.core.rejection import RecordError
from chalicelib.core.values import compile_check
from chalicelib.errors import ExportRefused
from chalicelib.services.export_ports import ExportFormat, ExportJob, ExportPart, ExportState
from chalicelib.services.ports import Reason

EXPORTS = queries("exports")

_IDLE_SECONDS = 900  # a Lambda may run this long: an export without news for longer has nobody at work on it
_STUCK = 100  # exports swept at once
_ROWS = 50_000  # of a snapshot looked at for one page
_ROW_BYTES = 16  # that a row has at least, whatever its values
_SIZED = ("text", "jsonb", "numeric", "numeric[]")  # types whose values may be long


class PostgresExports:
    """See ``services.export_ports.ExportLedger`` for what each method promises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(
        self, id: UUID, dataset: str, format: str, filters: Mapping[str, str], max_part_bytes: int, *, with_id: bool
    ) -> None:
        values = {"id": id, "dataset": dataset, "format": format, "filters": as_json(dict(filters))}
        with self._database.transaction() as cursor:
            cursor.execute(EXPORTS["insert"], {**values, "max_part_bytes": max_part_bytes, "with_id": with_id})

    @contextmanager
    def working(self, id: UUID) -> Iterator[ExportJob | None]:
        with self._database.transaction() as cursor:
            cursor.execute(EXPORTS["lock"], {"id": str(id)})
            if not cursor.fetchone().locked:
                yield None
                return
            cursor.execute(EXPORTS["open"], {"id": id})
            row = cursor.fetchone()
            yield None if row is None else _export(row)

    def take_snapshot(self, export: ExportJob, dataset: Dataset, seconds: float) -> ExportJob:
        order = (*dataset.match_key, ROW_ID)  # keys may be null, and a dataset may have none
        conditions, values = _conditions(export, dataset)
        parts = {
            "snapshot": _snapshot(export.number),
            "columns": names((ROW_ID, *exported_columns(dataset, with_id=False))),
            "table": table(dataset),
            "order": names(dict.fromkeys(order)),
            "conditions": conditions,
        }
        with self._database.transaction() as cursor:
            cursor.execute(EXPORTS["limit_time"], {"milliseconds": str(max(1, int(seconds * 1000)))})
            cursor.execute(EXPORTS["hold"], {"number": export.number})
            cursor.execute(sql.SQL(EXPORTS["drop"]).format(**parts))
            cursor.execute(sql.SQL(EXPORTS["snapshot"]).format(**parts), values)
            rows = cursor.rowcount
            cursor.execute(sql.SQL(EXPORTS["index"]).format(**parts))
            cursor.execute(EXPORTS["start"], {"number": export.number, "rows": rows})
            return _export(cursor.fetchone())

    def parts(self, export: ExportJob) -> list[ExportPart]:
        with self._database.transaction() as cursor:
            return _parts(cursor, export.number)

    def rows(self, export: ExportJob, dataset: Dataset, after: int, most_bytes: int) -> list[Row]:
        page = sql.SQL(EXPORTS["page"]).format(
            columns=names(exported_columns(dataset, with_id=export.with_id)),
            bytes=row_bytes(dataset),
            snapshot=_snapshot(export.number),
            after=sql.Literal(after),
            most_rows=sql.Literal(min(_ROWS, most_bytes // _ROW_BYTES + 1)),
            most_bytes=sql.Literal(most_bytes),
        )
        rows = Rows()
        with self._database.transaction() as cursor:
            cursor.execute(EXPORTS["text_forms"])
            try:
                cursor.copy_expert(page, rows)
            except psycopg2.errors.UndefinedTable:
                cursor.connection.rollback()
        return rows.read

    def add_part(self, export: ExportJob, part: ExportPart) -> bool:
        values = {name: getattr(part, name) for name in ("number", "key", "rows", "bytes", "last_row", "sha256")}
        with self._database.transaction() as cursor:
            cursor.execute(EXPORTS["add_part"], {**values, "export": export.number})
            return bool(cursor.rowcount)

    def start_over(self, export: ExportJob) -> bool:
        number = {"number": export.number}
        with self._database.transaction() as cursor:
            cursor.execute(EXPORTS["hold"], number)
            if not cursor.rowcount:
                return False
            cursor.execute(EXPORTS["forget_parts"], number)
            cursor.execute(EXPORTS["start_over"], number)
            return True

    def end(self, id: UUID, state: ExportState, reason: Reason | None) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(EXPORTS["end"], {"id": id, "state": state, "reason": reason_json(reason)})
            row = cursor.fetchone()
            if row is not None:
                cursor.execute(sql.SQL(EXPORTS["drop"]).format(snapshot=_snapshot(row.number)))
            return row is not None

    def stuck(self) -> list[UUID]:
        with self._database.transaction() as cursor:
            cursor.execute(EXPORTS["take_stuck"], {"idle_seconds": _IDLE_SECONDS, "limit": _STUCK})
            return [row.id for row in cursor.fetchall()]

    def drop_leftovers(self) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(EXPORTS["leftovers"])
            for row in cursor.fetchall():
                cursor.execute(
                    sql.SQL(EXPORTS["drop"]).format(snapshot=sql.Identifier("dropload", row.name)),
                )

    def view(self, id: UUID) -> dict[str, Any] | None:
        with self._database.transaction() as cursor:
            cursor.execute(EXPORTS["view"], {"id": id})
            row = cursor.fetchone()
            if row is None:
                return None
            parts = [
                {"key": part.key, "rows": part.rows, "bytes": part.bytes, "sha256": part.sha256}
                for part in _parts(cursor, row.number)
            ]
        return {
            "id": str(row.id),
            "dataset": row.dataset,
            "format": row.format,
            "state": row.state,
            "reason": row.reason,
            "filters": row.filters,
            "max_part_bytes": row.max_part_bytes,
            "with_id": row.with_id,
            "rows": row.rows,
            "rows_done": sum(part["rows"] for part in parts),
            "bytes": row.bytes,
            "parts": parts,
            "snapshot_at": timestamp(row.snapshot_at),
            "created_at": timestamp(row.created_at),
            "started_at": timestamp(row.started_at),
            "finished_at": timestamp(row.finished_at),
        }


def _snapshot(number: int) -> sql.Identifier:
    return sql.Identifier("dropload", f"export_{number}")


def _conditions(export: ExportJob, dataset: Dataset) -> tuple[sql.Composable, dict[str, str | None]]:
    """The condition that a row is wanted, and its parameters. A missing value asks for null."""
    conditions: list[sql.Composable] = []
    values: dict[str, str | None] = {}
    for name, text in export.filters.items():
        field = next((field for field in dataset.fields if field.name == name), None)
        errors: list[RecordError] = []
        values[name] = compile_check(field)(text, errors) if field else None
        if field is None or errors:  # the descriptor was another one when this was asked for
            raise ExportRefused("bad-filter", f"filters.{name}: no value of the dataset any more")
        kind = sql.SQL(column_type(field))
        form = "{name} is null" if values[name] is None else "{name} = {value}::{kind}"
        conditions.append(sql.SQL(form).format(name=sql.Identifier(name), value=sql.Placeholder(name), kind=kind))
    return sql.SQL(" and ").join(conditions) if conditions else sql.SQL("true"), values


def row_bytes(dataset: Dataset) -> sql.Composable:
    """About how many bytes a row has."""
    long = [field.name for field in dataset.fields if column_type(field) in _SIZED]
    sizes = [sql.SQL("coalesce(octet_length({}::text), 0)").format(sql.Identifier(name)) for name in long]
    return sql.SQL(" + ").join([sql.Literal(_ROW_BYTES), *sizes])


def _parts(cursor: Cursor, number: int) -> list[ExportPart]:
    cursor.execute(EXPORTS["parts"], {"export": number})
    return [ExportPart(**row._asdict()) for row in cursor.fetchall()]


def _export(row: Any) -> ExportJob:
    return ExportJob(
        number=row.number,
        id=row.id,
        dataset=row.dataset,
        format=ExportFormat(row.format),
        filters=row.filters,
        max_part_bytes=row.max_part_bytes,
        with_id=row.with_id,
        rows=row.rows,
        snapshot_at=timestamp(row.snapshot_at),
    )

"""A person's rows, rejected records and whatever else of them the database has."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg2.errors
from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor, Database, as_json
from chalicelib.adapters.postgres.finalising import rejected_records
from chalicelib.adapters.postgres.hurry import HurriedCursor, hurried
from chalicelib.adapters.postgres.ledger import as_job
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.records import DELETED
from chalicelib.adapters.postgres.rowreads import RECORDS
from chalicelib.adapters.postgres.tables import column_type, table
from chalicelib.adapters.postgres.views import timestamp
from chalicelib.core.dataset import Dataset
from chalicelib.core.persons import is_about, pieces_of
from chalicelib.core.rejection import RecordError
from chalicelib.core.values import compile_check
from chalicelib.errors import RequestRefused
from chalicelib.services.ports import RejectedRecord

ERASING = queries("erasing")
_NAMED = 100  # objects that are listed
_PAGE = 500  # candidates fetched at once
_SECONDS = 20.0  # API Gateway waits for 29
_TOO_LARGE = "more is kept than can be looked through while you wait; an index on the key helps, and fewer LedgerDays"
_NOTHING = sql.SQL("false")


class PostgresErasures:
    """See ``services.erase.Erasures``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def erase(self, id: UUID, dataset: Dataset, key: Mapping[str, str], stored: Mapping[str, str]) -> None:
        with self._database.transaction() as waiting, hurried(waiting, _SECONDS, _TOO_LARGE) as cursor:
            cursor.execute(ERASING["limit_waiting"])
            _Erasing(cursor, dataset, key, stored).run(id)

    def view(self, id: UUID) -> dict[str, Any] | None:
        with self._database.transaction() as cursor:
            cursor.execute(ERASING["view"], {"id": id})
            row = cursor.fetchone()
        if row is None:
            return None
        return {
            "id": str(row.id),
            "dataset": row.dataset,
            "columns": row.columns,
            "erased": row.counts,
            "error_files_left": row.files,
            "may_hold": row.may_hold,
            "created_at": timestamp(row.created_at),
            "finished_at": timestamp(row.finished_at),
            "links": {"self": f"/v1/erasures/{row.id}"},
        }

    @contextmanager
    def next_file(self, id: UUID) -> Iterator["OpenFile | None"]:
        with self._database.transaction() as cursor:
            cursor.execute(ERASING["next_job"], {"id": id})
            row = cursor.fetchone()
            if row is None:
                cursor.execute(ERASING["forget_gone"], {"id": id})
            yield None if row is None else OpenFile(cursor, id, row)

    def lost(self) -> Sequence[UUID]:
        with self._database.transaction() as cursor:
            cursor.execute(ERASING["take_lost"])
            return [row.id for row in cursor.fetchall()]


class OpenFile:
    """See ``services.erase.OpenFile``."""

    def __init__(self, cursor: Cursor, id: UUID, row: Any) -> None:
        self._cursor = cursor
        self._id = id
        self.job = as_job(row)
        self.rejected: int = row.rejected

    def rejections(self) -> Iterator[RejectedRecord]:
        return rejected_records(self._cursor, self.job.number)

    def done(self) -> None:
        self._cursor.execute(ERASING["done"], {"id": self._id, "job": self.job.number})


class _Erasing:
    """One erasure's transaction."""

    def __init__(
        self, cursor: HurriedCursor, dataset: Dataset, key: Mapping[str, str], stored: Mapping[str, str]
    ) -> None:
        self._cursor = cursor
        self._dataset = dataset
        self._key = key
        self._stored = dict(stored)
        self._values = {f"value{nth}": text for nth, text in enumerate(stored.values())}
        self._here = {"dataset": dataset.name, **self._values}

    def run(self, id: UUID) -> None:
        rows = self._do("rows", same=self._same("{name} = {value}::{type}"))
        ids: Any = {"ids": [row.id for row in rows]}
        # A row's earlier values are JSON: compared as values of their type, as the row's own are.
        was = self._same("(was ->> {text})::{type} = {value}::{type}")
        earlier = self._do("earlier_rows", was=was, **ids)
        forgotten = self._count("forget_rows", **ids) + self._count("forget_versions", was=was)
        try:
            deleted = self._count("delete", **ids)
        except psycopg2.errors.IntegrityError:
            message = "rows of another table refer to the rows of this person; erase those first"
            raise RequestRefused(409, "referred-to", message) from None
        self._announce(ids["ids"])
        rejected = self._rejected()
        jobs = sorted({place[0] for place in rejected})
        self._cursor.execute(
            ERASING["redact"],
            {
                "jobs": [place[0] for place in rejected],
                "batches": [place[1] for place in rejected],
                "records": [place[2] for place in rejected],
            },
        )
        counts = {
            "rows": deleted,
            "rejected_records": len(rejected),
            "error_files": len(jobs),
            "earlier_values": forgotten,
            "kept_answers": self._count("forget_answers"),
            "export_filters": self._blank_filters(),
        }
        touched = {row.job for row in rows} | {row.job for row in earlier} | {row.before for row in earlier} | set(jobs)
        values = {"id": id, "columns": list(self._key), "counts": as_json(counts), "jobs": jobs}
        held = as_json(self._may_hold(touched - {None, 0}))
        self._cursor.execute(ERASING["open"], {**self._here, **values, "may_hold": held})

    def _announce(self, ids: list[int]) -> None:
        if ids:
            self._cursor.execute(RECORDS["draw_number"])
            event = {"dataset": self._dataset.name, "event": DELETED, "ids": sorted(ids)}
            self._cursor.execute(RECORDS["announce"], {**event, "write": self._cursor.fetchone().number})

    def _blank_filters(self) -> int:
        """Exports that were of just this person do not tell of whom any more; how many."""
        self._cursor.execute(ERASING["filtered_exports"], {**self._here, "names": list(self._key)})
        about = [row for row in self._cursor.fetchall() if self._is_hers(row.filters)]
        for row in about:
            filters = as_json({**row.filters, **dict.fromkeys(self._key, "")})
            self._cursor.execute(ERASING["blank_filters"], {"number": row.number, "filters": filters})
        return len(about)

    def _is_hers(self, filters: Mapping[str, str]) -> bool:
        """Whether these values are the person's, as the table has them."""
        errors: list[RecordError] = []
        stored = {name: compile_check(self._dataset.field(name))(filters[name], errors) for name in self._key}
        return stored == self._stored

    def _may_hold(self, jobs: set[Any]) -> dict[str, Any]:
        self._cursor.execute(ERASING["objects"], {"jobs": sorted(jobs), "limit": _NAMED})
        files = self._cursor.fetchall()
        self._cursor.execute(ERASING["exports"], {**self._here, "limit": _NAMED})
        exports = [row.key for row in self._cursor.fetchall()]
        self._cursor.execute(ERASING["count_open"], self._here)
        return {
            "input": [{"key": row.key, "version_id": row.version_id} for row in files],
            "staging": [f"staging/{self._dataset.name}/job={row.id}/" for row in files if row.staged],
            "output": exports,
            "open_jobs": self._cursor.fetchone().jobs,
        }

    def _rejected(self) -> list[tuple[int, int, int]]:
        found = []
        pieces = [piece.encode() for piece in pieces_of(list(self._key.values()))]
        with self._cursor.connection.cursor("candidates", cursor_factory=Cursor) as named:
            self._cursor.limit()
            named.execute(ERASING["candidates"], {**self._here, "pieces": pieces})
            while page := self._next_page(named):
                for row in page:
                    dataset = self._dataset.delimited_by(row.delimiter)
                    if is_about(bytes(row.raw), self._key, row.columns or (), row.format, dataset):
                        found.append((row.job, row.batch, row.record))
        return found

    def _next_page(self, named: Cursor) -> list[Any]:
        self._cursor.limit()
        return named.fetchmany(_PAGE)

    def _same(self, each: str) -> sql.Composed:
        parts = (
            sql.SQL(each).format(
                name=sql.Identifier(name),
                text=sql.Literal(name),
                value=sql.Placeholder(value),
                type=sql.SQL(column_type(self._dataset.field(name))),
            )
            for name, value in zip(self._key, self._values, strict=True)
        )
        return sql.SQL(" and ").join(parts)

    def _do(self, query: str, was: sql.Composable = _NOTHING, **more: Any) -> list[Any]:
        self._execute(query, was, more)
        return self._cursor.fetchall()

    def _count(self, query: str, was: sql.Composable = _NOTHING, **more: Any) -> int:
        self._execute(query, was, more)
        return self._cursor.rowcount

    def _execute(self, query: str, was: sql.Composable, more: dict[str, Any]) -> None:
        same = more.pop("same", _NOTHING)
        statement = sql.SQL(ERASING[query]).format(table=table(self._dataset), same=same, was=was)
        self._cursor.execute(statement, {**self._here, **more})

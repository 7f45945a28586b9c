"""A job is undone: its rows, and what they were before, in a temporary table, and then in the dataset's."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg2 import sql

from chalicelib.adapters.postgres.attempt import attempt
from chalicelib.adapters.postgres.database import Cursor, Database, as_json
from chalicelib.adapters.postgres.hurry import hurried
from chalicelib.adapters.postgres.ledger import JOBS, as_job
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.refusals import REFUSED
from chalicelib.adapters.postgres.tables import column_type, table
from chalicelib.adapters.postgres.terms import hash_of
from chalicelib.core.dataset import Dataset
from chalicelib.core.labels import resolve
from chalicelib.core.origin import origin_of
from chalicelib.services.ports import Reason
from chalicelib.services.undo import Facts, Found

UNDOING = queries("undoing")
_MOST_SECONDS = 780.0
_TOO_LARGE = "the table is too large to be looked through while you wait; an index on _origin helps"


class PostgresUndos:
    """See ``services.undo.Undos``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def looking(self, id: UUID, seconds: float) -> Iterator["Held | None"]:
        with self._database.transaction() as waiting, hurried(waiting, seconds, _TOO_LARGE) as cursor:
            cursor.execute(UNDOING["limit_waiting"], {"lock": "5s"})
            cursor.execute(UNDOING["job"], {"id": id})
            row = cursor.fetchone()
            yield None if row is None else Held(cursor, row)

    @contextmanager
    def undoing(self, id: UUID, seconds: float) -> Iterator["Held | None"]:
        with self._database.transaction() as waiting, hurried(waiting, min(seconds, _MOST_SECONDS)) as cursor:
            cursor.execute(UNDOING["limit_waiting"], {"lock": "300s"})
            cursor.execute(UNDOING["name_of"], {"id": id})
            name = cursor.fetchone()
            if name is None:
                yield None
                return
            # Whoever drops the same bytes again meanwhile finds a job that has loaded them, or one that was undone.
            cursor.execute(JOBS["lock_name"], name._asdict())
            cursor.execute(UNDOING["hold"], {"id": id})
            cursor.execute(UNDOING["asked"], {"id": id})
            if cursor.fetchone() is None:
                yield None
                return
            cursor.execute(UNDOING["job"], {"id": id})
            yield Held(cursor, cursor.fetchone(), locks=True)

    def give_up(self, id: UUID, reason: Reason) -> None:
        with self._database.transaction() as cursor:
            _finish(cursor, id, None, reason)

    def lost(self) -> list[UUID]:
        with self._database.transaction() as cursor:
            cursor.execute(UNDOING["take_lost"])
            return [row.id for row in cursor.fetchall()]


class Held:
    """See ``services.undo.HeldUndo`` and ``HeldRequest``."""

    def __init__(self, cursor: Cursor, row: Any, *, locks: bool = False) -> None:
        self._cursor = cursor
        self._locks = locks
        self._made: int = row.inserted
        self._missing = 0
        self.token: str = row.token or ""
        job = as_job(row)
        self._here = {
            "job": job.number,
            "dataset": job.dataset,
            "first": origin_of(job.number, 0),
            "beyond": origin_of(job.number + 1, 0),
        }
        cursor.execute(UNDOING["kinds"], self._here)
        kinds = cursor.fetchone()
        self.facts = Facts(
            job=job,
            loaded=row.inserted + row.updated + row.unchanged,
            undone=row.undone_at is not None,
            beside_unkept=row.beside_unkept,
            changes=kinds.changes,
            additions=kinds.additions,
        )

    def look(self, dataset: Dataset, *, sums: bool) -> Found:
        if self._locks:
            self._do("lock_table", dataset)
        if sums:
            self._do("gather_sums", dataset)
            self._index()
        else:
            self._do("gather_rows", dataset, hash=self._hash(dataset))
            self._index()
            self._do("find_heirs", dataset)
            self._do("decide", dataset)
            self._cursor.execute(UNDOING["count_made"])
            self._missing = max(0, self._made - int(self._cursor.fetchone().rows))
        self._hold_back(dataset)
        return self._found()

    def carry_out(self, dataset: Dataset, *, sums: bool) -> Found:
        found = self._found()
        self._do("delete", dataset)
        if sums:
            self._do("subtract", dataset, assignments=self._subtractions(dataset))
        else:
            self._restore(dataset)
            self._do("hand_over", dataset)
            self._do("take_out", dataset)
        self._cursor.execute(UNDOING["resolved"], self._here)
        resolved = self._cursor.fetchall()
        self._cursor.execute(UNDOING["unresolve"], {**self._here, "jobs": [row.job for row in resolved]})
        for row in resolved:
            self._cursor.execute(UNDOING["count_unresolved"], {"number": row.job, "records": row.records})
        done = self._found()
        self._cursor.execute(UNDOING["forget"], self._here)
        self._cursor.execute(UNDOING["undone"], self._here)
        return Found(rows=done.rows, unresolved=found.unresolved, digest=done.digest)

    def ask(self, token: str) -> None:
        self._cursor.execute(UNDOING["ask"], {**self._here, "token": token})

    def finish(self, counts: Mapping[str, int] | None, reason: Reason | None) -> None:
        _finish(self._cursor, self.facts.job.id, counts, reason)

    def _do(self, query: str, dataset: Dataset, **parts: sql.Composable) -> None:
        statement = sql.SQL(UNDOING[query]).format(table=table(dataset), **parts)
        self._cursor.execute(statement, self._here)

    def _index(self) -> None:
        self._cursor.execute(UNDOING["index"])
        self._cursor.execute(UNDOING["analyze"])

    def _hash(self, dataset: Dataset) -> sql.Composable:
        """As ``merge`` has hashed the values that the job's file gave a row."""
        job = self.facts.job
        held = set(resolve(job.columns or (), dataset)) - set(dataset.match_key if job.keeps else ())
        types = {field.name: column_type(field) for field in dataset.fields if field.name in held}
        return hash_of("kept", list(types), types) if job.keeps and types else sql.SQL("null::bigint")

    def _hold_back(self, dataset: Dataset) -> None:
        target = sql.Literal(table(dataset).as_string(self._cursor))
        self._cursor.execute(sql.SQL(UNDOING["references"]).format(target=target))
        links = self._cursor.fetchall()
        found = True
        while found:
            found = False
            for link in links:
                pairs = zip(link.columns, link.keys, strict=True)
                same = (sql.SQL("other.{} = kept.{}").format(*map(sql.Identifier, pair)) for pair in pairs)
                statement = sql.SQL(UNDOING["hold_back"]).format(
                    table=table(dataset),
                    other=sql.SQL(link.table),  # as PostgreSQL has spelt it
                    other_id=sql.SQL("other.id" if link.itself else "null::bigint"),
                    same=sql.SQL(" and ").join(same),
                )
                self._cursor.execute(statement, {"itself": link.itself})
                found = found or (link.itself and bool(self._cursor.rowcount))

    def _restore(self, dataset: Dataset) -> None:
        fields = [field.name for field in dataset.fields]
        parts = {
            "assignments": sql.SQL(", ").join(sql.SQL("{0} = old.{0}").format(sql.Identifier(name)) for name in fields),
            "old": sql.SQL(", ").join(sql.SQL("old.{}").format(sql.Identifier(name)) for name in fields),
        }
        with attempt(self._cursor) as restoring:
            try:
                self._do("restore", dataset, **parts)
                restoring.keep()
                return
            except REFUSED:
                pass
        one = sql.SQL(UNDOING["restore_one"]).format(table=table(dataset), **parts).as_string(self._cursor)
        self._cursor.execute(UNDOING["restore_singly"], {"restore_one": one})

    def _subtractions(self, dataset: Dataset) -> sql.Composed:
        each = sql.SQL(
            """{name} = case
                   when touched.known and not exists (
                       select from dropload.before as other
                       where other.dataset = {dataset} and other.id = touched.id and other.was_origin is null
                         and not (other.origin >= %(first)s and other.origin < %(beyond)s)
                         and other.was ->> {key} is not null
                   ) then {nothing}
                   when touched.was ->> {key} is null then kept.{name}
                   else (kept.{name} - (touched.was ->> {key})::numeric)::{type}
               end"""
        )
        return sql.SQL(", ").join(
            each.format(
                name=sql.Identifier(field.name),
                key=sql.Literal(field.name),
                dataset=sql.Literal(dataset.name),
                nothing=sql.SQL("0" if field.constraints.required else "null"),
                type=sql.SQL(column_type(field)),
            )
            for field in dataset.fields
            if field.measure
        )

    def _found(self) -> Found:
        self._cursor.execute(UNDOING["counts"])
        rows = {row.fate: (int(row.rows), row.sum) for row in self._cursor.fetchall()}
        self._cursor.execute(UNDOING["resolved"], self._here)
        unresolved = sum(int(row.records) for row in self._cursor.fetchall())
        if self._missing:
            count, digest = rows.get("gone", (0, "0"))
            rows["gone"] = (count + self._missing, digest)
        digest = hashlib.sha256(repr(sorted(rows.items())).encode()).hexdigest()
        return Found(rows={fate: count for fate, (count, _) in rows.items()}, unresolved=unresolved, digest=digest)


def _finish(cursor: Cursor, id: UUID, counts: Mapping[str, int] | None, reason: Reason | None) -> None:
    told = None if reason is None else as_json({"code": reason.code, "message": reason.message})
    done = None if counts is None else as_json(dict(counts))
    cursor.execute(UNDOING["finish"], {"id": id, "counts": done, "reason": told})

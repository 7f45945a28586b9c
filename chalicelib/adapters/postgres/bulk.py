"""Bulk: a job's rows go beside the table as they come, into a shadow without indexes, straight from COPY.

Their ids are drawn before, for all records of a batch in file order, and noted in the ledger: so an id tells its
record. Which rows must go for their keys is found when all are there (``contested``).
"""

from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import psycopg2.extras
from psycopg2 import sql

from chalicelib.adapters.postgres import shadow
from chalicelib.adapters.postgres.attempt import attempt
from chalicelib.adapters.postgres.copying import Miscounted, copy_rows, has_all_columns
from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.place import place
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.refusals import REFUSED
from chalicelib.adapters.postgres.tables import table_of
from chalicelib.core.dataset import Dataset
from chalicelib.core.origin import origin_of
from chalicelib.core.reader import Parsed, Reader
from chalicelib.services.ports import Batch, Job, Placed

BULK = queries("bulk")


def place_beside(cursor: Cursor, batch: Batch, dataset: Dataset, reader: Reader, parsed: Parsed) -> Placed:
    """Load every row that no constraint forbids into the shadow of the batch's job; say why not of each other one.

    Keys refuse rows only where the shadow has them. Raises as ``place``.
    """
    job = batch.job
    target, origin = shadow.shadow_of(job.number), origin_of(job.number, batch.number)
    if not parsed.accepted:
        return Placed()
    if is_keyed(cursor, job):
        run(cursor, "one_at_a_time", job)
        shadow.hold(cursor, job.dataset)
        return place(cursor, dataset, target, reader, parsed, origin, passing=job.validate_only)
    ids = _draw(cursor, batch, parsed.records)
    if has_all_columns(reader) and not dataset.foreign_keys:
        with attempt(cursor) as copying, suppress(*REFUSED, Miscounted):
            cursor.execute(BULK["check_at_once"])
            placed = Placed(inserted=copy_rows(cursor, target, dataset, reader, parsed, origin, ids=ids))
            copying.keep()
            return placed
    return place(cursor, replace(dataset, unique_keys=()), target, reader, parsed, origin, ids=ids)


def is_keyed(cursor: Cursor, job: Job) -> bool:
    """Whether the job's shadow has keys from the start: where they are not plain (``dropload.is_plain``)."""
    run(cursor, "is_keyed", job)
    return bool(cursor.fetchone().found)


def run(cursor: Cursor, query: str, job: Job, values: Any = None, /, **parts: sql.Composable) -> None:
    """Run a query of ``bulk.sql`` on a job's shadow, with these parts in its braces."""
    target, beside = table_of(job.dataset), shadow.shadow_of(job.number)
    statement = sql.SQL(BULK[query]).format(
        shadow=beside,
        target=sql.Literal(target.as_string(cursor)),
        shadow_name=sql.Literal(beside.as_string(cursor)),
        **parts,
    )
    cursor.execute(statement, {"dataset": job.dataset, "job": job.number, **(values or {})})


class Run(NamedTuple):
    """Ids of a batch's records from ``record`` on, up to the next run: ``id``, and each next one ``step`` further."""

    record: int
    id: int
    step: int


def _draw(cursor: Cursor, batch: Batch, records: int) -> Sequence[int]:
    """Draw ids for this many records and note them; the ``n``-th record's is the ``n``-th of what is returned."""
    with attempt(cursor):  # not kept, which ends the lock; what is drawn stays drawn
        runs = _drawn(cursor, batch.job, records)
    ends = [*(each.record for each in runs[1:]), records + 1]
    counted = [(each, end - each.record) for each, end in zip(runs, ends, strict=True)]
    here = (batch.job.number, batch.number)
    rows = [(*here, each.record, count, each.id, each.step) for each, count in counted]
    psycopg2.extras.execute_values(cursor, BULK["note"], rows)
    if len(runs) == 1:
        first, step = runs[0].id, runs[0].step
        return range(first - step, first + step * records, step)
    ids = array("q", [0])
    for each, count in counted:
        ids.extend(range(each.id, each.id + each.step * count, each.step))
    return ids


def _drawn(cursor: Cursor, job: Job, records: int) -> list[Run]:
    run(cursor, "lock_ids", job)
    run(cursor, "draw", job, {"records": records})
    drawn = cursor.fetchone()
    if drawn.highest - drawn.lowest == abs(drawn.step) * (records - 1):
        return [Run(1, drawn.lowest if drawn.step > 0 else drawn.highest, drawn.step)]
    run(cursor, "draw_in_runs", job, {"records": records})
    return [Run(*row) for row in cursor.fetchall()]

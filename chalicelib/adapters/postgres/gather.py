"""Gathering: the rows of a large file that is added up wait in a table of their own, its *partial*, until its job ends.

There each batch is one COPY, with no key to look up. The finaliser then adds all of them to the dataset's table at
once, one row a key, in key order. Sums are the same in any order, so that any batch may go the direct way instead.
"""

from typing import Any

import psycopg2
import psycopg2.errors
from psycopg2 import sql

from chalicelib.adapters.postgres.attempt import attempt
from chalicelib.adapters.postgres.copying import copy_as_it_is, has_all_columns
from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.refusals import REFUSED
from chalicelib.adapters.postgres.staging import STAGING, Staging
from chalicelib.adapters.postgres.tables import ORIGIN, names, table_of
from chalicelib.core.dataset import Dataset, OnConflict
from chalicelib.core.labels import resolve
from chalicelib.core.origin import origin_of
from chalicelib.core.reader import Parsed, Reader
from chalicelib.services.ports import Job

GATHER = queries("gather")
REPLAY = queries("replay")
_OUT_OF_TIME = psycopg2.errors.QueryCanceled


def partial_of(job: int) -> sql.Identifier:
    """Where the rows of this job wait."""
    return sql.Identifier("dropload", f"partial_{job}")


def fits(cursor: Cursor, dataset: str) -> bool:
    """Whether a dataset's table takes or refuses a record the same, whenever and with however many others it comes."""
    target = sql.Literal(table_of(dataset).as_string(cursor))
    cursor.execute(sql.SQL(GATHER["has_rules"]).format(target=target))
    return not cursor.fetchone().found


def make(cursor: Cursor, dataset: str, job: int) -> None:
    """Make a job's partial."""
    cursor.execute(sql.SQL(GATHER["make"]).format(partial=partial_of(job), table=table_of(dataset)))


def drop(cursor: Cursor, job: int) -> None:
    """Drop a job's partial, if there is one."""
    cursor.execute(sql.SQL(GATHER["drop"]).format(partial=partial_of(job)))


def drop_left_over(cursor: Cursor) -> int:
    """Drop the partials of jobs that have ended; how many there were."""
    cursor.execute(GATHER["left_over"])
    jobs = [row.job for row in cursor.fetchall()]
    for job in jobs:
        drop(cursor, job)
    return len(jobs)


def gather(cursor: Cursor, dataset: Dataset, job: int, reader: Reader, parsed: Parsed, origin: int) -> bool:
    """Put a batch's accepted rows into its job's partial. False, and nothing is there, where that did not take them.

    Raises:
        psycopg2.Error: whatever the database says of more than a single row.
        Terminal: COPY took another number of rows than were sent.
    """
    if dataset.on_conflict is not OnConflict.SUM:
        return False  # the descriptor has changed since the job started
    with attempt(cursor) as gathering:
        try:
            if has_all_columns(reader):
                cursor.execute(STAGING["set_origin"], {"setting": ORIGIN, "origin": str(origin)})
                copy_as_it_is(cursor, partial_of(job), dataset, reader, parsed)
            else:
                staging = Staging(cursor, dataset, partial_of(job), reader, parsed, origin)
                insert = sql.SQL(GATHER["insert_staged"])
                cursor.execute(insert.format(partial=partial_of(job), columns=names(staging.types)))
        except (*REFUSED, psycopg2.ProgrammingError):  # the table has changed since the job started
            return False
        gathering.keep()
    return True


def waiting(cursor: Cursor, job: int) -> bool:
    """Whether batches of a job have records that are booked, and that its dataset's table does not have yet."""
    cursor.execute(GATHER["waiting"], {"job": job})
    return bool(cursor.fetchone().found)


def merge(cursor: Cursor, dataset: Dataset, job: Job, seconds: float, *, alone: bool) -> Any:
    """Add all that a job has gathered to the table; the job's row, or None where that was refused or took too long.

    With ``alone`` nobody else writes to the table meanwhile.
    """
    milliseconds = str(max(1, int(seconds * 1000)))
    cursor.execute(GATHER["prepare"], {"dataset": dataset.name, "milliseconds": milliseconds})
    with attempt(cursor) as merging:
        try:
            if alone:
                cursor.execute(sql.SQL(GATHER["lock_table"]).format(table=table_of(dataset.name)))
            if not fits(cursor, dataset.name):
                return None
            here = {"job": job.number, "origin": origin_of(job.number, 0), "dataset": dataset.name}
            cursor.execute(_merging(dataset, job), here)
        except (*REFUSED, _OUT_OF_TIME, psycopg2.ProgrammingError):
            return None
        merging.keep()
    cursor.execute(REPLAY["add_up"], {"job": job.number})
    return cursor.fetchone()


def scatter(cursor: Cursor, job: int) -> None:
    """Give up a job's partial: batches that wait must be placed one by one, and all that are still to come directly."""
    cursor.execute(GATHER["scatter"], {"job": job})
    drop(cursor, job)


def disown(cursor: Cursor, job: int) -> Any:
    """Book what waits as ignored, since it is in no table; the job's row."""
    cursor.execute(GATHER["disown"], {"job": job})
    cursor.execute(REPLAY["add_up"], {"job": job})
    return cursor.fetchone()


def give_up(cursor: Cursor, job: int) -> Any:
    """Book what waits as ignored, for good; the job's row."""
    disown(cursor, job)
    cursor.execute(GATHER["give_up"], {"job": job})
    cursor.execute(REPLAY["add_up"], {"job": job})
    return cursor.fetchone()


def _merging(dataset: Dataset, job: Job) -> sql.Composed:
    """Nothing adds nothing; only of nothings the sum is nothing. What the file does not have stays as it is."""
    key = dataset.match_key
    held = resolve(job.columns or (), dataset)
    measures = [field.name for field in dataset.fields if field.name in held and field.name not in key]
    add = sql.SQL("{name} = coalesce(kept.{name} + excluded.{name}, kept.{name}, excluded.{name})")
    sums = [sql.SQL("sum({})").format(sql.Identifier(name)) for name in measures]
    named = [sql.SQL("{} as {}").format(each, sql.Identifier(name)) for each, name in zip(sums, measures, strict=True)]
    ours = [sql.SQL("added.{0} as {0}").format(sql.Identifier(name)) for name in measures]
    same = (sql.SQL("added.{0} = kept.{0}").format(sql.Identifier(name)) for name in key)
    return sql.SQL(GATHER["merge_and_keep" if job.keeps else "merge"]).format(
        sums_as=sql.SQL(", ").join([*map(sql.Identifier, key), *named]),
        amounts=sql.SQL("(select to_jsonb(one) from (select {}) as one)").format(sql.SQL(", ").join(ours)),
        same=sql.SQL(" and ").join(same),
        table=table_of(dataset.name),
        partial=partial_of(job.number),
        columns=names([*key, *measures]),
        key=names(key),
        sums=sql.SQL(", ").join([*map(sql.Identifier, key), *sums]),
        assignments=sql.SQL(", ").join(add.format(name=sql.Identifier(name)) for name in measures),
    )

"""What work took: booked with what it did, and read for receipts."""

from typing import Any
from uuid import UUID

from chalicelib.adapters.postgres.database import Cursor, Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.core.cost import PART_BYTES, Facts, Work, receipt
from chalicelib.services.telemetry import Worked

WORK = queries("work")


def spent(worked: Worked | None, memory_mb: int) -> dict[str, int]:
    """``worked_ms`` and ``mb_ms`` as parameters."""
    ms = 0 if worked is None else worked.ms
    return {"worked_ms": ms, "mb_ms": ms * memory_mb}


def add(cursor: Cursor, number: int, worked: Worked | None, memory_mb: int) -> None:
    """Book what a function did for a job."""
    if worked is not None:
        times = int(worked.first)
        cursor.execute(WORK["add"], {"job": number, "what": worked.what, "times": times, **spent(worked, memory_mb)})


def receipt_of(cursor: Cursor, id: UUID) -> tuple[str, dict[str, Any]] | None:
    """The dataset of a job, and its receipt as of now; None where there is no such job."""
    cursor.execute(WORK["facts"], {"id": id, "part": PART_BYTES})
    row = cursor.fetchone()
    if row is None:
        return None
    work = {what: Work(**took) for what, took in row.work.items()}
    if row.batches:
        work["load"] = Work(row.attempts, row.worked_ms, row.mb_ms)
    facts = Facts(
        wall_seconds=row.wall_seconds,
        loading_seconds=row.loading_seconds,
        read=row.read,
        rejected=row.rejected,
        fetched=row.size,
        staged_writes=row.staged_writes,
        batches=row.batches,
        work=work,
    )
    return row.dataset, receipt(facts)


class PostgresReceipts:
    """See ``services.receipts.ReceiptView``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def receipt(self, id: UUID) -> tuple[str, dict[str, Any]] | None:
        with self._database.transaction() as cursor:
            return receipt_of(cursor, id)

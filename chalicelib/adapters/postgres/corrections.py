"""Correction files in the ledger: whose rejected records they are, and which of those are loaded after all."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from uuid import UUID

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.core.corrections import Place
from chalicelib.services.ports import Job

CORRECTIONS = queries("corrections")
_KEY = re.compile(r"/job=([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/")
_CANDIDATES = 50  # jobs that are looked at to find the one with a file's rejections


def find_parent(cursor: Cursor, job: Job, columns: Sequence[str], places: Sequence[Place]) -> int | None:
    """The number of the job that a file corrects, ``None`` where it is not to be found.

    The one that the file's key names, else, of those with the same columns that have a rejection at each of ``places``,
    the one whose records are most like these; the newest of several.
    """
    here = {"dataset": job.dataset, "number": job.number, "columns": list(columns), "limit": _CANDIDATES}
    if named := _KEY.search(job.object.key):
        cursor.execute(CORRECTIONS["named_parent"], {**here, "id": UUID(named[1])})
        if (found := cursor.fetchone()) is not None:
            return int(found.number)
    places = [place for place in places if place.line is not None]
    if not places:
        return None
    cursor.execute(CORRECTIONS["candidates"], here)
    likeness = {row.number: _likeness(cursor, row.number, places) for row in cursor.fetchall()}
    alike = [(found, number) for number, found in likeness.items() if found is not None]
    return max(alike)[1] if alike else None


def lacks_its_whole(cursor: Cursor, number: int) -> bool:
    """Whether a job's records belong to a file that was to replace its dataset's table, whose rows are not there."""
    cursor.execute(CORRECTIONS["without_its_whole"], {"number": number})
    return bool(cursor.fetchone().found)


def resolve(cursor: Cursor, parent: int, lines: Iterable[int], *, by: int) -> None:
    """Mark the rejections on these lines of the parent's file as resolved by a job, and those that they correct.

    Jobs' rows are locked from the younger to the older: who resolves, books or finishes never waits in a circle.
    """
    number: int | None = parent
    wanted = set(lines)
    while number is not None and wanted:
        cursor.execute(CORRECTIONS["lock_job"], {"number": number})
        grandparent = cursor.fetchone().parent
        located = _located(cursor, number, wanted)
        at = {"at_batches": [batch for batch, _ in located], "at_lines": [line for _, line in located]}
        batches = sorted(set(at["at_batches"]))
        cursor.execute(CORRECTIONS["resolve"], {"number": number, "by": by, "batches": batches, **at})
        resolved = cursor.fetchall()
        cursor.execute(CORRECTIONS["count_resolved"], {"number": number, "resolved": len(resolved)})
        wanted = {row.corrects for row in resolved if row.corrects is not None}
        number = grandparent


def _located(cursor: Cursor, number: int, lines: Iterable[int]) -> list[tuple[int, int]]:
    """(batch, line) for each of these lines of a job's file that some batch has."""
    cursor.execute(CORRECTIONS["first_lines"], {"number": number})
    rows = cursor.fetchall()
    firsts, batches = [row.first_line for row in rows], [row.number for row in rows]
    found = ((bisect_right(firsts, line), line) for line in lines)
    return [(batches[after - 1], line) for after, line in found if after]


def _likeness(cursor: Cursor, number: int, places: Sequence[Place]) -> int | None:
    """How much a job's rejections are like these; ``None`` where it has none at a place, or for other reasons."""
    located = _located(cursor, number, {place.line for place in places if place.line is not None})
    at = {"batches": [batch for batch, _ in located], "lines": [line for _, line in located]}
    cursor.execute(CORRECTIONS["rejections_at"], {"number": number, **at})
    there = {row.line: ("; ".join(error["code"] for error in row.errors), row.raw) for row in cursor.fetchall()}
    likeness = 0
    for place in places:
        codes, raw = there.get(place.line or 0, (None, b""))
        if codes is None or place.codes not in (None, codes):
            return None
        likeness += place.likeness(bytes(raw))
    return likeness

"""Place: a batch's accepted rows go through a staging table into the dataset's table, in one transaction.

In file order, as if each row were inserted alone: the first of several rows with one key wins, and a row that is
refused claims none of its keys. Nearly always that is one set-based insert; where the database refuses a row, or
another transaction was quicker with a key, the batch is placed again row by row, which is slow and exact.
"""

from collections.abc import Collection, Mapping

import psycopg2.errors

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.staging import Staging
from chalicelib.core.dataset import Dataset
from chalicelib.core.duplicates import contested, find_duplicates
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import RecordError
from chalicelib.services.ports import Placed, Refusal

Key = tuple[str, ...]

_REFUSED = (psycopg2.errors.IntegrityError, psycopg2.errors.DataError, psycopg2.errors.RaiseException)
_FOREIGN_KEY = "23503"
_DATA_EXCEPTION = "22"


def place(cursor: Cursor, dataset: Dataset, reader: Reader, parsed: Parsed, origin: int) -> Placed:
    """Insert every row that no key and no constraint forbids; say of each other row why it was refused.

    Raises:
        psycopg2.Error: whatever the database says of more than a single row (deadlock, disk full ...).
        Terminal: COPY took another number of rows than were sent.
    """
    if not parsed.fast_rows and not parsed.slow:
        return Placed()
    staging = Staging(cursor, dataset, reader, parsed, origin)
    if staging.typed:
        with staging.attempt() as attempt:
            placed = _place_at_once(staging, dataset, parsed)
            if placed is not None:
                attempt.keep()
                return placed
    return _place_singly(staging, dataset, parsed)


def _place_at_once(staging: Staging, dataset: Dataset, parsed: Parsed) -> Placed | None:
    """All rows with one statement, or None where only row by row will be exact."""
    lost = _duplicates(staging, dataset, parsed)
    try:
        inserted = staging.insert(without=lost)
    except _REFUSED:
        return None
    missing = parsed.fast_rows + len(parsed.slow) - len(lost) - inserted
    taken = staging.taken() if missing else {}
    if len(taken) != missing or any(winner in taken for held in lost.values() for winner in held.values()):
        return None  # another transaction added or removed rows between our statements
    ignored = dataset.on_conflict == "ignore"
    refusals = {row: Refusal(_in_table(ids), ignored) for row, ids in taken.items()}
    for row, held in lost.items():
        lines = {key: parsed.where(winner).line for key, winner in held.items()}
        refusals[row] = Refusal(_in_file(lines), ignored)
    return Placed(inserted=inserted, refusals=refusals)


def _duplicates(staging: Staging, dataset: Dataset, parsed: Parsed) -> dict[int, dict[Key, int]]:
    """The rows of which an earlier row of the batch has a key: for each key, that row."""
    keys = {key: parsed.keys(key) for key in dataset.unique_keys if staging.holds(key)}
    rows = contested(keys)
    if not rows:
        return {}
    held = staging.taken(rows)  # such rows are refused by the table and claim nothing
    return find_duplicates(keys, lambda row: parsed.where(row).record, excluded=held.keys())


def _place_singly(staging: Staging, dataset: Dataset, parsed: Parsed) -> Placed:
    rows = range(parsed.fast_rows + len(parsed.slow))
    refused = staging.insert_singly(sorted(rows, key=lambda row: parsed.where(row).record))
    taken = staging.taken([row for row, refusal in refused.items() if refusal is None], by_anyone=True)
    refusals = {}
    for row, refusal in refused.items():
        if refusal is not None:
            refusals[row] = Refusal((_database_error(*refusal),))
        else:
            errors = _in_table(taken[row]) if row in taken else (_ELSEWHERE,)
            refusals[row] = Refusal(errors, dataset.on_conflict == "ignore")
    return Placed(inserted=len(rows) - len(refused), refusals=refusals)


def _in_table(ids: Mapping[Key, int]) -> tuple[RecordError, ...]:
    return tuple(_unique_error(key, f"a row that is in the table already, with id {id}") for key, id in ids.items())


def _in_file(lines: Mapping[Key, int]) -> tuple[RecordError, ...]:
    return tuple(_unique_error(key, f"the record on line {line} of this file") for key, line in lines.items())


# A row that is gone again, or a unique index that the descriptor does not know.
_ELSEWHERE = RecordError(None, "unique-error", "a key of this record is taken in the table")


def _unique_error(key: Key, holder: str) -> RecordError:
    return RecordError(",".join(key), "unique-error", f"the same {' and '.join(key)} as {holder}")


def _database_error(state: str, constraint: str, columns: Collection[str]) -> RecordError:
    """What the database said of one row. Its own message is left out, since it quotes values."""
    column = ",".join(columns) or None
    if state == _FOREIGN_KEY:
        return RecordError(column, "foreign-key", f"refers to a row that does not exist ({constraint})")
    if state.startswith(_DATA_EXCEPTION):
        return RecordError(column, "type-error", f"the database cannot store a value of this record (SQLSTATE {state})")
    rule = f"the constraint {constraint}" if constraint else f"a rule (SQLSTATE {state})"
    return RecordError(column, "constraint-error", f"the database refuses this record by {rule}")

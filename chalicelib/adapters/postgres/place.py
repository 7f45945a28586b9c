"""Place: a batch's accepted rows go through a staging table into the dataset's table, in one transaction.

In file order, as if each row were inserted alone: the first of several rows with one key wins, and a row that is
refused claims none of its keys. Nearly always that is one set-based insert; where the database refuses a row, or
another transaction was quicker with a key, the batch is placed again row by row, which is slow and exact.

Rows that may change what is in the table (policies update and sum) are the business of ``merge``.
"""

from chalicelib.adapters.postgres.claims import Claims
from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.merge import merge
from chalicelib.adapters.postgres.refusals import ELSEWHERE, REFUSED, database_error, in_file, in_table
from chalicelib.adapters.postgres.staging import Staging
from chalicelib.core.dataset import Dataset
from chalicelib.core.duplicates import contested, find_duplicates
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.schema import OnConflict
from chalicelib.services.ports import Placed, Refusal

Key = tuple[str, ...]

_MERGED = (OnConflict.UPDATE, OnConflict.SUM)
_TRIES = 3  # at once, before a batch goes row by row


def place(cursor: Cursor, dataset: Dataset, reader: Reader, parsed: Parsed, origin: int, claims: Claims) -> Placed:
    """Load every row that no key and no constraint forbids; say of each other row why it was refused.

    Raises:
        psycopg2.Error: whatever the database says of more than a single row (deadlock, disk full ...).
        Terminal: COPY took another number of rows than were sent.
    """
    if not parsed.fast_rows and not parsed.slow:
        return Placed()
    staging = Staging(cursor, dataset, reader, parsed, origin)
    if dataset.on_conflict in _MERGED:
        return merge(staging, parsed)
    for _ in range(_TRIES if staging.typed else 0):
        with staging.attempt() as attempt:
            try:
                placed = _place_at_once(staging, dataset, parsed, claims)
            except REFUSED:
                break
            if placed is not None:
                attempt.keep()
                return placed
    return _place_singly(staging, dataset, parsed)


def _place_at_once(staging: Staging, dataset: Dataset, parsed: Parsed, claims: Claims) -> Placed | None:
    """All rows with a statement or two, or None where another transaction was quicker with a key.

    What an earlier batch may be inserting at the same time comes second, and so does all that depends on it.
    """
    keys = {key: parsed.keys(key) for key in dataset.unique_keys if staging.holds(key)}
    rivals = contested(keys)
    inserted = 0
    later = claims.shared(keys)
    if later:
        later |= rivals
        inserted = staging.insert(but=later)
        claims.wait()
    held = staging.taken(rivals) if rivals else {}  # such rows are refused by the table and claim nothing
    lost = find_duplicates(keys, lambda row: parsed.where(row).record, excluded=held.keys()) if rivals else {}
    staging.remove(lost)
    inserted += staging.insert(only=later.difference(lost)) if later else staging.insert()
    missing = parsed.fast_rows + len(parsed.slow) - len(lost) - inserted
    taken = staging.taken() if missing else {}
    if len(taken) != missing or any(winner in taken for winners in lost.values() for winner in winners.values()):
        return None  # another transaction added or removed rows between our statements
    ignored = dataset.on_conflict == "ignore"
    refusals = {row: Refusal(in_table(ids), ignored) for row, ids in taken.items()}
    for row, winners in lost.items():
        lines = {key: parsed.where(winner).line for key, winner in winners.items()}
        refusals[row] = Refusal(in_file(lines), ignored)
    return Placed(inserted=inserted, refusals=refusals)


def _place_singly(staging: Staging, dataset: Dataset, parsed: Parsed) -> Placed:
    rows = range(parsed.fast_rows + len(parsed.slow))
    refused = staging.insert_singly(sorted(rows, key=lambda row: parsed.where(row).record))
    taken = staging.taken([row for row, refusal in refused.items() if refusal is None], by_anyone=True)
    refusals = {}
    for row, refusal in refused.items():
        if refusal is not None:
            refusals[row] = Refusal((database_error(*refusal),))
        else:
            errors = in_table(taken[row]) if row in taken else (ELSEWHERE,)
            refusals[row] = Refusal(errors, dataset.on_conflict == "ignore")
    return Placed(inserted=len(rows) - len(refused), refusals=refusals)

"""Place: a batch's accepted rows go into the dataset's table, in one transaction.

Those whose keys nobody else has go ``straight``; the rest, few or all, through a staging table, as told here: in file
order, as if each row were inserted alone, the first of several rows with one key wins, and a row that is refused claims
none of its keys. Rows that refer to nothing (``references``) are refused first. Nearly always that is one set-based
insert; where the database refuses a row, or another transaction was quicker with a key, the batch is placed again row
by row, which is slow and exact.

Rows that may change what is in the table (policies update and sum) are the business of ``merge``.
"""

from collections.abc import Sequence
from dataclasses import replace

from psycopg2 import sql

from chalicelib.adapters.postgres.attempt import attempt
from chalicelib.adapters.postgres.claims import Claims
from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.merge import merge
from chalicelib.adapters.postgres.references import MERGED, References, check_references
from chalicelib.adapters.postgres.refusals import ELSEWHERE, REFUSED, database_error, in_file, in_table
from chalicelib.adapters.postgres.staging import Staging
from chalicelib.adapters.postgres.straight import go_straight
from chalicelib.core.claims import key_facts
from chalicelib.core.dataset import Dataset
from chalicelib.core.duplicates import find_duplicates
from chalicelib.core.reader import Parsed, Reader
from chalicelib.services.ports import Placed, Refusal

Key = tuple[str, ...]

_TRIES = 3  # at once, before a batch goes row by row


def place(
    cursor: Cursor,
    dataset: Dataset,
    target: sql.Identifier,
    reader: Reader,
    parsed: Parsed,
    origin: int,
    claims: Claims | None = None,
    *,
    passing: bool = False,
    ids: Sequence[int] | None = None,
) -> Placed:
    """Load every row that no key and no constraint forbids; say of each other row why it was refused.

    ``target`` is the dataset's table, or the shadow of a job that replaces it. ``passing`` rows go again where any
    was refused, so that no refusal may name their ids. With ``ids`` the n-th record's id is ``ids[n]``.

    Raises:
        psycopg2.Error: whatever the database says of more than a single row (deadlock, disk full ...).
        Terminal: COPY took another number of rows than were sent.
    """
    if not parsed.accepted:
        return Placed()
    left = go_straight(cursor, dataset, target, reader, parsed, origin, claims) if ids is None else None
    if left is None:
        return _stage(cursor, dataset, target, reader, parsed, origin, claims, passing=passing, ids=ids)
    inserted = parsed.accepted - len(left)
    if not left:
        return Placed(inserted=inserted)
    placed = _stage(cursor, dataset, target, reader, parsed.select(left), origin, None, passing=passing)
    refusals = {left[row]: refusal for row, refusal in placed.refusals.items()}
    return replace(placed, inserted=inserted + placed.inserted, refusals=refusals)


def _stage(
    cursor: Cursor,
    dataset: Dataset,
    target: sql.Identifier,
    reader: Reader,
    parsed: Parsed,
    origin: int,
    claims: Claims | None,
    *,
    passing: bool,
    ids: Sequence[int] | None = None,
) -> Placed:
    staging = Staging(cursor, dataset, target, reader, parsed, origin, passing=passing, ids=ids)
    references = check_references(staging, parsed) if staging.typed else References()
    staging.remove(references.orphans)
    if dataset.on_conflict in MERGED:
        placed = merge(staging, parsed, references)
    else:
        placed = _place(staging, dataset, parsed, references, claims)
    return replace(placed, refusals={**references.orphans, **placed.refusals})


def _place(staging: Staging, dataset: Dataset, parsed: Parsed, references: References, claims: Claims | None) -> Placed:
    for _ in range(_TRIES if staging.typed else 0):
        with attempt(staging.cursor) as placing:
            try:
                placed = _place_at_once(staging, dataset, parsed, references, claims)
            except REFUSED:
                break
            if placed is not None:
                placing.keep()
                return placed
    if claims is not None:
        claims.wait()  # in file order, two batches with several keys would wait for each other
    return _place_singly(staging, dataset, parsed, references)


def _place_at_once(
    staging: Staging, dataset: Dataset, parsed: Parsed, references: References, claims: Claims | None
) -> Placed | None:
    """All rows with a statement or two, or None where another transaction was quicker with a key.

    What an earlier batch may be inserting at the same time comes second, and so does all that depends on it.
    """
    held_keys = [key for key in dataset.unique_keys if staging.holds(key)]
    facts = key_facts(held_keys, parsed.keys) if claims is None else claims.facts
    rivals = facts.rivals.difference(references.orphans)
    inserted = 0
    later = claims.shared() if claims is not None else set()
    if claims is not None and later:
        later |= rivals
        inserted = staging.insert(but=later)
        claims.wait()
    held = staging.taken(rivals) if rivals else {}  # such rows are refused by the table and claim nothing
    excluded = held.keys() | references.orphans
    keys = {key: parsed.keys_of(key, rivals) for key in held_keys} if rivals else {}
    lost = find_duplicates(keys, lambda row: parsed.where(row).record, excluded=excluded)
    staging.remove(lost)
    inserted += staging.insert(only=later.difference(lost)) if later else staging.insert()
    missing = parsed.fast_rows + len(parsed.slow) - len(references.orphans) - len(lost) - inserted
    taken = staging.taken() if missing else {}
    if len(taken) != missing or any(winner in taken for winners in lost.values() for winner in winners.values()):
        return None  # another transaction added or removed rows between our statements
    if any(parent in lost or parent in taken for parent in references.parents):
        return None  # who refers to that one may be refused, too
    ignored = dataset.on_conflict == "ignore"
    refusals = {row: Refusal(in_table(ids, staging.passing), ignored) for row, ids in taken.items()}
    for row, winners in lost.items():
        lines = {key: parsed.where(winner).line for key, winner in winners.items()}
        refusals[row] = Refusal(in_file(lines), ignored)
    return Placed(inserted=inserted, refusals=refusals)


def _place_singly(staging: Staging, dataset: Dataset, parsed: Parsed, references: References) -> Placed:
    rows = [row for row in range(parsed.fast_rows + len(parsed.slow)) if row not in references.orphans]
    refused = staging.insert_singly(sorted(rows, key=lambda row: parsed.where(row).record))
    taken = staging.taken([row for row, refusal in refused.items() if refusal is None], by_anyone=True)
    refusals = {}
    for row, refusal in refused.items():
        if refusal is not None:
            refusals[row] = Refusal((database_error(*refusal, dataset.foreign_keys),))
        else:
            errors = in_table(taken[row], staging.passing) if row in taken else (ELSEWHERE,)
            refusals[row] = Refusal(errors, dataset.on_conflict == "ignore")
    return Placed(inserted=len(rows) - len(refused), refusals=refusals)

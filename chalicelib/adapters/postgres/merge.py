"""Merge: rows that change what is in the table (``on_conflict: update``) or are added to it (``sum``).

As if each row came alone, in file order, after all rows of earlier batches and before all of later ones; for ``sum``,
order is nothing. Nearly always these are a few set-based statements that take the rows of the table in key order, so
that concurrent batches wait for each other instead of deadlocking. Where the database refuses a row, or where unique
keys other than the match key meet, the batch is placed again row by row, with the table to itself.
"""

from collections.abc import Hashable, Sequence

import psycopg2.errors

from chalicelib.adapters.postgres.attempt import attempt
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.references import References
from chalicelib.adapters.postgres.refusals import REFUSED, a_moment_ago, database_error, in_table
from chalicelib.adapters.postgres.staging import Key, Staging
from chalicelib.adapters.postgres.terms import Terms
from chalicelib.core.duplicates import chains, determines
from chalicelib.core.origin import job_and_batch
from chalicelib.core.reader import Parsed
from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import ForeignKey, OnConflict
from chalicelib.services.ports import Placed, Refusal

MERGE = queries("merge")
_UNIQUE_VIOLATION = "23505"


def merge(staging: Staging, parsed: Parsed, references: References) -> Placed:
    """Merge every row that no other key and no constraint forbids; say of each other row why it was refused.

    But for orphans, which are not staged any more, and not in what comes back.

    Raises:
        psycopg2.Error: whatever the database says of more than a single row (deadlock, disk full ...).
    """
    return _Merge(staging, parsed, references).run()


class _Merge:
    def __init__(self, staging: Staging, parsed: Parsed, references: References) -> None:
        self._staging = staging
        self._cursor = staging.cursor
        self._dataset = staging.dataset
        self._parsed = parsed
        self._terms = Terms(staging)
        self._references = references
        self._rows = parsed.fast_rows + len(parsed.slow) - len(references.orphans)
        self._keeps = staging.dataset.undo_days is not None
        self._adds = staging.dataset.on_conflict is OnConflict.SUM
        self._other_keys = [key for key in self._dataset.unique_keys[1:] if staging.holds(key)]
        job, batch = job_and_batch(staging.origin)
        self._here = {"dataset": self._dataset.name, "origin": staging.origin, "job": job, "batch": batch}

    def run(self) -> Placed:
        if self._staging.typed:
            with attempt(self._cursor) as merging:
                try:
                    placed = self._add() if self._adds else self._update()
                except (*REFUSED, psycopg2.errors.CardinalityViolation):
                    placed = None
                if placed is not None:
                    merging.keep()
                    return placed
        return self._singly()

    def _add(self) -> Placed:
        self._cursor.execute(self._terms.fill(MERGE["add_and_keep" if self._keeps else "add"]), self._here)
        inserted = self._cursor.fetchone().inserted
        return Placed(inserted=inserted, updated=self._rows - inserted)

    def _update(self) -> Placed | None:
        """All rows with a few statements, or None where only row by row will be exact."""
        keys = self._keys(self._dataset.match_key)
        if not all(determines(self._keys(key), keys) for key in self._other_keys):
            return None
        if any(set(key) != set(self._dataset.match_key) for key in self._references.used):
            return None  # an update may take such a key from a row that others of the batch refer to
        before = chains(keys, lambda row: self._parsed.where(row).record)
        if before and self._may_refuse():
            return None  # rows that others of the batch supersede must be tried, too
        superseded = [row + 1 for row in before.values()]
        self._cursor.execute(MERGE["trust_the_cache"])
        self._cursor.execute(self._terms.fill(MERGE["claim"]), {"superseded": superseded})
        if self._cursor.rowcount == self._rows:
            return Placed(inserted=self._rows)
        if any(self._clashes(key) for key in self._other_keys):
            return None
        self._settle()
        chain = {"rows": [row + 1 for row in before], "before": superseded}
        self._cursor.execute(self._terms.fill(MERGE["outcomes"]), {**self._here, **chain})
        placed = Placed(**self._cursor.fetchone()._asdict())
        if placed.inserted + placed.updated + placed.unchanged + placed.ignored != self._rows:
            return None  # a row was removed between our statements
        self._staging.remove(before.values())
        if placed.updated and self._keeps:
            self._cursor.execute(self._terms.fill(MERGE["keep"]), self._here)
        if placed.updated:
            self._cursor.execute(self._terms.fill(MERGE["change"]), self._here)
        self._remember()
        return placed

    def _keys(self, key: Key) -> Sequence[Hashable]:
        orphans = self._references.orphans
        values = self._parsed.keys(key)
        return [None if row in orphans else value for row, value in enumerate(values)] if orphans else values

    def _may_refuse(self) -> bool:
        known = {
            "unique_keys": len(self._dataset.unique_keys),
            "match_key": list(self._dataset.match_key),
            "checked": [_as_catalogued(link) for link in self._references.checked],
        }
        self._cursor.execute(self._terms.fill(MERGE["rules_of_its_own"]), known)
        return bool(self._cursor.fetchone().found)

    def _clashes(self, key: Key) -> bool:
        self._cursor.execute(self._terms.fill(MERGE["clashes"], same_other=self._terms.same(key)))
        return bool(self._cursor.fetchone().found)

    def _settle(self) -> None:
        """Give rows the origin of the latest batch that has seen them."""
        self._cursor.execute(MERGE["seen_later"], self._here)
        if self._cursor.fetchone().found:
            self._cursor.execute(self._terms.fill(MERGE["settle"]), self._here)

    def _remember(self) -> None:
        """Note the rows that this batch has left alone, where an earlier batch must know."""
        self._cursor.execute(MERGE["earlier_may_come"], self._here)
        if self._cursor.fetchone().found or self._keeps:
            self._cursor.execute(self._terms.fill(MERGE["remember"]), self._here)

    def _singly(self) -> Placed:
        self._cursor.execute(self._terms.fill(MERGE["lock_table"]))
        if not self._adds:
            self._settle()
        rows = range(self._parsed.fast_rows + len(self._parsed.slow))
        staged = (row for row in rows if row not in self._references.orphans)
        order = sorted(staged, key=lambda row: self._parsed.where(row).record)
        counts = dict.fromkeys(("inserted", "updated", "unchanged", "ignored"), 0)
        errors: dict[int, RecordError | None] = {}
        for outcome in self._staging.merge_singly(
            order,
            insert_one=self._terms.one(MERGE[self._one("insert")]),
            change_one=self._terms.one(MERGE[self._one("add" if self._adds else "change")]),
            later_one=self._terms.one(MERGE["later_one"]),
        ):
            if outcome.rows is None:
                counts[outcome.outcome] = outcome.records
            else:
                taken = outcome.refusal_state == _UNIQUE_VIOLATION and self._other_keys
                refused = database_error(
                    outcome.refusal_state, outcome.refusal_constraint, outcome.columns, self._dataset.foreign_keys
                )
                errors.update(dict.fromkeys((number - 1 for number in outcome.rows), None if taken else refused))
        refusals = self._refusals(errors)
        if not self._adds:
            self._staging.remove(refusals)
            self._remember()
        return Placed(**counts, refusals=refusals)

    def _one(self, verb: str) -> str:
        """The statement about one row; rows that an update makes need not be kept."""
        if not self._keeps or (verb == "insert" and not self._adds):
            return f"{verb}_one"
        return {"insert": "insert_and_keep_one", "add": "add_and_keep_one", "change": "keep_and_change_one"}[verb]

    def _refusals(self, errors: dict[int, RecordError | None]) -> dict[int, Refusal]:
        """Why these rows were refused; None stands for another unique key's value, which some row has."""
        taken = self._staging.taken([row for row, error in errors.items() if error is None], by_anyone=True)
        refusals = {}
        for row, error in errors.items():
            ids = taken.get(row, {})
            own = ids.get(self._dataset.match_key)
            others = {key: id for key, id in ids.items() if id != own}
            if error is None:
                refusals[row] = Refusal(in_table(others, self._staging.passing) or (a_moment_ago(self._other_keys),))
            else:
                refusals[row] = Refusal((error,))
        return refusals


def _as_catalogued(link: ForeignKey) -> str:
    """A foreign key as ``merge.sql: rules_of_its_own`` spells those that it finds."""
    pairs = sorted(zip(link.fields, link.keys, strict=True))
    return f"public.{link.dataset}:" + ",".join(f"{name}>{key}" for name, key in pairs)

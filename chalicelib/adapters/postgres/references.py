"""Which of a batch's rows refer to rows that are not there.

That is a rule about a record, like its types: such a record is rejected whatever its keys and the policy say, and takes
no key from another one. All are found with one query a foreign key, before anything is inserted, so that they do not
send their whole batch down the slow path; what changes after that look, the database's own constraint finds.

Where a dataset refers to itself, a record may refer to a row of the table, to itself, or to a record that stands
before it in the batch, as if the records came one by one.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field

from chalicelib.adapters.postgres.refusals import no_such_row
from chalicelib.adapters.postgres.staging import Key, Staging
from chalicelib.core.parsed import Parsed
from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import ForeignKey, OnConflict
from chalicelib.services.ports import Refusal

MERGED = (OnConflict.UPDATE, OnConflict.SUM)
"""Policies by which a record may change what is in the table: a key that is taken does not refuse it."""


@dataclass(frozen=True, slots=True)
class References:
    """``orphans`` are the rows that refer to nothing. ``parents`` are rows of the batch that others of it refer to,
    by the keys ``used``: they must be taken for those to be right. ``checked`` are the foreign keys looked at."""

    orphans: dict[int, Refusal] = field(default_factory=dict)
    parents: Collection[int] = ()
    used: Collection[Key] = ()
    checked: tuple[ForeignKey, ...] = ()


def check_references(staging: Staging, parsed: Parsed) -> References:
    """Look up what the staged rows refer to. Where the file lacks a column, it is null, and refers to nothing."""
    links = tuple(link for link in staging.dataset.foreign_keys if staging.holds(link.fields))
    dangling = {link: rows for link in links if (rows := staging.dangling(link))}
    errors: dict[int, list[RecordError]] = {}
    within = {}
    for link, rows in dangling.items():
        if link.dataset == staging.dataset.name and staging.holds(link.keys):
            within[link] = rows
        else:
            for row in rows:
                errors.setdefault(row, []).append(no_such_row(link))
    parents = _within(staging, parsed, within, errors) if within else set()
    orphans = {row: Refusal(tuple(found)) for row, found in errors.items()}
    return References(orphans, parents, {link.keys for link in within}, links)


def _within(
    staging: Staging, parsed: Parsed, dangling: dict[ForeignKey, set[int]], errors: dict[int, list[RecordError]]
) -> set[int]:
    """Look for these references in the batch itself; add those that are not there either, return those that are."""
    values = {link: parsed.keys(link.fields) for link in dangling}
    ends = {link: parsed.keys(link.keys) for link in dangling}
    keys, held = _refusing(staging, parsed)
    holders: dict[tuple[ForeignKey, Hashable], int] = {}
    claims: set[tuple[Key, Hashable]] = set()
    parents = set()
    for row in sorted(range(parsed.fast_rows + len(parsed.slow)), key=lambda row: parsed.where(row).record):
        for link, rows in dangling.items():
            value = values[link][row]
            if row not in rows or value == ends[link][row]:
                continue
            holder = holders.get((link, value))
            if holder is None:
                errors.setdefault(row, []).append(no_such_row(link))
            else:
                parents.add(holder)
        claimed = {(key, value) for key, of_rows in keys.items() if (value := of_rows[row]) is not None}
        if row not in errors and row not in held and claims.isdisjoint(claimed):
            claims |= claimed
            for link in dangling:
                holders.setdefault((link, ends[link][row]), row)
    return parents


def _refusing(staging: Staging, parsed: Parsed) -> tuple[dict[Key, Sequence[Hashable]], Collection[int]]:
    """The keys that may be taken, and the rows of which the table has one: none where records change what is there."""
    if staging.dataset.on_conflict in MERGED:
        return {}, ()
    keys = {key: parsed.keys(key) for key in staging.dataset.unique_keys if staging.holds(key)}
    return keys, staging.taken().keys()

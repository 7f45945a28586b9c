"""Which of a batch's rows have a key that another one has, and which of them is the first."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from itertools import pairwise

Key = tuple[str, ...]


def contested(keys: Mapping[Key, Sequence[Hashable | None]]) -> set[int]:
    """Return the rows that share the value of any key with another row; nulls are shared with nobody.

    ``keys`` holds, for each key's columns, the value of every row. Cheap where no row shares anything.
    """
    rows: set[int] = set()
    for values in keys.values():
        nulls = values.count(None)
        if len(set(values)) < len(values) - max(nulls - 1, 0):
            count = Counter(values)
            rows.update(row for row, value in enumerate(values) if value is not None and count[value] > 1)
    return rows


def find_duplicates(
    keys: Mapping[Key, Mapping[int, Hashable | None]],
    order: Callable[[int], int],
    *,
    excluded: Collection[int] = (),
) -> dict[int, dict[Key, int]]:
    """Return the rows that lose a key to an earlier row: for each, the row that has it, by the key's columns.

    As if the rows were loaded one by one in the order that ``order`` gives: a row that is refused claims none of its
    keys. ``keys`` holds, for each key, its value in every row that may be concerned (``contested``). ``excluded`` rows
    collide with the table: they claim nothing, and are not in the result.
    """
    losers: dict[int, dict[Key, int]] = {}
    holders: dict[tuple[Key, Hashable], int] = {}
    rows = {row for values in keys.values() for row in values}
    for row in sorted(rows.difference(excluded), key=order):
        claims = [(columns, value) for columns, values in keys.items() if (value := values.get(row)) is not None]
        lost = {claim[0]: holders[claim] for claim in claims if claim in holders}
        if lost:
            losers[row] = lost
        else:
            holders.update(dict.fromkeys(claims, row))
    return losers


def chains(values: Sequence[Hashable | None], order: Callable[[int], int]) -> dict[int, int]:
    """Return, for each row that has the key of an earlier one, the last such row before it; nulls meet nothing.

    ``values`` holds the key of every row, ``order`` says which of two rows is the earlier.
    """
    of_key: dict[Hashable, list[int]] = {}
    for row in sorted(contested({(): values}), key=order):
        of_key.setdefault(values[row], []).append(row)
    return {row: before for rows in of_key.values() for before, row in pairwise(rows)}


def determines(values: Sequence[Hashable | None], others: Sequence[Hashable | None]) -> bool:
    """Return whether rows with the same value have the same other value, too; nulls say nothing."""
    if len(set(values)) == len(values):
        return True
    pairs = {(value, other) for value, other in zip(values, others, strict=True) if value is not None}
    return len(pairs) == len({value for value, _ in pairs})

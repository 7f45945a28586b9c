"""What a batch's keys tell before its rows are inserted: which rows share one, in the batch and with other batches.

Two transactions that insert the same key wait for each other, and where there are several keys often in a circle. So
each batch tells others what keys it has, as fingerprints, and leaves for last what an earlier one has, too. And it asks
the table for all its keys at once, in their order, which an index answers several times faster than one by one.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import repeat
from typing import Any, Final, NamedTuple, TypeAlias, cast
from zlib import crc32

from chalicelib.core.duplicates import Key, contested

Texts: TypeAlias = Sequence[str | None]
"""A column's values as they are written, one a row."""

_TYPE: Final = "I"  # four bytes: of half a million keys a few are taken for shared that are not, which costs nothing
_NULL = 0  # no key; should a key have this fingerprint, others wait for it as if it had told nobody


class Ordered(NamedTuple):
    """A batch's values of one key, nulls left out, in their order: of each the row, and how its columns are written.

    ``texts`` has the values of each column in one text, NUL between them: no value has one.
    """

    rows: "array[int]"
    texts: tuple[str, ...]


class KeyFacts(NamedTuple):
    """``rivals`` are the rows that share a key with another row of the batch; by key, ``prints`` tell of all rows."""

    prints: Mapping[Key, bytes]
    rivals: frozenset[int]
    ordered: Mapping[Key, Ordered]


NO_FACTS = KeyFacts({}, frozenset(), {})


def key_facts(
    keys: Iterable[Key], values_of: Callable[[Key], tuple[Sequence[Hashable | None], Sequence[Texts]]]
) -> KeyFacts:
    """Return the facts of these keys; ``values_of`` gives a key's value for each row, and its columns' texts.

    Holds one key's values at a time.
    """
    prints: dict[Key, bytes] = {}
    rivals: set[int] = set()
    in_order: dict[Key, Ordered] = {}
    for key in keys:
        values, texts = values_of(key)
        prints[key] = fingerprints(values)
        rivals |= contested({key: values})
        in_order[key] = ordered(values, texts)
    return KeyFacts(prints, frozenset(rivals), in_order)


def ordered(values: Sequence[Hashable | None], columns: Sequence[Texts]) -> Ordered:
    """Return a key's values in their order, or as they come where they have none: an order only saves time."""
    rows: Sequence[int] = range(len(values))
    if None in values:
        rows = [row for row in rows if values[row] is not None]
    with suppress(TypeError):  # an object; a number and NaN
        rows = sorted(rows, key=cast(Callable[[int], Any], values.__getitem__))
    texts = ("\0".join(map(cast(Callable[[int], str], column.__getitem__), rows)) for column in columns)
    return Ordered(array(_TYPE, rows), tuple(texts))


def fingerprints(values: Sequence[Hashable | None]) -> bytes:
    """Return four bytes for each row's key. Keys that are equal, and written alike, have equal ones in any process."""
    prints = array(_TYPE, map(crc32, map(str.encode, map(str, values)), repeat(1)))  # from 0, an empty text had 0
    if None in values:
        for row, value in enumerate(values):
            if value is None:
                prints[row] = _NULL
    return prints.tobytes()


def shared(mine: bytes, theirs: bytes) -> set[int]:
    """Return the rows whose fingerprint is among ``theirs``, but for nulls."""
    own = _numbers(mine)
    common = set(own).intersection(_numbers(theirs))
    common.discard(_NULL)
    return {row for row, print in enumerate(own) if print in common} if common else set()


def _numbers(prints: bytes) -> "array[int]":
    numbers = array(_TYPE)
    numbers.frombytes(prints)
    return numbers

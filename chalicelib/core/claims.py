"""What a batch's keys tell before its rows are inserted: which rows share one, in the batch and with other batches.

Two transactions that insert the same key wait for each other, and where there are several keys often in a circle. So
each batch tells others what keys it has, as fingerprints, and leaves for last what an earlier one has, too. And it asks
the table for all its keys at once, in their order, which an index answers several times faster than one by one.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import compress, count, islice, repeat
from operator import eq, lshift, or_, rshift
from sys import byteorder
from typing import Any, Final, NamedTuple, cast
from zlib import crc32

from chalicelib.core.duplicates import Key, contested

_TYPE: Final = "I"  # four bytes: of half a million keys a few are taken for shared that are not, which costs nothing
_ODD: Final = b"\x9e\x37\x79\xb9"
_ROW_BITS: Final = 32
AT_ONCE: Final = 1 << 15
_NULL = 0  # no key; should a key have this fingerprint, others wait for it as if it had told nobody


class Ordered(NamedTuple):
    """A batch's values of one key in their order, nulls left out: of each its row, and how its columns are written.

    ``texts`` has, for each ``AT_ONCE`` rows, the values of each column in one text, NUL between them: no value has one.
    """

    rows: "array[int]"
    texts: Sequence[tuple[str, ...]]


class KeyFacts(NamedTuple):
    """``rivals`` are the rows that share a key with another row of the batch; ``prints``, by key, tell of all rows."""

    prints: Mapping[Key, bytes]
    rivals: frozenset[int]
    ordered: Mapping[Key, Ordered]


NO_FACTS = KeyFacts({}, frozenset(), {})


def key_facts(keys: Iterable[Key], values_of: Callable[[Key], Sequence[Hashable | None]]) -> KeyFacts:
    """Return the facts of these keys; ``values_of`` gives a key's value for each row. Holds one key's at a time."""
    prints: dict[Key, bytes] = {}
    rivals: set[int] = set()
    in_order: dict[Key, Ordered] = {}
    for key in keys:
        values = values_of(key)
        prints[key] = fingerprints(values)
        in_order[key], sharing = ordered(values, len(key))
        rivals |= sharing
    return KeyFacts(prints, frozenset(rivals), in_order)


def ordered(values: Sequence[Hashable | None], columns: int) -> tuple[Ordered, set[int]]:
    """Return the values of a key of so many columns in their order, and the rows that share theirs with another row.

    Values that have no order stay as they come: it only saves time.
    """
    if isinstance(values, array):
        return _ordered_numbers(values)
    rows: Sequence[int] = range(len(values))
    if None in values:
        rows = [row for row in rows if values[row] is not None]
    try:
        rows = sorted(rows, key=cast(Callable[[int], Any], values.__getitem__))
    except TypeError:  # a number and NaN
        found = [values[row] for row in rows]
        sharing = contested({(): values})
    else:
        found = [values[row] for row in rows]
        sharing = _neighbours(found, rows)
    texts = []
    for start in range(0, len(found), AT_ONCE):
        some = found[start : start + AT_ONCE]
        parts = [some] if columns == 1 else zip(*cast(list[tuple[object, ...]], some), strict=True)
        texts.append(tuple("\0".join(map(str, part)) for part in parts))
    return Ordered(array(_TYPE, rows), texts), sharing


def _ordered_numbers(values: "array[int]") -> tuple[Ordered, set[int]]:
    """Do what ``ordered`` does in little memory: a value and its row are sorted as one number."""
    packed = sorted(map(or_, map(lshift, values, repeat(_ROW_BITS)), range(len(values))))
    rows = array(_TYPE, map(((1 << _ROW_BITS) - 1).__and__, packed))
    found = array("q", map(rshift, packed, repeat(_ROW_BITS)))
    del packed
    some = (found[start : start + AT_ONCE].tolist() for start in range(0, len(found), AT_ONCE))
    texts = [(repr(numbers)[1:-1].replace(", ", "\0"),) for numbers in some]
    return Ordered(rows, texts), _neighbours(found, rows)


def _neighbours(values: Sequence[Hashable], rows: Sequence[int]) -> set[int]:
    """Return the rows, in the order of their values, of which the one before or behind has the same value."""
    found: set[int] = set()
    for place in compress(count(), map(eq, values, islice(values, 1, None))):
        found.update(rows[place : place + 2])
    return found


def fingerprints(values: Sequence[Hashable | None]) -> bytes:
    """Return four bytes for each row's key. Keys that are equal, and written alike, have equal ones in any process.

    ``values`` of one key are all whole numbers of 64 bits or none is.
    """
    if isinstance(values, array):
        return _folded(values).tobytes()
    told = values if None not in values else [0 if value is None else value for value in values]
    if set(map(type, told)) == {int}:
        prints = _folded(cast(Sequence[int], told))
    else:
        prints = array(_TYPE, map(crc32, map(str.encode, map(str, told)), repeat(1)))  # from 0, an empty text had 0
    if told is not values:
        for row, value in enumerate(values):
            if value is None:
                prints[row] = _NULL
    return prints.tobytes()


def _folded(numbers: Sequence[int]) -> "array[int]":
    """Return the upper half of each 64-bit number and the lower one in one: whichever half differs, this does."""
    halves = array(_TYPE, (numbers if isinstance(numbers, array) else array("q", numbers)).tobytes())
    folded = int.from_bytes(halves[::2].tobytes(), byteorder) ^ int.from_bytes(halves[1::2].tobytes(), byteorder)
    folded ^= int.from_bytes(_ODD * len(numbers), byteorder)  # 0 and -1 are frequent, and must not be as null
    return array(_TYPE, folded.to_bytes(4 * len(numbers), byteorder))


class Shared:
    """Finds the rows whose fingerprint others have, too, but for nulls."""

    def __init__(self, prints: bytes) -> None:
        self._mine = _numbers(prints)
        self._known = set(self._mine)
        self._known.discard(_NULL)

    def with_others(self, prints: bytes) -> set[int]:
        common = self._known.intersection(_numbers(prints))
        return {row for row, print in enumerate(self._mine) if print in common} if common else set()


def _numbers(prints: bytes) -> "array[int]":
    numbers = array(_TYPE)
    numbers.frombytes(prints)
    return numbers

"""What a batch's keys tell before its rows are inserted: which rows share one, in the batch and with other batches.

Two transactions that insert the same key wait for each other, and where there are several keys often in a circle. So
each batch tells others what keys it has, as fingerprints, and leaves for last what an earlier one has, too.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Final, NamedTuple, cast
from zlib import crc32

from chalicelib.core.duplicates import Key, contested

_TYPE: Final = "I"  # four bytes: of half a million keys a few are taken for shared that are not, which costs nothing
_NULL = 0  # no key; should a key have this fingerprint, others wait for it as if it had told nobody


class KeyFacts(NamedTuple):
    """``rivals`` are the rows that share a key with another row of the batch; ``prints``, by key, tell of all rows."""

    prints: Mapping[Key, bytes]
    rivals: frozenset[int]


NO_FACTS = KeyFacts({}, frozenset())


def key_facts(keys: Iterable[Key], values_of: Callable[[Key], Sequence[Hashable | None]]) -> KeyFacts:
    """Return the facts of these keys; ``values_of`` gives a key's value for each row. Holds one key's at a time."""
    prints: dict[Key, bytes] = {}
    rivals: set[int] = set()
    for key in keys:
        values = values_of(key)
        prints[key] = fingerprints(values)
        rivals |= contested({key: values})
    return KeyFacts(prints, frozenset(rivals))


def fingerprints(values: Sequence[Hashable | None]) -> bytes:
    """Return four bytes for each row's key. Keys that are equal, and written alike, have equal ones in any process.

    ``values`` of one key are all whole numbers or none is.
    """
    if _types(values) == {int}:
        numbers = cast(Sequence[int], [value or 0 for value in values] if None in values else values)
        halves = array(_TYPE, array("q", numbers).tobytes())
        low, high = (int.from_bytes(half.tobytes(), "little") for half in (halves[::2], halves[1::2]))
        none_null = int.from_bytes(b"\x9e\x37\x79\xb9" * len(values), "little")  # but for one in four billion
        prints = array(_TYPE, (low ^ high ^ none_null).to_bytes(halves.itemsize * len(values), "little"))
    else:
        prints = array(_TYPE, map(crc32, map(str.encode, map(str, values)), repeat(1)))  # from 0, an empty text had 0
    if None in values:
        for row, value in enumerate(values):
            if value is None:
                prints[row] = _NULL
    return prints.tobytes()


def _types(values: Sequence[Hashable | None]) -> set[type]:
    return set(map(type, values)) - {type(None)}


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

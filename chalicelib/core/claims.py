"""Which rows of a batch have a key that a batch loading at the same time has, too.

Two transactions that insert the same key wait for each other, and where there are several keys often in a circle. So
each batch tells what keys it has before it inserts any, as fingerprints, and leaves for last what an earlier one has.
"""

from array import array
from collections.abc import Hashable, Sequence
from typing import Final
from zlib import crc32

_TYPE: Final = "I"  # four bytes: of half a million keys a few are taken for shared that are not, which costs nothing


def fingerprints(values: Sequence[Hashable | None]) -> bytes:
    """Return four bytes for each row's key. Keys that are equal, and written alike, have equal ones in any process."""
    return array(_TYPE, map(crc32, map(str.encode, map(str, values)))).tobytes()


def shared(values: Sequence[Hashable | None], mine: bytes, theirs: bytes) -> set[int]:
    """Return the rows whose key's fingerprint is among ``theirs``; a null is no key.

    ``mine`` are the fingerprints of ``values``, the keys of all rows.
    """
    own, other = _numbers(mine), _numbers(theirs)
    common = set(own).intersection(other)
    if not common:
        return set()
    return {row for row, print in enumerate(own) if print in common and values[row] is not None}


def _numbers(prints: bytes) -> "array[int]":
    numbers = array(_TYPE)
    numbers.frombytes(prints)
    return numbers

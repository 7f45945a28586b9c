"""What a batch's keys tell before its rows are inserted: which rows share one, in the batch and with other batches.

Two transactions that insert the same key wait for each other, and where there are several keys often in a circle. So
each batch tells others what keys it has, as fingerprints, and leaves for last what an earlier one has, too. And it asks
the table for all its keys at once, in their order, which an index answers several times faster than one by one.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import compress, count, islice, repeat
from operator import eq, lshift, or_, rshift
from typing import Any, Final, NamedTuple, cast

from chalicelib.core.duplicates import Key, contested

_ROW: Final = "I"
_PRINT: Final = "q"  # with four bytes, two batches of half a million keys would wait for each other for nothing
_SALT: Final = b"\x9e\x37\x79\xb9\x7f\x4a\x7c\x15"  # which is no frequent key
_PARTS: Final = [bytes(byte % 2 == part for byte in range(256)) for part in range(2)]  # of fingerprints, by one byte
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
    with suppress(TypeError):  # a number and NaN
        rows = sorted(rows, key=cast(Callable[[int], Any], values.__getitem__))
    found = [values[row] for row in rows]
    # In order, equal values are neighbours; but sets, say, which stand for objects, have an order that is none.
    known = set(map(type, found)) in ({int}, {str}, {Decimal}, {datetime})
    sharing = _neighbours(found, rows) if known else contested({(): values})
    texts = []
    for start in range(0, len(found), AT_ONCE):
        some = found[start : start + AT_ONCE]
        parts = [some] if columns == 1 else zip(*cast(list[tuple[object, ...]], some), strict=True)
        texts.append(tuple("\0".join(map(str, part)) for part in parts))
    return Ordered(array(_ROW, rows), texts), sharing


def _ordered_numbers(values: "array[int]") -> tuple[Ordered, set[int]]:
    """Do what ``ordered`` does in little memory: a value and its row are sorted as one number."""
    packed = sorted(map(or_, map(lshift, values, repeat(_ROW_BITS)), range(len(values))))
    rows = array(_ROW, map(((1 << _ROW_BITS) - 1).__and__, packed))
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
    """Return eight bytes for each row's key. Keys that are equal, and written alike, have equal ones in any process.

    ``values`` of one key are all whole numbers of 64 bits or none is.
    """
    if isinstance(values, array):
        return _salted(values).tobytes()
    told = values if None not in values else [0 if value is None else value for value in values]
    if set(map(type, told)) == {int}:
        prints = _salted(array(_PRINT, cast(Sequence[int], told)))
    else:
        # Unlike a text's, the hash of a number is the same in any process.
        numbers = map(partial(int.from_bytes, byteorder="little"), map(str.encode, map(str, told)))
        prints = _salted(array(_PRINT, map(hash, numbers)))
    if told is not values:
        for row, value in enumerate(values):
            if value is None:
                prints[row] = _NULL
    return prints.tobytes()


def _salted(numbers: "array[int]") -> "array[int]":
    """Return the numbers with some bits turned over in each."""
    salted = int.from_bytes(numbers.tobytes()) ^ int.from_bytes(_SALT * len(numbers))
    return array(_PRINT, salted.to_bytes(len(numbers) * numbers.itemsize))


def shared(mine: bytes, theirs: bytes) -> set[int]:
    """Return the rows whose fingerprint is among ``theirs``, but for nulls."""
    common: set[int] = set()
    for part in _PARTS:  # sets of all would be the most memory that a batch needs
        common |= set(_some(mine, part)).intersection(_some(theirs, part))
    common.discard(_NULL)
    return {row for row, print in enumerate(_numbers(mine)) if print in common} if common else set()


def _some(prints: bytes, part: bytes) -> Iterator[int]:
    return compress(_numbers(prints), prints[::8].translate(part))


def _numbers(prints: bytes) -> "array[int]":
    numbers = array(_PRINT)
    numbers.frombytes(prints)
    return numbers

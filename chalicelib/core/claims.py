"""What a batch's keys tell before its rows are inserted: which rows share one, in the batch and with other batches.

Two transactions that insert the same key wait for each other, and where there are several keys often in a circle. So
each batch tells others what keys it has, as fingerprints, and leaves for last what an earlier one has, too. And it asks
the table for all its keys at once, in their order, which an index answers several times faster than one by one.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from itertools import compress, count
from typing import Any, Final, NamedTuple, cast

from chalicelib.core.duplicates import Key, contested
from chalicelib.core.lanes import BITS, above, back_above, changed, every, fit, in_order, repeated, rising

AT_ONCE: Final = 1 << 15
_ROW: Final = "I"
_NUMBER: Final = "q"
_COMPARED: Final = 1 << 12  # fingerprints at a time: a set that a processor has near it
_EXACT: Final = {int, str, type(None)}  # of these, what is equal is written alike


class Ordered(NamedTuple):
    """A batch's values of one key in their order, nulls left out: of each its row, its fingerprint, how it is written.

    ``texts`` has, for each ``AT_ONCE`` rows, the values of each column in one text, NUL between them: no value has one.
    """

    rows: "array[int]"
    prints: "array[int]"
    texts: Sequence[tuple[str, ...]]


class KeyFacts(NamedTuple):
    """``rivals`` are the rows that share a key with another row of the batch; ``told``, by key, tells others of all."""

    told: Mapping[Key, bytes]
    rivals: frozenset[int]
    ordered: Mapping[Key, Ordered]


NO_FACTS = KeyFacts({}, frozenset(), {})


def key_facts(keys: Iterable[Key], values_of: Callable[[Key], Sequence[Hashable | None]]) -> KeyFacts:
    """Return the facts of these keys; ``values_of`` gives a key's value for each row. Holds one key's at a time."""
    told: dict[Key, bytes] = {}
    rivals: set[int] = set()
    found: dict[Key, Ordered] = {}
    for key in keys:
        found[key], told[key], sharing = ordered(values_of(key), len(key))
        rivals |= sharing
    return KeyFacts(told, frozenset(rivals), found)


def ordered(values: Sequence[Hashable | None], columns: int) -> tuple[Ordered, bytes, set[int]]:
    """Return the values of a key of so many columns in their order, what others are told, and the rows that share one.

    What others are told are the fingerprints in their order, eight bytes each. ``values`` of one key are all whole
    numbers of 64 bits or none is. Values that have no order stay as they come: it only saves time.
    """
    rows: array[int]
    found: Sequence[Hashable]
    kinds: Set[type]
    texts: list[tuple[str, ...]]
    if isinstance(values, array):
        rows, numbers = _ordered_numbers(values)
        found, kinds = numbers, {int}
        listed = (numbers[start : start + AT_ONCE].tolist() for start in range(0, len(numbers), AT_ONCE))
        texts = [(repr(some)[1:-1].replace(", ", "\0"),) for some in listed]
    else:
        rows = _order(values)
        found = [values[row] for row in rows]
        kinds = set(map(type, values))
        texts = [_texts(found[start : start + AT_ONCE], columns, kinds) for start in range(0, len(found), AT_ONCE)]
    prints = _fingerprints(found, kinds)
    told = in_order(prints)
    if kinds <= _EXACT:  # who share a value share a fingerprint
        twice = repeated(told)
        places = list(compress(count(), map(twice.__contains__, prints))) if twice else []
        sharing = {rows[places[nth]] for nth in contested({(): [found[place] for place in places]})}
    else:
        sharing = {rows[place] for place in contested({(): found})}
    return Ordered(rows, prints, texts), told.tobytes(), sharing


def _ordered_numbers(values: "array[int]") -> "tuple[array[int], array[int]]":
    """The rows in the order of their values, and these values. A value and its row are sorted as one number."""
    row_bits = len(values).bit_length()
    value_bits = BITS - row_bits
    least, fits = 0, fit(values, value_bits)
    if not fits:
        least = min(values)
        fits = fit(changed(values, lambda lanes, count, _: above(least, lanes, count)), value_bits)
    if not fits:
        rows = _order(values)
        return rows, array(_NUMBER, map(values.__getitem__, rows))

    def pack(lanes: int, count: int, start: int) -> int:
        return above(least, lanes, count) << row_bits | rising(start, count)

    def row(lanes: int, count: int, _start: int) -> int:
        return lanes & every((1 << row_bits) - 1, count)

    def value(lanes: int, count: int, _start: int) -> int:
        return back_above(least, lanes >> row_bits & every((1 << value_bits) - 1, count), count)

    packed = in_order(changed(values, pack))
    return array(_ROW, changed(packed, row)), changed(packed, value)


def _order(values: Sequence[Hashable | None]) -> "array[int]":
    rows: Sequence[int] = range(len(values))
    if not isinstance(values, array) and None in values:
        rows = [row for row in rows if values[row] is not None]
    with suppress(TypeError):  # a number and NaN
        rows = sorted(rows, key=cast(Callable[[int], Any], values.__getitem__))
    return array(_ROW, rows)


def _texts(values: Sequence[Hashable], columns: int, kinds: Set[type]) -> tuple[str, ...]:
    if kinds <= {str, type(None)}:
        return ("\0".join(cast(Sequence[str], values)),)
    parts = [values] if columns == 1 else zip(*cast(Sequence[tuple[object, ...]], values), strict=True)
    return tuple("\0".join(map(str, part)) for part in parts)


def _fingerprints(values: Sequence[Hashable], kinds: Set[type]) -> "array[int]":
    """Return ``BITS`` bits for each value; what is equal, and written alike, has the same ones in any process."""
    if kinds <= {int, type(None)}:
        hashes = array(_NUMBER, cast(Sequence[int], values))
    else:
        texts = cast(Sequence[str], values) if kinds <= {str, type(None)} else map(str, values)
        # Unlike a text's, the hash of a number is the same in any process, and so is that of a tuple of numbers.
        hashes = array(_NUMBER, map(hash, zip(map(int.from_bytes, map(str.encode, texts)))))
    return changed(hashes, _folded)


def _folded(lanes: int, count: int, _start: int) -> int:
    top = lanes >> BITS & every((1 << 64 - BITS) - 1, count)
    return (lanes ^ top) & every((1 << BITS) - 1, count)


def shared(mine: Ordered, told: bytes, theirs: bytes) -> set[int]:
    """Return the rows of which a fingerprint is among ``theirs``; ``told`` has the same fingerprints as ``mine``."""
    own, other = _numbers(told), _numbers(theirs)
    common: set[int] = set()
    begin = 0
    for start in range(0, len(own), _COMPARED):
        some = own[start : start + _COMPARED]
        end = bisect_right(other, some[-1], begin)
        common.update(set(some).intersection(other[begin:end]))
        begin = bisect_left(other, some[-1], begin, end)
    return set(compress(mine.rows, map(common.__contains__, mine.prints))) if common else set()


def _numbers(prints: bytes) -> "array[int]":
    numbers = array(_NUMBER)
    numbers.frombytes(prints)
    return numbers

"""Arithmetic on thousands of numbers at once: as one large whole number, of which each of them has 64 bits, a lane.

What Python does to a large number it does at the speed of memory, a hundred times faster than to as many small ones.
No lane may become less than 0, or more than its bits can hold, or it spoils the next one. The first number is in the
lowest lane, which takes a processor that has the lowest byte first: Lambda has no other.
"""

import sys
from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import compress
from typing import Any, Final, TypeAlias

BITS: Final = 52
"""Whole numbers of so many bits can be told from each other, and ordered, as floats of one exponent."""

Change: TypeAlias = Callable[[int, int, int], int]
"""Takes lanes, how many there are, and which number the first one is, from 0; returns as many lanes."""

_LANE: Final = 64
_SIGN: Final = 1 << _LANE - 1  # turned over, it makes a number of eight bytes 2**63 more, and none negative
_NUMBER: Final = "q"
_FLOAT: Final = "d"
_EXPONENT: Final = 0x433 << BITS  # of 2.0**52 + n, whose other bits are those of n
_AT_ONCE: Final = 1 << 13  # lanes: few enough for a processor to have near it, and never all of a batch in memory

if sys.byteorder != "little":
    raise ImportError("dropload needs a processor that has the lowest byte first")


def changed(numbers: "array[Any]", change: Change, kind: str = _NUMBER) -> "array[Any]":
    """Return what becomes of numbers of eight bytes; a negative one's lane is its two's complement."""
    found = array(kind)
    for start, some in _blocks(numbers):
        found.frombytes(change(_lanes(some), len(some), start).to_bytes(len(some) * _LANE // 8, "little"))
    return found


def every(number: int, count: int) -> int:
    """Return so many lanes of this number, which is not negative."""
    return int.from_bytes(number.to_bytes(_LANE // 8, "little") * count, "little")


def rising(start: int, count: int) -> int:
    """Return lanes of so many successive numbers."""
    return _from_zero(count) + every(start, count)


def above(least: int, lanes: int, count: int) -> int:
    """Return by how much each lane is above ``least``, which none is below."""
    return (lanes ^ every(_SIGN, count)) - every(least + _SIGN, count)


def back_above(least: int, lanes: int, count: int) -> int:
    """Return what ``above`` was given."""
    return (lanes + every(least + _SIGN, count)) ^ every(_SIGN, count)


def fit(numbers: "array[int]", bits: int) -> bool:
    """Return whether each number is of at most so many bits, and not negative."""
    beyond = (1 << _LANE) - (1 << bits)
    return not any(_lanes(some) & every(beyond, len(some)) for _, some in _blocks(numbers))


def in_order(numbers: "array[int]") -> "array[int]":
    """Return numbers of at most ``BITS`` bits in their order: Python sorts floats faster than anything else."""
    if all(_rise(some) for _, some in _blocks(numbers, more=1)):
        return numbers
    floats = changed(numbers, lambda lanes, count, _: lanes | every(_EXPONENT, count), _FLOAT)
    floats = array(_FLOAT, sorted(floats))
    return changed(floats, lambda lanes, count, _: lanes ^ every(_EXPONENT, count))


def repeated(numbers: "array[int]") -> set[int]:
    """Return what is there more than once among numbers that are in order and of at most ``BITS`` bits."""
    found: set[int] = set()
    for _, some in _blocks(numbers, more=1):
        first, second, pairs = _neighbours(some)
        sign = every(_SIGN, pairs)
        like = sign & ~((first ^ second) + (sign - every(1, pairs)))  # what adds 0 does not reach this bit
        if like:
            found.update(compress(some, map(bool, _numbers(like, pairs))))
    return found


def _rise(numbers: "array[int]") -> bool:
    """Return whether no number, of at most ``BITS`` bits, is less than the one before it."""
    first, second, pairs = _neighbours(numbers)
    sign = every(_SIGN, pairs)
    return sign & (second + sign - first) == sign


def _neighbours(numbers: "array[int]") -> tuple[int, int, int]:
    """Return as lanes all numbers but the last, and all but the first, and how many these are."""
    lanes, pairs = _lanes(numbers), len(numbers) - 1
    return lanes & (1 << _LANE * pairs) - 1, lanes >> _LANE, pairs


def _blocks(numbers: "array[Any]", *, more: int = 0) -> "Iterator[tuple[int, array[Any]]]":
    """Yield some of the numbers at a time and which is the first; with ``more``, so many of the next ones, too."""
    for start in range(0, len(numbers), _AT_ONCE):
        yield start, numbers[start : start + _AT_ONCE + more]


def _lanes(numbers: "array[int]") -> int:
    return int.from_bytes(numbers.tobytes(), "little")


def _numbers(lanes: int, count: int) -> "array[int]":
    numbers = array(_NUMBER)
    numbers.frombytes(lanes.to_bytes(count * _LANE // 8, "little"))
    return numbers


@lru_cache(maxsize=2)  # all blocks but the last one are of one size
def _from_zero(count: int) -> int:
    return _lanes(array(_NUMBER, range(count)))

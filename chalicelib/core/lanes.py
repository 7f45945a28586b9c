"""Arithmetic on all numbers of an array at once: the array is one large whole number, in which each has 64 bits.

What Python does to a large number it does at the speed of memory, a hundred times faster than to as many small ones.
No lane may become less than 0, or more than its bits can hold, or it spoils the next one. The first number is in the
lowest lane, which takes a processor that has the lowest byte first: Lambda has no other.
"""

import sys
from array import array
from itertools import compress

BITS = 52
"""Whole numbers of so many bits can be told from each other, and ordered, as floats of one exponent."""

_LANE = 64
_SIGN = 1 << _LANE - 1  # turned over, it makes a number of eight bytes 2**63 more, and none negative
_NUMBER = "q"
_FLOAT = "d"
_EXPONENT = 0x433 << BITS  # of 2.0**52 + n, whose other bits are those of n

if sys.byteorder != "little":
    raise ImportError("dropload needs a processor that has the lowest byte first")


def lanes_of(numbers: "array[int]") -> int:
    """Return numbers of eight bytes as lanes; a negative one as its two's complement."""
    return int.from_bytes(numbers.tobytes(), "little")


def numbers_of(lanes: int, count: int) -> "array[int]":
    """Return so many lanes as numbers."""
    numbers = array(_NUMBER)
    numbers.frombytes(lanes.to_bytes(count * _LANE // 8, "little"))
    return numbers


def every(number: int, count: int) -> int:
    """Return so many lanes of this number, which is not negative."""
    return int.from_bytes(number.to_bytes(_LANE // 8, "little") * count, "little")


def above(least: int, numbers: "array[int]") -> int:
    """Return as lanes by how much each number is above ``least``, which none is below."""
    return (lanes_of(numbers) ^ every(_SIGN, len(numbers))) - every(least + _SIGN, len(numbers))


def numbers_above(least: int, lanes: int, count: int) -> "array[int]":
    """Return the numbers that are by so much above ``least``."""
    return numbers_of((lanes + every(least + _SIGN, count)) ^ every(_SIGN, count), count)


def fit(lanes: int, count: int, bits: int) -> bool:
    """Return whether each of so many lanes is a number of at most so many bits, and not negative."""
    return not lanes & every((1 << _LANE) - (1 << bits), count)


def in_order(lanes: int, count: int) -> int:
    """Return so many lanes of at most ``BITS`` bits in their order: Python sorts floats faster than anything else."""
    if _rise(lanes, count):
        return lanes
    exponents = every(_EXPONENT, count)
    floats = array(_FLOAT)
    floats.frombytes((lanes | exponents).to_bytes(count * _LANE // 8, "little"))
    floats = array(_FLOAT, sorted(floats))
    return int.from_bytes(floats.tobytes(), "little") ^ exponents


def repeated(lanes: int, count: int) -> set[int]:
    """Return what is in more than one of so many lanes, which are in order and of at most ``BITS`` bits."""
    if count < 2:
        return set()
    first, second = _neighbours(lanes, count)
    sign = every(_SIGN, count - 1)
    like = sign & ~((first ^ second) + (sign - every(1, count - 1)))  # what adds 0 does not reach this bit
    return set(compress(numbers_of(first, count - 1), numbers_of(like >> _LANE - 1, count - 1))) if like else set()


def _rise(lanes: int, count: int) -> bool:
    """Return whether none of so many lanes, of at most ``BITS`` bits, is less than the one before it."""
    if count < 2:
        return True
    first, second = _neighbours(lanes, count)
    sign = every(_SIGN, count - 1)
    return sign & (second + sign - first) == sign


def _neighbours(lanes: int, count: int) -> tuple[int, int]:
    """Return all lanes but the last, and all but the first."""
    return lanes & (1 << _LANE * (count - 1)) - 1, lanes >> _LANE

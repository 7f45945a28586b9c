"""The parts of a batch in which a line may be taken for good as soon as an expression matches it."""

from collections.abc import Iterator
from heapq import merge

from chalicelib.core.utf8 import invalid_positions


def sound_stretches(data: bytes, longest: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of each stretch of lines that are valid UTF-8 and have at most ``longest`` bytes.

    A line's end is one of its bytes. The last stretch may be empty, and its last line may have no end.
    """
    start = 0
    for position in merge(invalid_positions(data), _long_lines(data, longest)):
        if position >= start:
            yield start, data.rfind(b"\n", start, position) + 1 or start
            start = data.find(b"\n", position) + 1 or len(data)
    yield start, len(data)


def _long_lines(data: bytes, longest: int) -> Iterator[int]:
    """Yield where each line of more than ``longest`` bytes begins, without a look at lines that can be none."""
    start = 0
    while len(data) - start > longest:
        end = data.rfind(b"\n", start, start + longest) + 1
        if not end:
            yield start
            end = data.find(b"\n", start + longest) + 1 or len(data)
        start = end

"""The parts of a batch in which a line may be taken for good as soon as an expression matches it."""

from collections.abc import Iterator

from chalicelib.core.utf8 import invalid_positions


def unsound_lines(data: bytes, longest: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each line that is not valid UTF-8 or has more than ``longest`` bytes.

    A line's end is one of its bytes; the last line may have none.
    """
    end = 0
    for position in sorted([*invalid_positions(data), *_long_lines(data, longest)]):
        if position >= end:
            start = data.rfind(b"\n", end, position) + 1 or end
            end = data.find(b"\n", position) + 1 or len(data)
            yield start, end


def sound_stretches(data: bytes, longest: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of what is before, between and after the unsound lines; each may be empty."""
    start = 0
    for stop, after in unsound_lines(data, longest):
        yield start, stop
        start = after
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

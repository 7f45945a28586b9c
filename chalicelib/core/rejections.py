"""The rejections of one batch, kept as columns: a batch may have hundreds of thousands."""

from array import array
from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from typing import overload

from chalicelib.core.records import strip_line_end
from chalicelib.core.rejection import Errors, Rejection


class Rejections(Sequence[Rejection]):
    """Rejected records of ``data``, whose first byte is at ``offset`` of the file, in the order of their numbers.

    Each takes some 40 bytes until it is asked for. What is given as errors should be the same objects where it can.
    """

    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self._offset = offset
        self._records = array("q")
        self._lines = array("q")
        self._starts = array("q")
        self._ends = array("q")
        self._errors: list[Errors] = []
        self._made: dict[int, Rejection] = {}  # those that are not as they stand in the data

    def add(self, record: int, line: int, start: int, ends: Sequence[int], errors: Sequence[Errors]) -> None:
        """Add successive records of one line each, the first of which begins at ``start`` of the data."""
        if len(ends) == 1:  # by far the most frequent where few records are bad
            self._records.append(record)
            self._lines.append(line)
            self._starts.append(start)
            self._ends.append(ends[0])
            self._errors.append(errors[0])
            return
        count = len(ends)
        self._records.extend(range(record, record + count))
        self._lines.extend(range(line, line + count))
        self._starts.append(start)
        self._starts.extend(ends[:-1])
        self._ends.extend(ends)
        self._errors += errors

    def append(self, rejection: Rejection) -> None:
        """Add a record whose bytes are not kept, or not as they stand in the data."""
        self._made[len(self)] = rejection
        self.add(rejection.record, rejection.line, 0, (0,), (rejection.errors,))

    def __len__(self) -> int:
        return len(self._errors)

    def __iter__(self) -> Iterator[Rejection]:
        return map(self._at, range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Rejection: ...
    @overload
    def __getitem__(self, index: slice) -> list[Rejection]: ...
    def __getitem__(self, index: int | slice) -> Rejection | list[Rejection]:
        places = range(len(self))[index]
        return self._at(places) if isinstance(places, int) else [self._at(place) for place in places]

    def _at(self, place: int) -> Rejection:
        if place in self._made:
            return self._made[place]
        start, end = self._starts[place], self._ends[place]
        raw = strip_line_end(self._data, start, end)
        where = self._records[place], self._lines[place], self._offset + start, end - start
        return Rejection(*where, raw, self._errors[place])

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Rejections | list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def merged(self, others: Collection[Rejection]) -> Collection[Rejection]:
        """Return these and ``others`` of the same batch, in the order of their numbers."""
        return _Merged(self, sorted(others, key=_number)) if others else self


class _Merged(Collection[Rejection]):
    def __init__(self, some: Collection[Rejection], others: Collection[Rejection]) -> None:
        self._some = some
        self._others = others

    def __len__(self) -> int:
        return len(self._some) + len(self._others)

    def __iter__(self) -> Iterator[Rejection]:
        return merge(self._some, self._others, key=_number)

    def __contains__(self, rejection: object) -> bool:
        return rejection in self._some or rejection in self._others


def _number(rejection: Rejection) -> int:
    return rejection.record

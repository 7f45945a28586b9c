"""What reading a batch gives: rows to load, records to reject, and where each of them was in the file."""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, islice
from typing import NamedTuple

from chalicelib.core.keys import KeyReader
from chalicelib.core.records import strip_line_end
from chalicelib.core.rejection import RecordError, Rejection
from chalicelib.core.rejections import Rejections

_NEWLINE = re.compile(rb"\n")
_SLICE = 1 << 20  # bytes of a payload that are taken apart at a time
_LINES = 1 << 18  # and of one whose lines are made objects


class Position(NamedTuple):
    """Where a row was: ``record`` in the batch, from 1; physical ``line`` and byte ``offset`` in the file."""

    record: int
    line: int
    offset: int


class Run(NamedTuple):
    """A stretch of accepted records, one a line, which went into ``fast`` together.

    ``row``, ``record`` and ``line`` are its first record's; ``start`` and ``end`` are offsets in the batch.
    """

    row: int
    record: int
    line: int
    start: int
    end: int


class Located(NamedTuple):
    """Where an accepted record was that went through the exact rules; ``start`` and ``end`` as in ``Run``."""

    record: int
    line: int
    start: int
    end: int


@dataclass(slots=True)
class Parsed:
    """A batch that has been read. ``records`` = ``fast_rows`` + ``len(slow)`` + ``len(rejections)``.

    ``fast`` is a CSV payload for COPY in the dataset's dialect: the accepted records' own bytes, one a line, line ends
    LF. ``slow`` holds the other accepted rows: a value for each of the reader's ``slow_columns``, ``None`` for null.
    Accepted rows are numbered from 0: the fast ones in file order, then the slow ones in file order.
    ``corrects`` has, for records of a correction file, the line of its parent's file that each stood on.
    """

    records: int
    fast: bytes
    fast_rows: int
    slow: list[tuple[str | None, ...]]
    rejections: Rejections
    _data: bytes
    _offset: int
    _runs: list[Run]
    _slow_records: list[Located]
    _key_reader: KeyReader
    _line_starts: "dict[int, array[int]]" = field(default_factory=dict)
    corrects: dict[int, int] = field(default_factory=dict)
    _fast_starts: "array[int] | None" = None
    _fast_record: "array[int] | None" = None

    @property
    def accepted(self) -> int:
        """The number of rows that are to be loaded."""
        return self.fast_rows + len(self.slow)

    def where(self, row: int) -> Position:
        """Return where an accepted row was in the file."""
        record, line, start, _ = self._locate(row)
        return Position(record, line, self._offset + start)

    def row_of(self, record: int) -> int:
        """Return the row that an accepted record, by its number in the batch, has become.

        Raises:
            LookupError: that record was not accepted.
        """
        index = bisect_right(self._runs, record, key=lambda run: run.record) - 1
        if index >= 0:
            run = self._runs[index]
            row = run.row + record - run.record
            if row < (self._runs[index + 1].row if index + 1 < len(self._runs) else self.fast_rows):
                return row
        slow = bisect_left(self._slow_records, record, key=lambda located: located.record)
        if slow < len(self._slow_records) and self._slow_records[slow].record == record:
            return self.fast_rows + slow
        raise LookupError(record)

    def reject(self, row: int, errors: Sequence[RecordError]) -> Rejection:
        """Return the rejection of an accepted row that a duplicate or the database refuses after all."""
        record, line, start, end = self._locate(row)
        raw = strip_line_end(self._data, start, end)
        return Rejection(record, line, self._offset + start, end - start, raw, tuple(errors))

    def keys(self, columns: tuple[str, ...]) -> Sequence[Hashable]:
        """Return the value of a key for each accepted row, in row order, ``None`` where a part of it is null.

        Values that PostgreSQL holds for equal are equal: 007 and 7, or one instant in two time zones. A key of one
        column is the value itself, of several a tuple. A column that the file does not have is null in every row.
        """
        return self._key_reader.read(columns, self.fast, self.slow, self.fast_rows + len(self.slow))

    def select(self, rows: Sequence[int]) -> "Parsed":
        """Return only these of the accepted rows, in row order, numbered anew from 0; where they were stays known."""
        fast = [row for row in rows if row < self.fast_rows]
        slow = [row - self.fast_rows for row in rows[len(fast) :]]
        return Parsed(
            records=len(rows),
            fast=b"\n".join((*self.fast_lines(fast), b"")),
            fast_rows=len(fast),
            slow=[self.slow[row] for row in slow],
            rejections=Rejections(self._data, self._offset),
            _data=self._data,
            _offset=self._offset,
            _runs=[Run(new, *self._locate(row)) for new, row in enumerate(fast)],
            _slow_records=[self._slow_records[row] for row in slow],
            _key_reader=self._key_reader,
        )

    def keys_of(self, columns: tuple[str, ...], rows: Collection[int]) -> dict[int, Hashable]:
        """Return the key of each of these rows, as ``keys`` does of all."""
        order = sorted(rows)
        lines = self.fast_lines(row for row in order if row < self.fast_rows)
        slow = [self.slow[row - self.fast_rows] for row in order if row >= self.fast_rows]
        values = self._key_reader.read(columns, b"\n".join((*lines, b"")), slow, len(order))
        return dict(zip(order, values, strict=True))

    def fast_lines(self, rows: Iterable[int]) -> list[bytes]:
        """Return these rows' lines of ``fast``, without their ends."""
        if self._fast_starts is None:
            self._fast_starts = line_starts(self.fast)
        fast, starts = self.fast, self._fast_starts
        return [fast[starts[row] : starts[row + 1] - 1] for row in rows]

    def all_fast_lines(self) -> Iterator[list[bytes]]:
        """Yield all lines of ``fast``, without their ends, thousands at a time."""
        position = 0
        while position < len(self.fast):
            end = self.fast.find(b"\n", position + _LINES) + 1 or len(self.fast)
            yield self.fast[position:end].split(b"\n")[:-1]
            position = end

    def fast_runs(self) -> Iterator[range]:
        """Yield the numbers in the batch of the records of ``fast``, in the order of its lines."""
        ends = [*(run.row for run in self._runs[1:]), self.fast_rows]
        for run, end in zip(self._runs, ends, strict=False):  # there may be no run
            yield range(run.record, run.record + end - run.row)

    def fast_records(self, rows: Iterable[int]) -> list[int]:
        """Return the number in the batch, from 1, of each of these records of ``fast``."""
        if self._fast_record is None:
            self._fast_record = array("I", chain.from_iterable(self.fast_runs()))
        return list(map(self._fast_record.__getitem__, rows))

    def _locate(self, row: int) -> Located:
        if row >= self.fast_rows:
            return self._slow_records[row - self.fast_rows]
        index = bisect_right(self._runs, row, key=lambda run: run.row) - 1
        run = self._runs[index]
        starts = self._line_starts.get(index)
        if starts is None:
            newlines = _NEWLINE.finditer(self._data, run.start, run.end)
            starts = array("q", [run.start, *(newline.end() for newline in newlines)])
            self._line_starts[index] = starts
        nth = row - run.row
        return Located(run.record + nth, run.line + nth, starts[nth], starts[nth + 1])


def line_starts(payload: bytes) -> "array[int]":
    """Return where each line of a payload starts, and where the last one ends; it has no line ends but newlines."""
    starts = array("I", [0])
    position = 0
    while position < len(payload):
        end = payload.find(b"\n", position + _SLICE) + 1 or len(payload)
        lengths = map(len, payload[position:end].splitlines(keepends=True))
        starts.extend(islice(accumulate(lengths, initial=position), 1, None))
        position = end
    return starts

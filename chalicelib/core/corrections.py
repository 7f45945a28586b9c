"""An error file that comes back: its own columns, and each record without its error cells.

A file whose header has a label of ``ERROR_COLUMNS`` (trimmed, in any place) is a correction file. Those columns are
left out of everything; what remains of a record is judged as if it had come alone.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from chalicelib.core.expressions import field_expression
from chalicelib.core.labels import resolve
from chalicelib.core.records import RecordEnds, grammar_of, strip_line_end
from chalicelib.core.render import ERROR_COLUMNS
from chalicelib.core.schema import Dataset, Dialect

_LINE, _, _, _CODE, _ = ERROR_COLUMNS
_ESCAPED = 6  # bytes that a byte of a record takes in an error file at most: \u0001 in JSON
_ERROR_CELLS = 1 << 20  # bytes that the error cells of a record may have
_words = re.compile(rb"[\w\x80-\xff]+").findall
_LONGEST_NUMBER = 18  # digits that fit a bigint


class Place(NamedTuple):
    """What a record's error cells say: its line in the parent's file, and its errors' codes; ``None`` if unclear.

    ``own`` are the bytes of its other cells.
    """

    line: int | None
    codes: str | None
    own: bytes

    def likeness(self, raw: bytes) -> int:
        """Return how many words it shares with a record as that was rejected: mending leaves most of them alone."""
        return len(set(_words(self.own)).intersection(_words(raw)))


def is_correction(labels: Sequence[str], dataset: Dataset) -> bool:
    """Tell whether these are the labels of a correction file.

    Where the dialect has no header, a first record is one only if all its other cells are names of fields.
    """
    own = own_columns(labels)
    if len(own) == len(labels):
        return False
    return dataset.dialect.header or set(resolve(own, dataset)) <= {field.name for field in dataset.fields}


def own_columns(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels without those of the error columns."""
    return tuple(label for label in labels if label.strip() not in ERROR_COLUMNS)


def longest_line(labels: Sequence[str] | None, max_record_bytes: int) -> int:
    """Return how long a record of a file may be, error cells and escapes included, given a correction's labels."""
    return max_record_bytes if labels is None else _ESCAPED * max_record_bytes + _ERROR_CELLS


class ErrorCells:
    """Cuts the error cells off the records of a correction file with these labels."""

    def __init__(self, labels: Sequence[str], dialect: Dialect) -> None:
        self._names = {index: label.strip() for index, label in enumerate(labels) if label.strip() in ERROR_COLUMNS}
        self._last = max(self._names, default=-1)
        self._delimiter = dialect.delimiter.encode()
        self._field = re.compile(field_expression(dialect).encode()).match

    def cut(self, record: bytes) -> Place:
        """Return what the error cells say, and the other cells, each as it is written.

        Where the quoting of a field is broken nothing after it can be told apart: all of that is the record's own.
        """
        cells: dict[str, bytes] = {}
        own: list[bytes] = []
        position, index = 0, 0
        while index <= self._last and (match := self._field(record, position)):
            quoted, plain, after = match.groups()
            name = self._names.get(index)
            if name is None:
                own.append(record[position : match.start(3)])
            else:
                cells.setdefault(name, plain if quoted is None else quoted)
            position, index = match.end(), index + 1
            if not after:
                break
        else:
            own.append(record[position:])
        codes = cells.get(_CODE, b"").decode(errors="replace").strip()
        return Place(number_in(cells.get(_LINE, b"")), codes or None, self._delimiter.join(own))


def first_places(data: bytes, labels: Sequence[str], dialect: Dialect, max_record_bytes: int, most: int) -> list[Place]:
    """Return what the error cells of the first ``most`` records say; the last of ``data`` may be cut short."""
    return list(islice(_places(data, labels, dialect, max_record_bytes), most))


def _places(data: bytes, labels: Sequence[str], dialect: Dialect, max_record_bytes: int) -> Iterator[Place]:
    cells = ErrorCells(labels, dialect)
    grammar = grammar_of(dialect)
    ends = RecordEnds(grammar, data, longest_line(labels, max_record_bytes))
    position = 0
    while position < len(data):
        start = position
        position, whole = ends.after(start)
        raw = strip_line_end(data, start, position)
        if not (whole and grammar.is_no_record(raw)):
            yield cells.cut(raw)


def number_in(cell: bytes) -> int | None:
    """Return the number of a line that a cell holds; ``None`` where it holds none."""
    text = cell.strip()
    return int(text) if text.isdigit() and len(text) <= _LONGEST_NUMBER else None

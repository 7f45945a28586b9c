"""Reads batches of correction files: each record is judged as it would be without its error cells.

By the exact rules alone: such files are small, and seldom.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from chalicelib.core.corrections import ErrorCells, longest_line, own_columns
from chalicelib.core.exact import Values
from chalicelib.core.parsed import Located, Parsed
from chalicelib.core.reader import Reader
from chalicelib.core.records import RecordEnds, strip_line_end
from chalicelib.core.rejection import RecordError, Rejection, too_long
from chalicelib.core.rejections import Rejections
from chalicelib.core.render import RAW_PREFIX, unescape_raw
from chalicelib.core.schema import Dataset

_NOT_KEPT = (
    RecordError(None, "row-error", "was too long to be kept here; take it out of the file that it first came in"),
)
_NO_ESCAPE = (
    RecordError(
        None, "row-error", f"what follows {RAW_PREFIX} has a backslash that is neither \\\\ nor \\n, \\r, \\xHH"
    ),
)
SEVERAL = (RecordError(None, "row-error", "holds a line end that is not quoted: each record needs a row of its own"),)

Errors = Sequence[RecordError]


@dataclass(slots=True)
class Corrected(Parsed):
    """A batch of a correction file. ``own`` are the accepted records' bytes, without their error cells."""

    own: list[bytes] = field(default_factory=list)

    def reject(self, row: int, errors: Errors) -> Rejection:
        """Return the rejection of an accepted row, with the record's own bytes."""
        rejection = Parsed.reject(self, row, errors)
        return rejection._replace(raw=self.own[row], corrects=self.corrects.get(rejection.record))

    def add(self, at: Located, raw: bytes, values: Values, errors: Errors, corrects: int | None) -> None:
        """Add the record at a place, whose own bytes are ``raw``, as accepted or, with ``errors``, as rejected."""
        if corrects is not None:
            self.corrects[at.record] = corrects
        if errors:
            offset, length = self._offset + at.start, at.end - at.start
            self.rejections.append(Rejection(at.record, at.line, offset, length, raw, tuple(errors), corrects))
            return
        self.slow.append(values)
        self.own.append(raw)
        self._slow_records.append(at)


def unescaped(cell: str, own: bytes) -> tuple[bytes, Errors]:
    """Return the bytes of a record that stands escaped in ``cell``, or its ``own`` and what is wrong with them."""
    if cell == RAW_PREFIX:
        return b"", _NOT_KEPT
    try:
        return unescape_raw(cell), ()
    except ValueError:
        return own, _NO_ESCAPE


class CorrectionReader(Reader):
    """Reads batches of correction files that have these ``labels``, error columns included."""

    def __init__(self, dataset: Dataset, labels: Sequence[str], max_record_bytes: int) -> None:
        super().__init__(dataset, own_columns(labels), max_record_bytes, fast_path=False)
        self._cells = ErrorCells(labels, dataset.dialect)
        self._longest = longest_line(labels, max_record_bytes)
        # A record of no bytes stands for one that was not kept.
        self._blank = dataset.dialect.quote_char.encode() * 2

    def read(self, data: bytes, *, offset: int, first_line: int) -> Corrected:
        """Read one batch, as ``Reader.read`` does; ``corrects`` has the parent's lines, as far as records name them."""
        parsed = Corrected(0, b"", 0, [], Rejections(data, offset), data, offset, [], [], self._keys)
        ends = RecordEnds(self._grammar, data, self._longest)
        line, end = first_line, 0
        while end < len(data):
            start = end
            end, whole = ends.after(start)
            record = strip_line_end(data, start, end)
            if not (whole and self._grammar.is_no_record(record)):
                self._read_one(parsed, record, Located(parsed.records + 1, line, start, end))
            line += data.count(b"\n", start, end)
        return parsed

    def _read_one(self, parsed: Corrected, record: bytes, at: Located) -> None:
        parsed.records += 1
        length = at.end - at.start
        if length > self._longest:
            where = {"record": at.record, "line": at.line, "offset": parsed._offset + at.start}
            parsed.rejections.append(too_long(**where, length=length, max_record_bytes=self._longest))
            return
        place = self._cells.cut(record)
        raw, values, errors = self._judge(place.own or self._blank)
        parsed.add(at, raw, values, errors, place.line)

    def _judge(self, own: bytes) -> tuple[bytes, Values, Errors]:
        """Return a record's own bytes, unescaped, and what the rules say of them."""
        cell = self._escaped(own)
        raw, errors = (own, ()) if cell is None else unescaped(cell, own)
        return (raw, (), errors) if errors else (raw, *self._decide(raw))

    def _escaped(self, own: bytes) -> str | None:
        """Return the record's first cell where that is an escaped record; spreadsheets add empty cells behind it."""
        try:
            cells = self._grammar.split(own.decode())
        except UnicodeDecodeError:
            return None
        return cells[0] if cells and cells[0].startswith(RAW_PREFIX) and not any(cells[1:]) else None

    def _decide(self, raw: bytes) -> tuple[Values, Errors]:
        if len(raw) > self._max:
            message = f"longer than {self._max} bytes, the most that a record may have"
            return (), (RecordError(None, "row-error", message),)
        values, errors = self._rules.decide(raw)
        if errors and errors[0].code in ("row-error", "encoding-error"):
            end, whole = RecordEnds(self._grammar, raw, self._max).after(0)
            if not whole:
                return (), self._rules.unclosed
            if errors[0].code == "row-error" and (end < len(raw) or raw.endswith(b"\n")):
                return (), SEVERAL
        return values, errors


@lru_cache(maxsize=16)
def compile_correction_reader(dataset: Dataset, labels: tuple[str, ...], max_record_bytes: int) -> CorrectionReader:
    """Return the reader of a dataset's correction files with these labels, compiled once."""
    return CorrectionReader(dataset, labels, max_record_bytes)

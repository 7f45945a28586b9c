"""One batch while it is being read: the fast path where that is sure, the exact rules everywhere else."""

from array import array
from collections.abc import Sequence

from chalicelib.core.exact import NOT_UTF8, RecordRules, Values
from chalicelib.core.fastpath import FEW_GOOD, FastPath, Quotes, Singles
from chalicelib.core.parsed import Located, Run
from chalicelib.core.records import Grammar, RecordEnds, strip_line_end
from chalicelib.core.rejection import Errors, RecordError, too_long
from chalicelib.core.rejections import Rejections
from chalicelib.core.stretches import unsound_lines

# Bytes per quote; with more quotes than that, the expression that expects them is the faster one.
_QUOTED, _QUOTED_TEXTS = 256, 2048
_SINGLES, _IN_VAIN = 64, 4  # matched in search of a run, and such searches in succession: most records are bad then
_NO_LINE = (1 << 62, 1 << 62)  # beyond any data
_SAMPLES, _SAMPLE = 32, 4096  # stretches in which quotes are counted, and bytes of each


class Reading:
    """How far a batch has been read, and what has been found so far."""

    def __init__(
        self, data: bytes, offset: int, line: int, grammar: Grammar, rules: RecordRules, max_record_bytes: int
    ) -> None:
        self.record = 0
        self.fast_rows = 0
        self.runs: list[Run] = []
        self.slow: list[Values] = []
        self.slow_records: list[Located] = []
        self.rejections = Rejections(data, offset)
        self._data = data
        self._offset = offset
        self._position = 0
        self._line = line
        self._rules = rules
        self._max = max_record_bytes
        self._quote = grammar.quote
        self._is_no_record = grammar.is_no_record
        self._ends = RecordEnds(grammar, data, max_record_bytes)
        self._in_vain = 0
        self._unsound_lines = unsound_lines(data, max_record_bytes)
        self._unsound = (-1, -1)  # start and end of the next one

    def read(self, fast_path: FastPath) -> None:
        """Read all, by the fast path wherever that is sure."""
        quotes, returns = self._quotes(), b"\r" in self._data
        run = fast_path.run(quotes, returns)
        everything = len(self._data)
        ahead = True  # whether a run is likely to begin
        while self._position < everything:
            self._look_for_unsound(self._position)
            stop = min(self._unsound[0], everything)
            while True:
                if ahead and self._position < stop:
                    self._take_run(run(self._data, self._position, stop))
                    ahead = False
                elif self._in_vain <= _IN_VAIN:
                    ahead = self._read_to_run(fast_path.singles(quotes, returns, False), stop)
                else:
                    ahead = self._read_to_run(fast_path.singles(quotes, returns, True), everything)
                if self._position >= stop:
                    break

    def read_exactly(self, stop: int) -> None:
        """Read up to ``stop`` by the exact rules alone."""
        while self._position < stop:
            self._read_one()

    def payload(self) -> bytes:
        """Return the bytes of all runs, line ends LF."""
        view = memoryview(self._data)
        payload = b"".join(view[run.start : run.end] for run in self.runs)
        # Accepted records have no carriage returns but those of their line ends.
        return payload.replace(b"\r\n", b"\n") if b"\r" in payload else payload

    def _quotes(self) -> Quotes:
        """Guess from samples whether many fields are quoted: a wrong guess costs time only."""
        if self._quote not in self._data:
            return Quotes.NONE
        step = max(len(self._data) // _SAMPLES, _SAMPLE)
        starts = range(0, len(self._data), step)
        quotes = sum(self._data.count(self._quote, start, start + _SAMPLE) for start in starts)
        seen = min(len(self._data), len(starts) * _SAMPLE)
        if quotes * _QUOTED > seen:
            return Quotes.MANY
        return Quotes.TEXTS if quotes * _QUOTED_TEXTS > seen else Quotes.FEW

    def _look_for_unsound(self, position: int) -> None:
        """Find the next unsound line that is not before ``position``."""
        while self._unsound[0] < position:
            self._unsound = next(self._unsound_lines, _NO_LINE)

    def _is_not_utf8(self, start: int, end: int) -> bool:
        """Tell whether an unsound line is surely a record that is to be rejected for its encoding."""
        line = self._data[start:end]
        return len(line) <= self._max and self._quote not in line and not self._is_no_record(line)

    def _read_to_run(self, singles: Singles, stop: int) -> bool:
        """Read on where records are bad: to what looks like a run, or past one of which only the exact rules can tell.

        Return whether it looks like a run. Records that are bad in their values only are rejected as ``_read_one``
        would do it, at many times its speed. Where ``stop`` is behind an unsound line, ``singles`` are single records.
        """
        faults = self._rules.faults
        width = len(faults)
        position = self._position
        unsound, unsound_end = self._unsound
        ends = array("q")
        found: list[Errors] = []
        good = 0  # in succession
        unsure = False
        for match in singles(self._data, position, stop):
            last, end = match.lastindex, match.end()
            if position == unsound:  # whatever the expression makes of it
                unsure = not self._is_not_utf8(unsound, unsound_end)
                if unsure:
                    break
                ends.append(unsound_end)
                found.append(NOT_UTF8)
                position, good = unsound_end, 0
                if end != position:
                    break
                self._look_for_unsound(position)
                unsound, unsound_end = self._unsound
            elif last is not None and last <= width + 1:
                cells = match.groups()
                errors: Errors
                if last > width:
                    errors = self._rules.errors_of_count(cells[width])
                elif cells.count(None) == width + 1:  # one cell, as nearly always
                    errors = faults[last - 1](cells[last - 1].decode())
                else:
                    errors = ()
                    for wrong_in, cell in zip(faults, cells, strict=False):
                        if cell is not None:
                            errors += wrong_in(cell.decode())
                unsure = not errors
                if unsure:
                    break
                ends.append(end)
                found.append(errors)
                position, good = end, 0
                if len(found) >= _SINGLES:
                    break
            else:
                if found:
                    self._reject_all(ends, found)
                    ends, found = array("q"), []
                if last is not None:
                    self._advance(end)
                elif end == position:
                    unsure = end < stop
                    break
                else:
                    good += self._take_run(end)
                    if good >= FEW_GOOD:
                        break
                position = end
        if found:
            self._reject_all(ends, found)
        if unsure:
            self._read_one()
        is_run = good >= FEW_GOOD
        self._in_vain = 0 if is_run else self._in_vain + 1
        return is_run

    def _reject_all(self, ends: Sequence[int], errors: Sequence[Errors]) -> None:
        """Reject the next records, which have a line each and end there."""
        self.rejections.add(self.record + 1, self._line, self._position, ends, errors)
        self.record += len(ends)
        self._line += len(ends)
        self._position = ends[-1]

    def _take_run(self, end: int) -> int:
        """Take the good records up to ``end``, and return how many they are."""
        start = self._position
        rows = self._data.count(b"\n", start, end)
        if not rows:
            return 0
        if self.runs and self.runs[-1].end == start:
            before = self.runs[-1]
            self.runs[-1] = Run(before.row, before.record, before.line, before.start, end)
        else:
            self.runs.append(Run(self.fast_rows, self.record + 1, self._line, start, end))
        self.fast_rows += rows
        self.record += rows
        self._line += rows
        self._position = end
        return rows

    def _read_one(self) -> None:
        """Read one record, or skip one blank line or comment, by the exact rules."""
        start = self._position
        end, whole = self._ends.after(start)
        raw = strip_line_end(self._data, start, end)
        if whole and self._is_no_record(raw):
            self._advance(end)
        elif whole:
            values, errors = self._rules.decide(raw)
            if errors:
                self._reject(end, errors)
            else:
                self.record += 1
                self.slow.append(values)
                self.slow_records.append(Located(self.record, self._line, start, end))
                self._advance(end)
        elif end - start <= self._max:
            self._reject(end, self._rules.unclosed)
        else:
            self.record += 1
            self.rejections.append(
                too_long(
                    record=self.record,
                    line=self._line,
                    offset=self._offset + start,
                    length=end - start,
                    max_record_bytes=self._max,
                )
            )
            self._advance(end)

    def _reject(self, end: int, errors: Sequence[RecordError]) -> None:
        """Reject the record that ends at ``end``."""
        self.record += 1
        self.rejections.add(self.record, self._line, self._position, (end,), (tuple(errors),))
        self._advance(end)

    def _advance(self, end: int) -> None:
        self._line += self._data.count(b"\n", self._position, end)
        self._position = end

"""One batch while it is being read: the fast path where that is sure, the exact rules everywhere else."""

from collections.abc import Iterator, Sequence
from itertools import islice

from chalicelib.core.exact import RecordRules, Values
from chalicelib.core.fastpath import FastPath, Match, Matches
from chalicelib.core.parsed import Located, Run
from chalicelib.core.records import Grammar, RecordEnds, strip_line_end
from chalicelib.core.rejection import RecordError, too_long
from chalicelib.core.rejections import Errors, Rejections
from chalicelib.core.utf8 import invalid_positions

_QUOTED = 256  # bytes per quote; with more quotes than that, the expression that expects them is the faster one
_DROVE = 1 << 16  # bad records looked at before a good one is expected again
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

    def read(self, fast_path: FastPath) -> None:
        """Read all, by the fast path wherever that is sure."""
        returns = b"\r" in self._data
        many_quotes = self._has_many_quotes()
        run = fast_path.run(quotes=many_quotes, returns=returns)
        few_quotes = not many_quotes and self._quote in self._data
        for start, stop in self._valid_stretches():
            self.read_exactly(start)
            patience = 1
            while self._position < stop:
                if match := run(self._data, self._position, stop):
                    self._take_run(match.end())
                    patience = 1
                elif few_quotes and self._take_quoted(fast_path.run(quotes=True, returns=returns), stop):
                    patience = 1
                elif self._reject_plain(fast_path.explain, stop, patience):
                    patience = min(2 * patience, _DROVE)  # bad records come in droves or alone
                else:
                    self._read_one()
        self.read_exactly(len(self._data))

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

    def _valid_stretches(self) -> Iterator[tuple[int, int]]:
        """Yield start and stop of each stretch of lines that are valid UTF-8."""
        data, start = self._data, 0
        for position in invalid_positions(data):
            if position >= start:
                yield start, data.rfind(b"\n", start, position) + 1 or start
                start = data.find(b"\n", position) + 1 or len(data)
        yield start, len(data)

    def _has_many_quotes(self) -> bool:
        """Guess from samples whether many fields are quoted: a wrong guess costs time only."""
        step = max(len(self._data) // _SAMPLES, _SAMPLE)
        starts = range(0, len(self._data), step)
        quotes = sum(self._data.count(self._quote, start, start + _SAMPLE) for start in starts)
        return quotes * _QUOTED > min(len(self._data), len(starts) * _SAMPLE)

    def _take_quoted(self, run: Match, stop: int) -> bool:
        """Take one record that has quotes, if it is surely good; all records after it would go slower this way."""
        start = self._position
        line_end = self._data.find(b"\n", start, stop) + 1
        if self._data.find(self._quote, start, line_end) < 0 or not run(self._data, start, line_end):
            return False
        self._take_run(line_end)
        return True

    def _take_run(self, end: int) -> None:
        start = self._position
        rows = self._data.count(b"\n", start, end)
        if self.runs and self.runs[-1].end == start:
            before = self.runs[-1]
            self.runs[-1] = Run(before.row, before.record, before.line, before.start, end)
        else:
            self.runs.append(Run(self.fast_rows, self.record + 1, self._line, start, end))
        self.fast_rows += rows
        self.record += rows
        self._line += rows
        self._position = end

    def _reject_plain(self, explain: Matches, stop: int, most: int) -> int:
        """Reject up to ``most`` records from here on, as long as each is bad in its values only; return how many.

        The same as ``_read_one`` would do, for what is nearly always wrong, at many times its speed.
        """
        errors_of, limit = self._rules.errors_of, self._max
        position = self._position
        ends: list[int] = []
        found: list[Errors] = []
        for match in islice(explain(self._data, position, stop), most):
            last, end = match.lastindex, match.end()
            if last is None or end - position > limit:
                break
            cells = match.groups()
            if cells.count(None) == len(cells) - 1:
                errors = errors_of(last - 1, cells[last - 1])
            else:
                unsure = (errors_of(column, cell) for column, cell in enumerate(cells) if cell is not None)
                errors = tuple(error for some in unsure for error in some)
            if not errors:
                break
            ends.append(end)
            found.append(errors)
            position = end
        if found:
            self.rejections.add(self.record + 1, self._line, self._position, ends, found)
            self.record += len(found)
            self._line += len(found)
            self._position = position
        return len(found)

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

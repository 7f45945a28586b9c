"""One batch of JSON Lines while it is being read: shapes where they are sure, the exact rules everywhere else."""

from chalicelib.core.exact import Values
from chalicelib.core.jsonfast import Shape
from chalicelib.core.jsonrules import ObjectRules
from chalicelib.core.parsed import Located, Run
from chalicelib.core.records import strip_line_end
from chalicelib.core.rejection import too_long
from chalicelib.core.rejections import Rejections
from chalicelib.core.stretches import sound_stretches
from chalicelib.errors import Terminal

_BLANK = b" \t\r\n"
_SHAPES = 4  # tried at a place, the one that fitted last first


class JsonReading:
    """How far a batch has been read, and what has been found so far."""

    def __init__(self, data: bytes, offset: int, line: int, rules: ObjectRules, max_record_bytes: int) -> None:
        self.record = 0
        self.fast_rows = 0
        self.runs: list[Run] = []
        self.slow: list[Values] = []
        self.slow_records: list[Located] = []
        self.rejections = Rejections(data, offset)
        self._payloads: list[bytes] = []
        self._data = data
        self._offset = offset
        self._position = 0
        self._line = line
        self._rules = rules
        self._max = max_record_bytes
        self._shapes: list[Shape] = []

    def read(self) -> None:
        """Read all, by shapes wherever they are sure."""
        for start, stop in sound_stretches(self._data, self._max):
            self.read_exactly(start)
            while self._position < stop:
                if not self._take_run(stop):
                    self._read_one()

    def read_exactly(self, stop: int) -> None:
        """Read up to ``stop`` by the exact rules alone."""
        while self._position < stop:
            self._read_one()

    def payload(self) -> bytes:
        """Return what COPY is given for all runs."""
        return b"".join(self._payloads)

    def _take_run(self, stop: int) -> bool:
        start = self._position
        for shape in self._shapes:
            match = shape.run(self._data, start, stop)
            if match is not None:
                self._prefer(shape)
                self._take(shape, start, match.end())
                return True
        return False

    def _take(self, shape: Shape, start: int, end: int) -> None:
        rows = self._data.count(b"\n", start, end)
        payload, made = shape.payload(self._data[start:end])
        if made != rows:
            raise Terminal("shape-miscounted", f"{rows} records of one shape became {made} rows")
        self._payloads.append(payload)
        self.runs.append(Run(self.fast_rows, self.record + 1, self._line, start, end))
        self.fast_rows += rows
        self.record += rows
        self._line += rows
        self._position = end

    def _prefer(self, shape: Shape) -> None:
        if self._shapes[:1] != [shape]:
            self._shapes = [shape, *(other for other in self._shapes if other is not shape)][:_SHAPES]

    def _read_one(self) -> None:
        """Read one line by the exact rules; a blank one is no record."""
        start = self._position
        end = self._data.find(b"\n", start) + 1 or len(self._data)
        line, self._line, self._position = self._line, self._line + 1, end
        if end - start > self._max:
            self.record += 1
            where = {"record": self.record, "line": line, "offset": self._offset + start, "length": end - start}
            self.rejections.append(too_long(**where, max_record_bytes=self._max))
            return
        raw = strip_line_end(self._data, start, end)
        if not raw.strip(_BLANK):
            return
        self.record += 1
        values, errors, names = self._rules.decide(raw)
        if errors:
            self.rejections.add(self.record, line, start, (end,), (tuple(errors),))
            return
        self.slow.append(values)
        self.slow_records.append(Located(self.record, line, start, end))
        shape = self._rules.shape(names)
        if shape is not None:
            self._prefer(shape)

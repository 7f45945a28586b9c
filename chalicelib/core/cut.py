"""A file into batches: byte ranges that end where records do."""

from dataclasses import dataclass

from chalicelib.core.records import RecordEnds, grammar_of
from chalicelib.core.schema import Dialect

MAX_LINES = 400_000
"""In one batch: a rejection takes several hundred bytes, however short its line. Good records are seldom so short."""

_DENSE = 512  # bytes per quote; with more quotes than that, running over all records beats jumping from quote to quote


@dataclass(frozen=True, slots=True)
class Cut:
    """The bytes ``start`` to ``end`` (exclusive) of a file, which begin on physical line ``first_line``.

    ``oversize``: exactly one physical line, longer than a record may be, which nobody needs to fetch to reject it.
    """

    start: int
    end: int
    first_line: int
    oversize: bool


class Cutter:
    """Cuts the bytes that it is fed; knows nothing of where they come from.

    A cut ends at the last record's end within ``batch_bytes`` and ``MAX_LINES`` of its start, or, where there is none,
    at the first one after. It depends on the file and on where the first cut starts, not on how the bytes arrive: a
    cutter that starts where another one's cut ended makes the same cuts.

    Holds at most ``batch_bytes`` + ``max_record_bytes`` and one chunk. ``offset`` and ``line`` tell where the cuts made
    so far end: from there a new cutter can go on. Without a ``dialect`` every physical line is a record. With ``keep``
    the bytes of the cuts stay, too, until ``kept`` is called.
    """

    def __init__(
        self,
        dialect: Dialect | None,
        *,
        start: int,
        line: int,
        batch_bytes: int,
        max_record_bytes: int,
        keep: bool = False,
    ) -> None:
        self.offset = start
        self.line = line
        self._grammar = None if dialect is None else grammar_of(dialect)
        self._keep = keep
        self._kept: list[bytes] = []
        self._batch = batch_bytes
        self._max = max_record_bytes
        self._buffer = bytearray()
        self._discarded = 0  # bytes of an oversize line that have streamed past

    def feed(self, chunk: bytes) -> list[Cut]:
        """Take the file's next bytes; return the cuts that they complete."""
        self._buffer += chunk
        cuts = []
        # With less than this to look at, a later byte might still change where the cut ends.
        while len(self._buffer) >= self._batch + self._max or self._discarded:
            cut = self._cut()
            if cut is None:
                break
            cuts.append(cut)
        return cuts

    def finish(self) -> list[Cut]:
        """Return the cuts of what is left, at the end of the file."""
        cuts = []
        while len(self._buffer) > self._limit() or self._discarded:
            cuts.append(self._cut() or self._take(0, oversize=True))
        if self._buffer:
            cuts.append(self._take(len(self._buffer), oversize=False))
        return cuts

    def kept(self) -> list[bytes]:
        """Return the bytes of each cut made since the last call, and forget them; none of an oversize one."""
        kept, self._kept = self._kept, []
        return kept

    def _cut(self) -> Cut | None:
        """Cut the buffer once; ``None`` while the end of an oversize line is not in sight."""
        if not self._discarded:
            end = self._last_end()
            if end:
                return self._take(end, oversize=False)
        line_end = self._buffer.find(b"\n") + 1
        if line_end:
            return self._take(line_end, oversize=True)
        self._discarded += len(self._buffer)
        self._buffer.clear()
        return None

    def _take(self, end: int, *, oversize: bool) -> Cut:
        cut = Cut(self.offset, self.offset + self._discarded + end, self.line, oversize)
        self.line += self._buffer.count(b"\n", 0, end)
        self.offset = cut.end
        self._discarded = 0
        if self._keep:
            with memoryview(self._buffer) as view:
                self._kept.append(b"" if oversize else bytes(view[:end]))
        del self._buffer[:end]
        return cut

    def _last_end(self) -> int:
        """Return where the next cut ends in the buffer, or 0 where the first line is an oversize cut of its own."""
        data, limit = self._buffer, self._limit()
        if self._grammar is None:
            return data.rfind(b"\n", 0, limit) + 1 or self._unless_oversize(data.find(b"\n") + 1 or len(data))
        ends = RecordEnds(self._grammar, data, self._max)
        quote = self._grammar.quote
        dense = data.count(quote, 0, limit) * _DENSE > limit
        position = 0
        while (opening := data.find(quote, position, limit)) >= 0:
            position = data.rfind(b"\n", position, opening) + 1 or position
            if dense and (run := ends.run(position, limit)) > position:
                position = run
                continue
            end, _ = ends.after(position)
            if end > limit:
                return position or self._unless_oversize(end)
            position = end
        position = data.rfind(b"\n", position, limit) + 1 or position
        return position or self._unless_oversize(ends.after(0)[0])

    def _limit(self) -> int:
        """Return how far into the buffer the next cut may reach."""
        limit = min(self._batch, len(self._buffer))
        if self._buffer.count(b"\n", 0, limit) <= MAX_LINES:
            return limit
        lines, position = 0, 0
        while lines < MAX_LINES:  # in strides that hold as many lines as may still come, until none is left
            stride = min(position + MAX_LINES - lines, limit)
            lines += self._buffer.count(b"\n", position, stride)
            position = stride
        return position

    def _unless_oversize(self, end: int) -> int:
        return end if end <= self._max else 0

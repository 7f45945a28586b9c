"""A file into batches: byte ranges that end where records do."""

from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.core.records import RecordEnds, grammar_of
from chalicelib.core.schema import Dialect

MAX_LINES = 250_000
"""In one batch: a record takes some 80 bytes beside its own, most of them for its keys, and a loader has 130 MB."""

_BLOCK = 256 * 1024  # bytes whose lines are counted at once: no more than these are counted twice
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


class Taper(NamedTuple):
    """Makes cuts shorter towards the end of ``size`` bytes, so that none of the workers ends long after the others.

    Each takes an even part of half of what is left ("factoring", Hummel, Schonberg and Flynn 1992), at ``least`` so
    many bytes.
    """

    size: int
    workers: int
    least: int

    def at(self, offset: int) -> int:
        """Return the most bytes of a cut that starts there."""
        return max((self.size - offset) // (2 * self.workers), self.least)


class Cutter:
    """Cuts the bytes that it is fed; knows nothing of where they come from.

    A cut ends at the last record's end within ``batch_bytes``, what ``taper`` says and ``MAX_LINES`` of its start, or,
    where there is none, at the first one after. It depends on the file and on where the first cut starts, not on how
    the bytes arrive: a cutter that starts where another one's cut ended makes the same cuts.

    Of the cut to come it holds only what follows the last record's end in sight: a few times ``max_record_bytes`` and a
    chunk, unless a single line is longer, and at most ``batch_bytes`` besides. ``offset`` and ``line`` tell where the
    cuts made so far end: from there a new cutter can go on. Without a ``dialect`` every physical line is a record. With
    ``keep`` the bytes of the cuts stay, too, until ``kept`` is called.
    """

    def __init__(
        self,
        dialect: Dialect | None,
        *,
        start: int,
        line: int,
        batch_bytes: int,
        max_record_bytes: int,
        taper: Taper | None = None,
        keep: bool = False,
    ) -> None:
        self.offset = start
        self.line = line
        self._grammar = None if dialect is None else grammar_of(dialect)
        self._keep = keep
        self._kept: list[list[bytes]] = []
        self._longest = batch_bytes
        self._taper = taper
        self._batch = self._batch_here()
        self._max = max_record_bytes
        self._sure = 0  # bytes of whole records that the cut to come has in any case
        self._lines = 0  # line ends in them
        self._pieces: list[bytes] = []  # the same bytes, if they are kept
        self._buffer = bytearray()  # what follows them
        self._enough = 0  # bytes in the buffer that make it worth another look
        self._discarded = 0  # bytes of an oversize line that have streamed past

    def feed(self, chunk: bytes) -> list[Cut]:
        """Take the file's next bytes; return the cuts that they complete."""
        self._buffer += chunk
        cuts: list[Cut] = []
        if len(self._buffer) < self._enough and not self._discarded:
            return cuts
        # Where a record ends that starts in the buffer's last ``max_record_bytes``, a later byte might still change.
        while (told := len(self._buffer) - self._max) > 0 or self._discarded:
            cut = self._cut(told)
            if cut is None:
                break
            cuts.append(cut)
        left = len(self._buffer)
        self._enough = min(2 * left, self._batch - self._sure + 1) + self._max
        return cuts

    def finish(self) -> list[Cut]:
        """Return the cuts of what is left, at the end of the file."""
        cuts: list[Cut] = []
        while self._discarded or self._limit(len(self._buffer)).full:
            cuts.append(self._cut(len(self._buffer)) or self._take_oversize(0))
        if self._sure or self._buffer:
            self._advance(len(self._buffer), self._buffer.count(b"\n"))
            cuts.append(self._take())
        return cuts

    def kept(self) -> list[list[bytes]]:
        """Return the bytes of each cut made since the last call, in pieces, and forget them; none of oversize ones."""
        kept, self._kept = self._kept, []
        return kept

    def _cut(self, told: int) -> Cut | None:
        """Cut once, or, as long as the buffer's first ``told`` bytes do not fill a cut, come closer to that."""
        if not self._discarded:
            limit, lines, full = self._limit(told)
            end = self._last_end(limit)
            if end:
                self._advance(end, lines - self._buffer.count(b"\n", end, limit))
            if not full:
                return None
            if not self._sure:
                self._advance_over_one()
            if self._sure:
                return self._take()
        line_end = self._buffer.find(b"\n") + 1
        if line_end:
            return self._take_oversize(line_end)
        self._discarded += len(self._buffer)
        self._buffer.clear()
        return None

    def _advance(self, end: int, lines: int) -> None:
        """Take the buffer up to ``end``, where a record ends, into the cut to come."""
        if self._keep:
            with memoryview(self._buffer) as view:
                self._pieces.append(bytes(view[:end]))
        self._sure += end
        self._lines += lines
        del self._buffer[:end]

    def _advance_over_one(self) -> None:
        """Take a first record that is longer than a cut, unless it is oversize."""
        if self._grammar is None:
            end = self._buffer.find(b"\n") + 1 or len(self._buffer)
        else:
            end, _ = RecordEnds(self._grammar, self._buffer, self._max).after(0)
        if end <= self._max:
            self._advance(end, self._buffer.count(b"\n", 0, end))

    def _take(self) -> Cut:
        cut = Cut(self.offset, self.offset + self._sure, self.line, oversize=False)
        self._end_at(cut, self._lines)
        return cut

    def _take_oversize(self, end: int) -> Cut:
        cut = Cut(self.offset, self.offset + self._discarded + end, self.line, oversize=True)
        self._end_at(cut, self._buffer.count(b"\n", 0, end))
        del self._buffer[:end]
        self._discarded = 0
        return cut

    def _end_at(self, cut: Cut, lines: int) -> None:
        self.line += lines
        self.offset = cut.end
        self._batch = self._batch_here()
        if self._keep:
            self._kept.append(self._pieces)
        self._sure, self._lines, self._pieces = 0, 0, []

    def _batch_here(self) -> int:
        """Return the most bytes of the cut to come."""
        return self._longest if self._taper is None else min(self._longest, self._taper.at(self.offset))

    def _last_end(self, limit: int) -> int:
        """Return where the last record within the buffer's first ``limit`` bytes ends, or 0."""
        data = self._buffer
        if self._grammar is None:
            return data.rfind(b"\n", 0, limit) + 1
        ends = RecordEnds(self._grammar, data, self._max)
        quote = self._grammar.quote
        position = ends.near(limit)
        opening = data.find(quote, position, limit)
        dense = opening >= 0 and data.count(quote, opening, limit) * _DENSE > limit - position
        while opening >= 0:
            position = data.rfind(b"\n", position, opening) + 1 or position
            if dense and (run := ends.run(position, limit)) > position:
                position = run
            else:
                end, _ = ends.after(position)
                if end > limit:
                    return position
                position = end
            opening = data.find(quote, position, limit)
        return data.rfind(b"\n", position, limit) + 1 or position

    def _limit(self, told: int) -> "_Limit":
        """Return how far into the buffer the cut to come may reach, as far as its first ``told`` bytes tell."""
        room = self._batch - self._sure
        limit = min(room, told)
        most = MAX_LINES - self._lines
        lines, position = 0, 0
        while position < limit:
            block = min(position + _BLOCK, limit)
            found = self._buffer.count(b"\n", position, block)
            if lines + found > most:
                break
            lines, position = lines + found, block
        else:
            return _Limit(limit, lines, full=room < told)
        while lines < most:  # in strides that hold as many lines as may still come, until none is left
            stride = min(position + most - lines, limit)
            lines += self._buffer.count(b"\n", position, stride)
            position = stride
        return _Limit(position, lines, full=True)


class _Limit(NamedTuple):
    """A stretch of the buffer and the line ends in it; ``full`` if the cut cannot reach further."""

    end: int
    lines: int
    full: bool

"""From a dirty file and what the truth says of it: the records to load, and those that are rivals for a key."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

_TWO_LINES = ("quoted_newline", "quoted_crlf")


def separate(dirty: Path, odd: Sequence[Mapping[str, Any]], accepted: Path, rivals: Path) -> int:
    """Write ``accepted``, the dirty file's own lines but for what the truth rejects; the number of records seen.

    ``rivals`` gets the records that share a key, the first as well as the later ones, each after its record number and
    its line; it has no header.
    """
    with ExitStack() as files:
        lines = files.enter_context(dirty.open("rb"))
        writer = _Writer(lines, files.enter_context(accepted.open("wb")), files.enter_context(rivals.open("wb")), odd)
        return writer.run(odd)


class _Writer:
    def __init__(
        self, lines: Iterator[bytes], accepted: BinaryIO, rivals: BinaryIO, odd: Sequence[Mapping[str, Any]]
    ) -> None:
        self._lines = lines
        self._accepted = accepted
        self._rivals = rivals
        self._firsts = iter(sorted({one["duplicate_of"] for one in odd if one["duplicate_of"] is not None}))
        self._first = next(self._firsts, None)
        self._record, self._line = 1, 2  # those of the record that comes next

    def run(self, odd: Sequence[Mapping[str, Any]]) -> int:
        self._accepted.write(next(self._lines))
        for one in odd:
            self._plain(one["record"] - self._record)
            while self._line < one["line"]:
                assert next(self._lines) == b"\n", "only blank lines are no records"
                self._line += 1
            data = b"".join(islice(self._lines, 2 if one["kind"] in _TWO_LINES else 1))
            if one["valid"]:
                self._accepted.write(data)
            if one["duplicate_of"] is not None or one["record"] == self._first:
                self._rival(data)
            self._record += 1
            self._line += data.count(b"\n")
        for data in self._lines:
            self._one(data)
        return self._record - 1

    def _plain(self, count: int) -> None:
        """Records of one line that are to be loaded."""
        end = self._record + count
        while self._first is not None and self._first < end:
            self._pass(self._first - self._record)
            self._one(next(self._lines))
        self._pass(end - self._record)

    def _pass(self, count: int) -> None:
        self._accepted.writelines(islice(self._lines, count))
        self._record += count
        self._line += count

    def _one(self, data: bytes) -> None:
        self._accepted.write(data)
        if self._record == self._first:
            self._rival(data)
        self._record += 1
        self._line += 1

    def _rival(self, data: bytes) -> None:
        self._rivals.write(b"%d,%d," % (self._record, self._line) + data)
        if self._record == self._first:
            self._first = next(self._firsts, None)


def halve(accepted: Path, first: Path, second: Path) -> None:
    """Write the same records into two files of about the same size, each with the header."""
    with accepted.open("rb") as lines, first.open("wb") as out, second.open("wb") as rest:
        header = next(lines)
        out.write(header)
        _copy_records(lines, out, accepted.stat().st_size // 2)
        rest.write(header)
        rest.writelines(lines)


def _copy_records(lines: Iterator[bytes], out: BinaryIO, count: int) -> None:
    """Whole records of at least ``count`` bytes."""
    inside = False
    for line in lines:
        out.write(line)
        count -= len(line)
        inside ^= bool(line.count(b'"') % 2)
        if count <= 0 and not inside:
            return

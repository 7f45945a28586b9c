"""COPY's text format, which can say every value (https://www.postgresql.org/docs/current/sql-copy.html)."""

import io
import re
from collections.abc import Iterable, Iterator

from chalicelib.core.lines import Row

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def copy_line(values: Iterable[str | None]) -> bytes:
    """One row: tab-separated, null as ``\\N``, escaped, in UTF-8 and with its newline."""
    return ("\t".join("\\N" if value is None else value.translate(_ESCAPES) for value in values) + "\n").encode()


class LineStream(io.RawIOBase):
    """What COPY reads from: lines that are made as they are read, so that they are never all in memory."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._buffer = bytearray()

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes, fewer at the end."""
        while size < 0 or len(self._buffer) < size:
            line = next(self._lines, None)
            if line is None:
                break
            self._buffer += line
        taken = bytes(self._buffer if size < 0 else self._buffer[:size])
        del self._buffer[: len(taken)]
        return taken


class Rows:
    """What COPY writes into: libpq hands over one row at a time."""

    def __init__(self) -> None:
        self.read: list[Row] = []

    def write(self, line: bytes) -> None:
        self.read.append(read_copy_line(line))


_UNESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(r"\\(.)")


def read_copy_line(line: bytes) -> tuple[str | None, ...]:
    """The values of one row that COPY has written, with its newline; ``None`` for null."""
    text = line[:-1].decode()
    cells = text.split("\t")
    if "\\" not in text:
        return tuple(cells)
    return tuple(None if cell == "\\N" else _unescaped(cell) if "\\" in cell else cell for cell in cells)


def _unescaped(cell: str) -> str:
    return _ESCAPE.sub(lambda match: _UNESCAPED.get(match[1], match[1]), cell)

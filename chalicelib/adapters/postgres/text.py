"""COPY's text format, which can say every value (https://www.postgresql.org/docs/current/sql-copy.html)."""

import io
from collections.abc import Iterable, Iterator

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

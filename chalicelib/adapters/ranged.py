"""An object of the store as a file that can be sought in, for readers that start at a file's end."""

import io
from collections.abc import Callable
from typing import Any

from chalicelib.errors import FileRefused


class RangedFile(io.RawIOBase):
    """Reads what it is asked for by calls of ``read(start, end)``, no more and no less, ``most_bytes`` at once.

    Raises FileRefused where more are asked for, as by a library that believes what a hostile file says of itself.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int, most_bytes: int) -> None:
        self._read = read
        self.size = size
        self._most = most_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        left = max(self.size - self._position, 0)
        size = left if size is None or size < 0 else min(size, left)
        if not size:
            return b""
        if size > self._most:
            raise FileRefused("too-large", f"a part of the file that must be read at once has {size} bytes")
        data = self._read(self._position, self._position + size)
        self._position += size
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

"""Compressed data, unpacked as they stream past, with a limit on what comes out."""

import zlib
from collections.abc import Iterator

from chalicelib.errors import FileRefused

MAX_RATIO = 200
"""Bytes out for one byte in; deflate can do 1,032. Below ``RATIO_FROM`` nobody minds."""

RATIO_FROM = 64 * 1024 * 1024
_SLICE = 16 * 1024  # bytes unpacked at a time: what is left of them is copied at each member's end
_MOST_OUT = 1024 * 1024  # bytes that come out at a time
_GZIP_WINDOW, _RAW_WINDOW = 31, -15


class Meter:
    """Counts bytes in and out of a container."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._packed = 0
        self._unpacked = 0

    def count(self, packed: int, unpacked: int) -> None:
        """Count some more.

        Raises:
            FileRefused: it is more than a file may have, or so well packed that nobody but a prankster would do it.
        """
        self._packed += packed
        self._unpacked += unpacked
        if self._unpacked > self._most:
            raise FileRefused(
                "byte-count", f"the file has more than {self._most} bytes when unpacked, which is the limit"
            )
        if self._unpacked > RATIO_FROM and self._unpacked > MAX_RATIO * self._packed:
            raise FileRefused(
                "archive-bomb",
                f"the archive unpacks to more than {MAX_RATIO} times its size; if that is right, drop the plain file",
            )


def gunzip(chunks: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    """Yield the data of all members of a gzip file; zeros between members and after the last are padding.

    Raises:
        FileRefused: the file is truncated or damaged, other bytes follow a member, or ``meter`` says so.
    """
    member = None
    for data in _sliced(chunks):
        while data:
            if member is None:
                data = _next_member(data)
                if not data:
                    break
                member = zlib.decompressobj(_GZIP_WINDOW)
            try:
                piece = member.decompress(data, _MOST_OUT)
            except zlib.error:
                raise _damaged() from None
            rest = member.unused_data if member.eof else member.unconsumed_tail
            meter.count(len(data) - len(rest), len(piece))
            yield piece
            data = rest
            if member.eof:
                member = None
    if member is not None:
        raise FileRefused("archive-truncated", "the gzip file ends in the middle: it was not transferred in full")


def _next_member(data: bytes) -> bytes:
    data = data.lstrip(b"\0")
    if data and not data.startswith(b"\x1f"):
        raise FileRefused("archive-damaged", "bytes that are not gzip follow the compressed data")
    return data


def inflate(chunks: Iterator[bytes], meter: Meter, *, stored: bool, crc: int, size: int) -> Iterator[bytes]:
    """Yield the data of a zip archive's member, whose bytes in the archive are ``chunks``.

    ``stored``: they are not compressed. ``crc`` and ``size`` (in bytes) are what the archive says of the data.

    Raises:
        FileRefused: the data are not what the archive says, or ``meter`` says so.
    """
    found_crc, found_size = 0, 0
    for packed, piece in ((len(data), data) for data in chunks) if stored else _inflated(chunks):
        meter.count(packed, len(piece))
        found_crc, found_size = zlib.crc32(piece, found_crc), found_size + len(piece)
        yield piece
    if (found_crc, found_size) != (crc, size):
        raise _damaged()


def _inflated(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield how many bytes were unpacked, and to what."""
    member = zlib.decompressobj(_RAW_WINDOW)
    try:
        for data in _sliced(chunks):
            while data:
                piece = member.decompress(data, _MOST_OUT)
                yield len(data) - len(member.unconsumed_tail), piece
                data = member.unconsumed_tail
        while piece := member.decompress(b"", _MOST_OUT):  # the last bits of the data may stand for many bytes
            yield 0, piece
    except zlib.error:
        raise _damaged() from None
    if not member.eof or member.unused_data:
        raise _damaged()


def _damaged() -> FileRefused:
    return FileRefused("archive-damaged", "the archive is damaged: its data do not fit their own checksum or structure")


def _sliced(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), _SLICE):
            yield chunk[start : start + _SLICE]

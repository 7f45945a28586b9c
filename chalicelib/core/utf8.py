"""Where bytes are not UTF-8, found in one pass, however many such places there are."""

import codecs
from contextvars import ContextVar

_SLICE = 1 << 17  # bytes decoded at a time: their text is of no use, and is to stay in the cache
_HANDLER = "dropload-collect"
_found: ContextVar[list[int]] = ContextVar("_found")


def _collect(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    _found.get().append(error.start)
    return "", error.end


codecs.register_error(_HANDLER, _collect)


def invalid_positions(data: bytes) -> list[int]:
    """Return the offset of every place where ``data`` is not UTF-8, ascending."""
    if data.isascii():
        return []
    positions: list[int] = []
    view = memoryview(data)
    start = 0
    while start < len(data):
        stop = min(start + _SLICE, len(data))
        found: list[int] = []
        token = _found.set(found)
        try:
            # A character that a slice cuts in two is left for the next slice.
            _, consumed = codecs.utf_8_decode(view[start:stop], _HANDLER, stop == len(data))
        finally:
            _found.reset(token)
        positions += [start + position for position in found]
        start += consumed
    return positions

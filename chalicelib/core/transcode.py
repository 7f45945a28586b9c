"""Any encoding into UTF-8, piece by piece. What the encoding does not know becomes bytes that are not UTF-8.

So a reader of UTF-8 rejects exactly the records that have it, and their bytes still tell what was there:

- a byte without a meaning (0x81 in cp1252) stays the byte that it is, if it is 0x80 to 0xBF: such a byte begins no
  character, so it cannot make one with what follows. Any other (from 0xC0) would; it becomes the surrogate
  U+DC00 + byte, in the three bytes that UTF-8 would give it if it were a character;
- half of a UTF-16 pair becomes its three bytes in the same way, and a lone last byte U+DC00 + byte.

Each depends on itself alone, so that the result is the same however the bytes arrive. Line ends are the bytes LF and CR
LF of the result; U+0085, U+2028 and the like are text.
"""

import codecs
import re
from functools import cache

from chalicelib.core.encodings import WIDE

_ESCAPE = 0xDC00
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_KEPT = re.compile(rb"\xed\xb2([\x80-\xbf])")  # U+DC80 to U+DCBF, which no UTF-8 has


class Transcoder:
    """Turns the bytes that it is fed into UTF-8; holds no more than half a character."""

    def __init__(self, encoding: str) -> None:
        wide = encoding in WIDE
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass") if wide else None
        self._table = "" if wide else _table(encoding)
        self._odd = b""  # the first byte of a UTF-16 unit, whose second is still to come

    def feed(self, data: bytes) -> bytes:
        """Return the UTF-8 of the next bytes, as far as it is certain."""
        if self._decoder is None:
            text, _ = codecs.charmap_decode(data, "strict", self._table)
            encoded = text.encode("utf-8", "surrogatepass")
            return _KEPT.sub(rb"\1", encoded) if b"\xed\xb2" in encoded else encoded
        data = self._odd + data
        even = len(data) & ~1
        self._odd = data[even:]
        return self._decoder.decode(data[:even]).encode("utf-8", "surrogatepass")

    def finish(self) -> bytes:
        """Return what is left at the end."""
        if self._decoder is None:
            return b""
        rest = self._decoder.decode(b"", final=True) + "".join(chr(_ESCAPE + byte) for byte in self._odd)
        self._odd = b""
        return rest.encode("utf-8", "surrogatepass")


def line_feeds(data: bytes) -> tuple[bytes, bytes]:
    """Return the data with LF for every CR alone, and what is left until more is seen: a CR at the end.

    Also within quotes: who ends lines so, means a line end there, too.
    """
    done = len(data) - 1 if data.endswith(b"\r") else len(data)
    return _LONE_RETURN.sub(b"\n", data[:done]), data[done:]


@cache
def _table(encoding: str) -> str:
    """Return the character of each byte."""
    chars = (bytes([byte]).decode(encoding, "replace") for byte in range(256))
    return "".join(chr(_ESCAPE + byte) if char == "\ufffd" else char for byte, char in enumerate(chars))

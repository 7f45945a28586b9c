"""Which encodings a file may have, and which of them it has.

Names are those that Python gives to its codecs: ``utf-8``, ``cp1252``, ``iso8859-15``.
"""

import codecs
import warnings
from functools import cache

UTF8 = "utf-8"
UTF16 = "utf-16"
WIDE = ("utf-16-le", "utf-16-be")
HEAD_BYTES = 4
"""A mark is known by so many bytes."""

_UTF8 = (UTF8, "utf-8-sig")
_MARKS = {codecs.BOM_UTF8: UTF8, codecs.BOM_UTF16_LE: WIDE[0], codecs.BOM_UTF16_BE: WIDE[1]}
# Text that is not what it seems in some codec of Python's: escapes, shifts, and modified base64.
_ODD = rb"\u0041 \x41 \N{DIGIT ONE} +AGE- ~{VPND~} xn--a-0ea" + b"\x1b$B!!\x1b(B \x0eA\x0f"
_ASCII = bytes(range(128)) + _ODD


@cache
def canonical_encoding(name: str) -> str | None:
    """Return the name of an encoding that files may have, or ``None``: UTF-8, UTF-16, or one byte a character.

    The latter must be ASCII in its lower half.
    """
    try:
        found = codecs.lookup(name).name
        if found in _UTF8:
            return UTF8
        if found in (UTF16, *WIDE):
            return found
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ascii_alike = _ASCII.decode(found) == _ASCII.decode("ascii")
            return found if ascii_alike and len(bytes(range(256)).decode(found, "replace")) == 256 else None
    except (LookupError, ValueError, TypeError):
        return None


def mark_of(head: bytes) -> tuple[str | None, int]:
    """Return the encoding that a file's byte order mark tells, and the mark's length; ``(None, 0)`` without one.

    UTF-32's mark starts with that of UTF-16, but a text does not start with NUL.
    """
    if head.startswith(codecs.BOM_UTF32_LE):
        return None, 0
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding, len(mark)
    return None, 0

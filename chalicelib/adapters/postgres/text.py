"""COPY's text format, which can say every value (https://www.postgresql.org/docs/current/sql-copy.html)."""

from collections.abc import Iterable

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def copy_line(values: Iterable[str | None]) -> bytes:
    """One row: tab-separated, null as ``\\N``, escaped, in UTF-8 and with its newline."""
    return ("\t".join("\\N" if value is None else value.translate(_ESCAPES) for value in values) + "\n").encode()

"""COPY's binary format, for what is large and no text (https://www.postgresql.org/docs/current/sql-copy.html)."""

from collections.abc import Iterator, Sequence

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no more of a header
_END = b"\xff\xff"
_AT_ONCE = 1 << 18  # bytes


def binary_row(values: Sequence[bytes]) -> Iterator[bytes]:
    """Yield a file of one row, piece by piece; its values are as PostgreSQL's types send them."""
    yield _HEADER + number(len(values), 2)
    for value in values:
        yield number(len(value), 4)
        yield from (value[start : start + _AT_ONCE] for start in range(0, len(value), _AT_ONCE))
    yield _END


def only_value(file: memoryview) -> bytes:
    """Return the value of a file of one row that has one; nothing if it has no row."""
    return file[len(_HEADER) + 2 + 4 : -len(_END)].tobytes()


def number(value: int, size: int = 8) -> bytes:
    """Return a whole number as ``bigint``, or as the type of so many bytes."""
    return value.to_bytes(size, "big", signed=True)

"""The expression that matches runs of surely good records.

It accepts nothing but what the exact rules accept *and* what ``COPY ... (FORMAT csv)`` loads to the same value as it
stands (facts 4 and 9): no NUL, backslash or carriage return in a value, quotes only around a field that has been looked
at, nothing that is a missing value except an empty cell. Otherwise it may refuse what it likes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto

from chalicelib.core.fastcells import Cell, CellBuilder
from chalicelib.core.repeat import at_least_one
from chalicelib.core.schema import Dataset, Dialect

Scan = Callable[[bytes, int, int], "Iterator[re.Match[bytes]]"]
"""Called with data, start and limit."""

_SYNTAX = b"+-.:"  # delimiters or quotes that values of some types have in them
_SHARE = 72  # bytes that a column needs of a record's limit, or its longest numbers would not fit


class Quotes(Enum):
    """How many fields of a batch are quoted. Expressions that expect quotes are slower where there are none."""

    NONE = auto()
    FEW = auto()
    TEXTS = auto()  # some, which then are texts most likely
    MANY = auto()


class FastPath:
    """The expressions for one order of columns, each compiled when it is first wanted."""

    def __init__(self, cells: Sequence[Cell], dialect: Dialect) -> None:
        self._cells = cells
        self._delimiter = re.escape(dialect.delimiter).encode()
        self._unplain = re.escape(dialect.quote_char + dialect.escape).encode()
        self._special = re.escape(dialect.delimiter + dialect.quote_char + dialect.escape).encode()
        self._not_skipped = b"(?! )" if dialect.skip_initial_space else b""
        self._no_comment = b"(?!%b)" % re.escape(dialect.comment).encode() if dialect.comment else b""
        self._scans: dict[tuple[Quotes, bool, bool], Scan] = {}

    def scan(self, quotes: Quotes, *, returns: bool, explain: bool) -> Scan:
        """Return what matches, one after the other, runs of good records and single bad ones, and then nothing.

        Without ``returns`` no line end CRLF is matched. With ``explain`` a bad record is one that has no quotes: group
        ``i + 1`` is the text of the ``i``-th field where that is not surely good, and unset where it is. The group
        after those is all of a record whose fields are too many or too few. Without ``explain`` there are no bad ones,
        but it is compiled in less than half the time.
        """
        if (quotes, returns, explain) not in self._scans:
            line_end = rb"\r?+\n" if returns else rb"\n"
            plain, maybe_quoted, likely = (
                self._no_comment + self._delimiter.join(cells) + line_end
                for cells in zip(*((cell.plain, cell.maybe_quoted, cell.likely) for cell in self._cells), strict=True)
            )
            most = {Quotes.MANY: maybe_quoted, Quotes.TEXTS: likely}.get(quotes, plain)
            run = at_least_one(most.decode()).encode()
            rest = [maybe_quoted] if quotes in (Quotes.FEW, Quotes.TEXTS) else []
            # Nothing is the last alternative, or the next match would be looked for among all that follows.
            ways = [run, *rest, *([self._bad] if explain else []), b""]
            self._scans[quotes, returns, explain] = re.compile(b"|".join(ways)).finditer
        return self._scans[quotes, returns, explain]

    @property
    def _bad(self) -> bytes:
        some = b"*+" if len(self._cells) > 1 else b"++"  # an empty line is no record, even of one column
        other = rb"%b[^%b\r\n\0]%b" % (self._not_skipped, self._special, some)
        ends = [self._delimiter] * (len(self._cells) - 1) + [rb"\r?+\n"]
        fields = [
            # Atomic: a good field is another's match for ``other``, so going back would try each field both ways.
            rb"(?>%b%b|(%b)%b)" % (cell.plain, end, other, end)
            for cell, end in zip(self._cells, ends, strict=True)
        ]
        ragged = rb"([^%b\r\n\0]++)\r?+\n" % self._unplain
        return rb"%b(?:%b|%b)" % (self._no_comment, b"".join(fields), ragged)


def compile_fast_path(dataset: Dataset, columns: Sequence[str], max_record_bytes: int) -> FastPath | None:
    """Return the fast path for files with these columns; ``None`` where no record can be called surely good."""
    dialect = dataset.dialect
    special = dialect.delimiter + dialect.quote_char + dialect.escape
    share = max_record_bytes // (len(columns) + 1)
    if share < _SHARE or any(char in _SYNTAX for char in special.encode()):
        return None
    declared = {field.name: field for field in dataset.fields}
    # A lone column must not be empty: an empty line is no record.
    builder = CellBuilder(dialect, longest=share, may_be_empty=len(columns) > 1)
    cells: list[Cell] = []
    for name in columns:
        cell = builder.cell(declared[name]) if name in declared else builder.undeclared()
        if cell is None:
            return None
        cells.append(cell)
    return FastPath(cells, dialect)

"""The expression that matches runs of surely good records.

It accepts nothing but what the exact rules accept *and* what ``COPY ... (FORMAT csv)`` loads to the same value as it
stands (facts 4 and 9): no NUL, backslash or carriage return in a value, quotes only around a field that has been looked
at, nothing that is a missing value except an empty cell. Otherwise it may refuse what it likes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from chalicelib.core.fastcells import Cell, CellBuilder
from chalicelib.core.repeat import at_least_one
from chalicelib.core.schema import Dataset, Dialect

Match = Callable[..., "re.Match[bytes] | None"]
Matches = Callable[..., "Iterator[re.Match[bytes]]"]

_SYNTAX = b"+-.:"  # delimiters or quotes that values of some types have in them
_SHARE = 72  # bytes that a column needs of a record's limit, or its longest numbers would not fit


class FastPath:
    """The expressions for one order of columns, each compiled when it is first wanted.

    They are called as ``match(data, start, limit)``.
    """

    def __init__(self, cells: Sequence[Cell], dialect: Dialect) -> None:
        self._cells = cells
        self._delimiter = re.escape(dialect.delimiter).encode()
        self._special = re.escape(dialect.delimiter + dialect.quote_char + dialect.escape).encode()
        self._not_skipped = b"(?! )" if dialect.skip_initial_space else b""
        self._no_comment = b"(?!%b)" % re.escape(dialect.comment).encode() if dialect.comment else b""
        self._runs: dict[tuple[bool, bool], Match] = {}

    def run(self, *, quotes: bool, returns: bool) -> Match:
        """Return what matches as many good records as there are.

        Without ``quotes`` it stops at any quoted field, without ``returns`` at a line end CRLF, and is the faster.
        """
        if (quotes, returns) not in self._runs:
            cells = self._delimiter.join(cell.maybe_quoted if quotes else cell.plain for cell in self._cells)
            line_end = rb"\r?+\n" if returns else rb"\n"
            record = (self._no_comment + cells + line_end).decode()
            self._runs[quotes, returns] = re.compile(at_least_one(record).encode()).match
        return self._runs[quotes, returns]

    @cached_property
    def explain(self) -> Matches:
        """What matches successive unquoted records that have the right number of fields, and then nothing.

        Group ``i + 1`` is the text of the ``i``-th field where that is not surely good, and unset where it is.
        """
        some = b"*+" if len(self._cells) > 1 else b"++"  # an empty line is no record, even of one column
        other = rb"%b[^%b\r\n\0]%b" % (self._not_skipped, self._special, some)
        ends = [self._delimiter] * (len(self._cells) - 1) + [rb"\r?+\n"]
        fields = [
            # Atomic: a good field is another's match for ``other``, so going back would try each field both ways.
            rb"(?>%b%b|(%b)%b)" % (cell.plain, end, other, end)
            for cell, end in zip(self._cells, ends, strict=True)
        ]
        # Nothing, too, is a match, or the next one would be looked for among all that follows.
        return re.compile(self._no_comment + b"".join(fields) + b"|").finditer


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

"""The expressions that match runs of surely good records, and single bad ones.

A run has nothing but what the exact rules accept *and* what ``COPY ... (FORMAT csv)`` loads to the same value as it
stands (facts 4 and 9): no NUL, backslash or carriage return in a value, quotes only around a field that has been looked
at, nothing that is a missing value except an empty cell. Otherwise an expression may refuse what it likes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from functools import cache

from chalicelib.core.fastcells import Cell, CellBuilder
from chalicelib.core.repeat import at_most
from chalicelib.core.schema import Dataset, Dialect

RunEnd = Callable[[bytes, int, int], int]
"""Called with data, start and limit: returns where the run of records that begins at ``start`` ends, or ``start``."""

Singles = Callable[[bytes, int, int], "Iterator[re.Match[bytes]]"]
"""Called with data, start and limit."""

FEW_GOOD = 4
"""Good records that are matched at once where many are bad; after so many, those that follow are matched as a run."""

_SYNTAX = b"+-.:"  # delimiters or quotes that values of some types have in them


class Quotes(Enum):
    """How many fields of a batch are quoted. ``re`` is slower where quotes are expected and there are none."""

    NONE = auto()
    FEW = auto()
    TEXTS = auto()  # some, which then are texts most likely
    MANY = auto()


class FastPath:
    """The expressions for one order of columns, each compiled when it is first wanted.

    Without ``returns`` none matches a line end CRLF.
    """

    def __init__(self, cells: Sequence[Cell], dialect: Dialect) -> None:
        self._cells = cells
        self._delimiter = re.escape(dialect.delimiter).encode()
        self._unplain = re.escape(dialect.quote_char + dialect.escape).encode()
        self._special = re.escape(dialect.delimiter + dialect.quote_char + dialect.escape).encode()
        self._not_skipped = b"(?! )" if dialect.skip_initial_space else b""
        self._no_comment = b"(?!%b)" % re.escape(dialect.comment).encode() if dialect.comment else b""
        self.run = cache(self._run)
        """``run(quotes, returns)`` returns what tells where a run of good records ends."""
        self.singles = cache(self._singles)
        """``singles(quotes, returns, mostly_bad)`` returns what matches a few good records or a single bad one.

        Where neither is there, it matches nothing, and that is the last match. Where records are ``mostly_bad``, it
        matches single ones only: a bad one is then not taken for a good one first.

        A bad one has no quotes: group ``i + 1`` is the text of the ``i``-th field where that is not surely good, and
        unset where it is. The group after those is all of a record whose fields are too many or too few, and the last
        one is a blank line. Where no group is set, the record is surely good.
        """

    def _run(self, quotes: Quotes, returns: bool) -> RunEnd:
        from chalicelib.core.runs import runs_by_re, runs_by_re2  # not by functions that know readers, but read nothing

        # To RE2 all that may come next is one state; re tries one after the other.
        linear = [cell.linear if quotes is Quotes.NONE else cell.maybe_quoted for cell in self._cells]
        return runs_by_re2(self._record(linear, returns)) or runs_by_re(self._likely(quotes, returns))

    def _singles(self, quotes: Quotes, returns: bool, mostly_bad: bool) -> Singles:
        likely = self._likely(quotes, returns)
        quoted = self._record([cell.maybe_quoted for cell in self._cells], returns)
        ways = [] if mostly_bad else [at_most(likely.decode(), FEW_GOOD).encode()]
        ways.append(self._bad)
        if quotes is not Quotes.NONE and (mostly_bad or quoted != likely):
            ways.append(quoted)
        # Nothing is the last alternative, or the next match would be looked for among all that follows.
        ways += [rb"(\r?+\n)", b""]
        return re.compile(b"|".join(ways)).finditer

    def _likely(self, quotes: Quotes, returns: bool) -> bytes:
        """Return the expression of a record that is the fastest for ``re`` where so many fields are quoted."""
        ways = {
            Quotes.MANY: [cell.maybe_quoted for cell in self._cells],
            Quotes.TEXTS: [cell.likely for cell in self._cells],
        }
        return self._record(ways.get(quotes) or [cell.plain for cell in self._cells], returns)

    def _record(self, cells: Sequence[bytes], returns: bool) -> bytes:
        return self._no_comment + self._delimiter.join(cells) + (rb"\r?+\n" if returns else rb"\n")

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


def compile_fast_path(dataset: Dataset, columns: Sequence[str]) -> FastPath | None:
    """Return the fast path for files with these columns; ``None`` where no record can be called surely good."""
    dialect = dataset.dialect
    if any(char in _SYNTAX for char in (dialect.delimiter + dialect.quote_char + dialect.escape).encode()):
        return None
    declared = {field.name: field for field in dataset.fields}
    # A lone column must not be empty: an empty line is no record.
    builder = CellBuilder(dialect, may_be_empty=len(columns) > 1)
    cells: list[Cell] = []
    for name in columns:
        cell = builder.cell(declared[name]) if name in declared else builder.undeclared()
        if cell is None:
            return None
        cells.append(cell)
    return FastPath(cells, dialect)

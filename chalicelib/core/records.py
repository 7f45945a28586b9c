"""Where a record ends, and what its fields are: the one rule that cutting and reading share.

- A quote opens a field only at the field's start; inside, a doubled quote is one quote and anything else is text.
  After the closing quote, all up to the delimiter or the newline still belongs to the field (and makes the record
  malformed). Any other quote is a character like others.
- Where the dialect has an escape character, that and the character after it are text, inside quotes and outside; but
  outside, a newline ends the record all the same (an escape before it has nothing to escape: malformed).
- Where initial space is skipped, the spaces before a field are no part of it, nor do they keep a quote from opening it.
- Where the dialect has a comment character, a line that starts with it where a record would start is a comment and no
  record, whatever else is on it.
- A newline outside quotes ends the record; so does the end of the data. A carriage return before it belongs to the
  line end. A line with nothing else on it is blank and no record.
- A record, its line end included, has at most ``max_record_bytes``. One that does not end by then, or that ends inside
  an open quote, is malformed, and it is its first physical line only, however long: reading resumes at the next line.

So whether a record ends, and where, does not change when less than the whole file is seen, as long as what is seen ends
where a record does: this is what lets a file be cut into batches that are read apart.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from chalicelib.core.expressions import field_expression, record_expression, unescaper
from chalicelib.core.repeat import at_least_one
from chalicelib.core.schema import Dialect

Match = Callable[..., "re.Match[bytes] | None"]

_LOOKED_AT = 100  # quotes, to find one that tells
_NEVER = 1 << 62  # beyond any data: where a record ends that is open when the data ends


class Grammar:
    """A dialect's regular expressions. Quantifiers are possessive: no input makes them slower than linear."""

    def __init__(self, dialect: Dialect) -> None:
        self.delimiter = dialect.delimiter.encode()
        self.quote = dialect.quote_char.encode()
        self.comment = dialect.comment.encode()
        plain = not dialect.escape and not dialect.skip_initial_space
        one = record_expression(dialect)
        self.record: Match = re.compile(rf"(?:{one})(?:\n|\Z)".encode()).match
        """Matches one record, its newline included, as if there were no limit."""
        self.records: Match = re.compile(at_least_one(rf"(?:{one})\n").encode()).match
        """Matches as many records as there are, each with its newline."""
        # Nothing, too, is a match, or the next field would be looked for among all that follows.
        self._fields = re.compile(field_expression(dialect) + "|").finditer
        self.telling = plain and not dialect.comment
        """Whether a quote's neighbours may tell what follows it: see ``RecordEnds.near``."""
        self.opening = (self.delimiter + self.quote + b"\n").__contains__
        """Tells whether a quote may be more than a character like others after this byte, outside quotes."""
        self._delimiter_text = dialect.delimiter
        self._quote_text = dialect.quote_char
        self._plain = plain
        self._unescaped = unescaper(dialect)

    def is_no_record(self, record: bytes) -> bool:
        """Tell whether a whole record, without its line end, is a blank line or a comment."""
        return not record or bool(self.comment and record.startswith(self.comment))

    def split(self, record: str) -> list[str] | None:
        """Return the values of a record (without its line end), or ``None`` where its quoting is broken.

        A carriage return outside quotes is as bad: it is a line end of some programs, and no text.
        """
        if self._plain and self._quote_text not in record:
            return None if "\r" in record or "\n" in record else record.split(self._delimiter_text)
        values = []
        for match in self._fields(record):
            quoted, plain, after = match.groups()
            if quoted is not None:
                plain = self._unescaped(quoted, True)
            elif plain is None:
                return None
            elif not self._plain:
                plain = self._unescaped(plain, False)
            values.append(plain)
            if not after:
                return values
        raise AssertionError("unreachable")


@lru_cache(maxsize=64)
def grammar_of(dialect: Dialect) -> Grammar:
    """Return the dialect's grammar, compiled once."""
    return Grammar(dialect)


class RecordEnds:
    """Finds where the records of some data end; the data begin where a record does.

    Asked for rising positions, it is linear in the data, whatever they hold: all the lines between an opening quote
    and the place where it takes effect share that place, so it is looked for once.
    """

    def __init__(self, grammar: Grammar, data: bytes | bytearray, max_record_bytes: int) -> None:
        self._grammar = grammar
        self._one = grammar.record
        self._many = grammar.records
        self._data = data
        self._max = max_record_bytes
        self._open_until = -1  # lines before it that end inside a quote are records that end there

    def run(self, start: int, limit: int) -> int:
        """Return the end of as many whole records from ``start`` as can be told at a glance, none past ``limit``."""
        if start < self._open_until:
            return start  # among lines that may be open for long, glances would not be cheap
        match = self._many(self._data, start, min(start + self._max, limit))
        return match.end() if match else start

    def near(self, limit: int) -> int:
        """Return where some record ends, close before ``limit`` if there are quotes to tell it; 0 where none does.

        A quote tells that follows an ordinary character and is followed by no quote. If it is inside quotes, it closes
        them; if not, it is a character like others. Either way what follows is outside, and the next newline that is
        outside, too, ends the record, wherever that began: unless it is too long, it is whole. And too long it is not,
        if it would not be from the start of the quote's own line: before a malformed record's end there is no newline.
        """
        data, quote, reach = self._data, self._grammar.quote, limit
        for _ in range(_LOOKED_AT if self._grammar.telling else 0):
            place = data.rfind(quote, 1, reach)
            if place < 0:
                break
            reach = place
            if self._grammar.opening(data[place - 1]) or data.startswith(quote, place + 1):
                continue
            match = self._one(data, place + 1, limit)
            if match and data.startswith(b"\n", match.end() - 1):
                line = data.rfind(b"\n", 0, place) + 1
                if match.end() - line <= self._max:
                    return match.end()
            reach = max(limit - 2 * (limit - place), 0)  # farther by half, so that all searches are linear together
        return 0

    def line_end(self, start: int) -> int:
        """Return the end of the physical line at ``start``, past its newline."""
        return self._data.find(b"\n", start) + 1 or len(self._data)

    def after(self, start: int) -> tuple[int, bool]:
        """Return the end of the record at ``start``, past its newline, and whether it is whole (not malformed)."""
        line_end = self.line_end(start)
        if line_end - start > self._max:
            return line_end, False
        if self._one(self._data, start, line_end):
            return line_end, True
        if line_end >= self._open_until:
            match = self._one(self._data, start)
            self._open_until = match.end() if match else _NEVER
        if self._open_until - start <= self._max:
            return self._open_until, True
        return line_end, False


def strip_line_end(data: bytes, start: int, end: int) -> bytes:
    """Return the bytes of the record from ``start`` to ``end`` without its newline and the carriage return before."""
    if end > start and data[end - 1] == 0x0A:
        end -= 1
    if end > start and data[end - 1] == 0x0D:
        end -= 1
    return data[start:end]

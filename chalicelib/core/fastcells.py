"""One column's part of the fast path: expressions for values that are surely good."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.core.fasttypes import typed_expression
from chalicelib.core.formats import PLAIN
from chalicelib.core.keys import POSTGRES_TRUE
from chalicelib.core.patterns import embed
from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import Dialect, Field, FieldType
from chalicelib.core.values import compile_check

_POSTGRES_FALSE = frozenset({"f", "false", "n", "no", "off", "0"})
_LONGEST_TEXT = 4_096  # bytes of a value of no declared length; longer ones are left to the exact rules
_TEXTS = (FieldType.STRING, FieldType.ANY)


@dataclass(frozen=True, slots=True)
class Cell:
    """Expressions for a whole cell: not quoted, either way, and as is most likely where some fields are quoted."""

    plain: bytes
    maybe_quoted: bytes
    likely: bytes


class CellBuilder:
    """Builds the cells of one dialect; no value that a cell matches takes more than ``longest`` bytes of the file."""

    def __init__(self, dialect: Dialect, *, longest: int, may_be_empty: bool) -> None:
        self._d = re.escape(dialect.delimiter).encode()
        self._q = re.escape(dialect.quote_char).encode()
        self._escapes = b"\\\\" + re.escape(dialect.escape).encode()  # COPY's own, and the dialect's
        self._forbidden = (dialect.delimiter + dialect.quote_char + dialect.escape).encode() + b"\r\n\0\\"
        self._double_quote = dialect.double_quote
        self._not_skipped = b"(?! )" if dialect.skip_initial_space else b""
        self._longest = min(longest - 4, _LONGEST_TEXT)  # two quotes, a delimiter, a carriage return
        self._may_be_empty = may_be_empty

    def undeclared(self) -> Cell:
        """Return the cell of a column that the dataset does not declare: any text."""
        plain = self._free_text(0 if self._may_be_empty else 1, self._longest)
        return self._cell(plain, self._quoted_text(self._longest), may_be_empty=False, is_text=True)

    def cell(self, field: Field) -> Cell | None:
        """Return the cell of a field; ``None`` where nothing can be said of it in advance."""
        limits = field.constraints
        empty_is_null = "" in field.missing_values and not limits.required
        may_be_empty = empty_is_null and self._may_be_empty
        if limits.enum is not None or field.type is FieldType.BOOLEAN:
            return self._listed(field, may_be_empty)
        if field.type not in _TEXTS:
            expression = typed_expression(field)
            return None if expression is None else self._values(field, expression, may_be_empty)
        plain = PLAIN.get(field.format)
        if limits.pattern is not None:
            return self._patterned(field, limits.pattern, may_be_empty) if plain is None else None
        if plain is not None:
            return self._patterned(field, plain, may_be_empty)
        return self._text(field, may_be_empty)

    def _text(self, field: Field, may_be_empty: bool) -> Cell | None:
        least, most = self._lengths(field)
        if least > most:
            return None
        quoted = self._quoted_text(most)
        if least > 1:
            # Bytes are characters only in ASCII; a maximum holds all the same, since a character has a byte or more.
            expression = rb"[^\0-\x1f\x7f-\xff%b%b%b]{%d,%d}+" % (self._escapes, self._d, self._q, least, most)
            quoted = self._q + expression + self._q
        else:
            # Nothing is one more length here, which costs less than one more alternative.
            expression = self._free_text(0 if may_be_empty else 1, most)
            may_be_empty = False
        return self._cell(
            self._unless_missing(field, rb"[%b\r\n]" % self._d) + expression,
            self._unless_missing(field, self._q, quoted=True) + quoted,
            may_be_empty,
            is_text=True,
        )

    def _patterned(self, field: Field, pattern: str, may_be_empty: bool) -> Cell | None:
        embedded = embed(pattern, self._forbidden)
        least, most = self._lengths(field)
        if embedded is None or least > most:
            return None
        expression = embedded.expression
        if embedded.shortest < least or embedded.longest is None or embedded.longest > most:
            ahead = self._free_text(least, most)
            expression = rb"(?=%b[%b%b\r\n])%b" % (ahead, self._d, self._q, expression)
        return self._values(field, rb"(?:%b)" % expression, may_be_empty)

    def _listed(self, field: Field, may_be_empty: bool) -> Cell | None:
        """Return a cell that has the field's few values one by one."""
        if field.type is FieldType.BOOLEAN:
            same = {*_texts_in(field.true_values, POSTGRES_TRUE), *_texts_in(field.false_values, _POSTGRES_FALSE)}
            values = sorted(same)
        else:
            values = list(field.constraints.enum or ())
        if field.constraints.enum is not None and field.type not in _TEXTS and field.type is not FieldType.BOOLEAN:
            expression = typed_expression(field)
            values = [value for value in values if expression and re.fullmatch(expression, value.encode())]
        check = compile_check(field)
        good = []
        for value in values:
            errors: list[RecordError] = []
            safe = value.encode() and not set(self._forbidden).intersection(value.encode())
            if safe and len(value.encode()) <= self._longest and check(value, errors) is not None and not errors:
                good.append(re.escape(value.encode()))
        if not good:
            return None
        good.sort(key=len, reverse=True)
        return self._values(field, rb"(?:" + b"|".join(good) + rb")", may_be_empty)

    def _values(self, field: Field, expression: bytes, may_be_empty: bool) -> Cell:
        """Return a cell of an expression that is the same within quotes."""
        plain = self._unless_missing(field, rb"[%b\r\n]" % self._d) + expression
        quoted = self._q + self._unless_missing(field, self._q) + expression + self._q
        return self._cell(plain, quoted, may_be_empty)

    def _cell(self, plain: bytes, quoted: bytes, may_be_empty: bool, *, is_text: bool = False) -> Cell:
        # The empty alternative, not "?+": what follows must be able to try the next alternative of the value.
        or_empty = rb"|" if may_be_empty else b""
        plain = self._not_skipped + plain
        not_quoted, maybe_quoted = rb"(?:%b%b)" % (plain, or_empty), rb"(?:%b|%b%b)" % (quoted, plain, or_empty)
        return Cell(not_quoted, maybe_quoted, likely=maybe_quoted if is_text else not_quoted)

    def _lengths(self, field: Field) -> tuple[int, int]:
        """Return the least and the most bytes that a value may have; never 0, since an empty cell is another matter."""
        limits = field.constraints
        least = max(limits.min_length or 1, 1)
        return least, self._longest if limits.max_length is None else min(limits.max_length, self._longest)

    def _free_text(self, least: int, most: int) -> bytes:
        return rb"[^%b%b%b\r\n\0]{%d,%d}+" % (self._escapes, self._d, self._q, least, most)

    def _quoted_text(self, most: int) -> bytes:
        """Return an expression for a quoted value of 1 to ``most`` bytes, with up to four doubled quotes in it."""
        inside = rb"[^%b%b\r\n\0]" % (self._escapes, self._q)
        ways = [rb"%b{1,%d}+" % (inside, most)]
        if self._double_quote and most >= 16:  # a doubled quote is two bytes of the file
            tail = rb"%b%b%b{0,%d}+" % (self._q, self._q, inside, most // 8 - 2)
            ways.append(rb"%b{0,%d}+(?:%b){1,4}+" % (inside, most // 2, tail))
        return rb"%b(?:%b)%b" % (self._q, b"|".join(ways), self._q)

    def _unless_missing(self, field: Field, then: bytes, *, quoted: bool = False) -> bytes:
        """Return a look ahead that refuses the field's missing values, where there are any but the empty one."""
        missing = [value for value in field.missing_values if value]
        if not missing:
            return b""
        if quoted:
            return rb"(?!%b(?:%b)%b)" % (self._q, self._alternatives(missing), then)
        return rb"(?!(?:%b)%b)" % (self._alternatives(missing), then)

    def _alternatives(self, values: Iterable[str]) -> bytes:
        quote = self._q
        return b"|".join(re.escape(value.encode()).replace(quote, quote * 2) for value in values)


def _texts_in(texts: Iterable[str], meanings: frozenset[str]) -> list[str]:
    return [text for text in texts if text.lower() in meanings]

"""One column's part of the fast path: expressions for values that are surely good."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from chalicelib.core.fasttypes import typed_expression
from chalicelib.core.formats import PLAIN
from chalicelib.core.keys import POSTGRES_TRUE
from chalicelib.core.patterns import embed
from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import Dialect, Field, FieldType
from chalicelib.core.values import compile_check

_POSTGRES_FALSE = frozenset({"f", "false", "n", "no", "off", "0"})
_LONGEST_TAIL = 248  # bytes after a doubled quote: RE2 repeats nothing more than a thousand times, four tails included
_FEW_WORDS = 32  # characters of missing values in all: expressions without look-arounds grow with each
_TEXTS = (FieldType.STRING, FieldType.ANY)


@dataclass(frozen=True, slots=True)
class Cell:
    """Expressions for a whole cell: not quoted, either way, and as is most likely where some fields are quoted.

    ``linear`` is ``plain`` without look-arounds where that is possible, which takes ``re`` longer.
    """

    plain: bytes
    linear: bytes
    maybe_quoted: bytes
    likely: bytes


class CellBuilder:
    """Builds the cells of one dialect."""

    def __init__(self, dialect: Dialect, *, may_be_empty: bool) -> None:
        self._d = re.escape(dialect.delimiter).encode()
        self._q = re.escape(dialect.quote_char).encode()
        self._escapes = b"\\\\" + re.escape(dialect.escape).encode()  # COPY's own, and the dialect's
        self._forbidden = (dialect.delimiter + dialect.quote_char + dialect.escape).encode() + b"\r\n\0\\"
        self._double_quote = dialect.double_quote
        self._not_skipped = b"(?! )" if dialect.skip_initial_space else b""
        self._special = self._escapes + self._d + self._q + rb"\r\n\0"
        self._may_be_empty = may_be_empty

    def undeclared(self) -> Cell:
        """Return the cell of a column that the dataset does not declare: any text."""
        plain = texts(self._special, 0 if self._may_be_empty else 1, None)
        return self._cell(plain, self._quoted_text(None), may_be_empty=False, is_text=True)

    def cell(self, field: Field) -> Cell | None:
        """Return the cell of a field; ``None`` where nothing can be said of it in advance."""
        limits = field.constraints
        empty_is_null = "" in field.missing_values and not limits.required
        may_be_empty = empty_is_null and self._may_be_empty
        if limits.enum is not None or field.type is FieldType.BOOLEAN:
            return self._listed(field, may_be_empty)
        if field.type not in _TEXTS:
            spaced = " " in field.format and b" " in self._forbidden
            expression = None if spaced else typed_expression(field)
            return None if expression is None else self._values(field, expression, may_be_empty)
        plain = PLAIN.get(field.format)
        if limits.pattern is not None:
            return self._patterned(field, limits.pattern, may_be_empty) if plain is None else None
        if plain is not None:
            return self._patterned(field, plain, may_be_empty)
        return self._text(field, may_be_empty)

    def _text(self, field: Field, may_be_empty: bool) -> Cell | None:
        least, most = _lengths(field)
        if most is not None and least > most:
            return None
        missing = [value for value in field.missing_values if value]
        not_missing = self._none_of(missing, rb"[%b\r\n]" % self._d)
        not_missing_quoted = self._none_of(missing, self._q, opened=self._q)
        special = self._special
        if least > 1:
            # Bytes are characters only in ASCII; a maximum holds all the same, since a character has a byte or more.
            special = rb"\0-\x1f\x7f-\xff" + self._escapes + self._d + self._q
            quoted = self._q + texts(special, least, most) + self._q
        else:
            # Nothing is one more length here, which costs less than one more alternative.
            least = 0 if may_be_empty else 1
            may_be_empty = False
            quoted = self._quoted_text(most)
        few = sum(map(len, missing)) <= _FEW_WORDS
        return self._cell(
            not_missing + texts(special, least, most),
            not_missing_quoted + quoted,
            may_be_empty,
            is_text=True,
            linear=texts(special, least, most, [value.encode() for value in missing]) if few else None,
        )

    def _patterned(self, field: Field, pattern: str, may_be_empty: bool) -> Cell | None:
        embedded = embed(pattern, self._forbidden)
        least, most = _lengths(field)
        if embedded is None or (most is not None and least > most):
            return None
        expression = embedded.expression
        fits = most is None or (embedded.longest is not None and embedded.longest <= most)
        if embedded.shortest < least or not fits:
            ahead = texts(self._special, least, most)
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
            if safe and check(value, errors) is not None and not errors:
                good.append(re.escape(value.encode()))
        if not good:
            return None
        good.sort(key=len, reverse=True)
        return self._values(field, rb"(?:" + b"|".join(good) + rb")", may_be_empty)

    def _values(self, field: Field, expression: bytes, may_be_empty: bool) -> Cell:
        """Return a cell of an expression that is the same within quotes."""
        missing = [
            value
            for value in field.missing_values
            if value and re.fullmatch(expression + b"\n", value.encode() + b"\n")
        ]
        plain = self._none_of(missing, rb"[%b\r\n]" % self._d) + expression
        quoted = self._q + self._none_of(missing, self._q) + expression + self._q
        return self._cell(plain, quoted, may_be_empty)

    def _cell(
        self, plain: bytes, quoted: bytes, may_be_empty: bool, *, is_text: bool = False, linear: bytes | None = None
    ) -> Cell:
        # The empty alternative, not "?+": what follows must be able to try the next alternative of the value.
        or_empty = rb"|" if may_be_empty else b""
        linear = self._not_skipped + (plain if linear is None else linear)
        plain = self._not_skipped + plain
        not_quoted, maybe_quoted = rb"(?:%b%b)" % (plain, or_empty), rb"(?:%b|%b%b)" % (quoted, plain, or_empty)
        likely = maybe_quoted if is_text else not_quoted
        return Cell(not_quoted, rb"(?:%b%b)" % (linear, or_empty), maybe_quoted, likely)

    def _quoted_text(self, most: int | None) -> bytes:
        """Return an expression for a quoted value of 1 to ``most`` bytes, with up to four doubled quotes in it."""
        special = self._escapes + self._q + rb"\r\n\0"
        ways = [texts(special, 1, most)]
        if self._double_quote and (most is None or most >= 16):  # a doubled quote is two bytes of the file
            before, after = (None, None) if most is None else (most // 2, min(most // 8 - 2, _LONGEST_TAIL))
            tail = self._q + self._q + texts(special, 0, after)
            ways.append(rb"%b(?:%b){1,4}+" % (texts(special, 0, before), tail))
        return rb"%b(?:%b)%b" % (self._q, b"|".join(ways), self._q)

    def _none_of(self, values: Iterable[str], then: bytes, opened: bytes = b"") -> bytes:
        """Return a look ahead that refuses each of these values when ``then`` follows; nothing where there are none."""
        quote = self._q
        ways = [re.escape(value.encode()).replace(quote, quote * 2) for value in values]
        return rb"(?!%b(?:%b)%b)" % (opened, b"|".join(ways), then) if ways else b""


def texts(special: bytes, least: int, most: int | None, without: Collection[bytes] = ()) -> bytes:
    """Return an expression for ``least`` to ``most`` bytes, none of them ``special``, which are not ``without``.

    What follows must be special. ``special`` is as within brackets; ``most`` is ``None`` where there is no limit.
    """
    can_be = re.compile(rb"[^%b]*" % special).fullmatch
    others = [word for word in without if can_be(word) and len(word) >= least and (most is None or len(word) <= most)]
    if not others:
        return rb"[^%b]{%d,%b}+" % (special, least, b"" if most is None else b"%d" % most)
    # A look ahead would say it in less, but RE2 has none. The first alternative is the one that most texts take.
    if most == 0:
        return rb"[^\x00-\xff]"  # nothing, which it may not be
    fewer, rest = max(least - 1, 0), None if most is None else most - 1
    firsts = sorted({word[0] for word in others if word})
    excluded = b"".join(rb"\x%02x" % first for first in firsts)
    ways = [rb"[^%b%b]%b" % (special, excluded, texts(special, fewer, rest))]
    ways += [
        rb"\x%02x%b" % (first, texts(special, fewer, rest, [word[1:] for word in others if word[:1] == bytes([first])]))
        for first in firsts
    ]
    return rb"(?:%b)" % b"|".join([*ways, *([b""] if least == 0 and b"" not in others else [])])


def _lengths(field: Field) -> tuple[int, int | None]:
    """Return the least and the most bytes that a value may have; never 0, since an empty cell is another matter."""
    return max(field.constraints.min_length or 1, 1), field.constraints.max_length


def _texts_in(values: Iterable[str], meanings: frozenset[str]) -> list[str]:
    return [value for value in values if value.lower() in meanings]

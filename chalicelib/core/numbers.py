"""Numbers as people write them: ``groupChar``, ``decimalChar``, ``bareNumber``.

- A group character stands between digits of the whole part only, and three digits follow the last one; between two of
  them there are two (as in India) or three digits. So ``1,5`` is never taken for 15. Numbers without it are as good.
- Where ``bareNumber`` is false, any text may stand around the number, but no other digit, no sign and no parenthesis
  (``(5)`` and ``-€5`` are less than nothing to some), and next to it no character that could be a part of it.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from chalicelib.core.lexical import parse_integer, parse_number
from chalicelib.core.schema import Field, FieldType

Number = TypeVar("Number")

_LONGEST = 10_000  # characters of a value; no number needs as many
_SIGNS = frozenset("+-()\u2212")
_POINTS = ".,"
_SPECIAL = ("NaN", "INF", "-INF")


def number_parser(field: Field) -> Callable[[str], object]:
    """Return the parser of an integer or number field."""
    if field.type is FieldType.INTEGER:
        return _undressed(field, parse_integer, "")
    return _undressed(field, parse_number, field.decimal_char)


def is_plain(field: Field) -> bool:
    """Tell whether the field's numbers are written as PostgreSQL writes them."""
    return not field.group_char and field.decimal_char == "." and field.bare_number


def _undressed(field: Field, parse: Callable[[str], Number | None], decimal: str) -> Callable[[str], Number | None]:
    if is_plain(field):
        return parse
    group = field.group_char
    whole = "[0-9]+"
    if group:
        g = re.escape(group)
        whole = f"(?:[0-9]{{1,3}}(?:{g}[0-9]{{2,3}})*{g}[0-9]{{3}}|[0-9]+)"
    number = whole
    if decimal:
        d = re.escape(decimal)
        number = f"(?:{whole}(?:{d}[0-9]*)?|{d}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    bare = re.compile("[+-]?" + number).fullmatch
    dressed = re.compile(f"(?P<before>[^0-9+-]*)(?P<number>[+-]?{number})(?P<after>[^0-9]*)").fullmatch
    beside = frozenset(_POINTS + decimal + group)

    def parse_dressed(text: str) -> Number | None:
        if len(text) > _LONGEST:
            return None
        if text in _SPECIAL:
            return parse(text)
        if not bare(text):
            match = None if field.bare_number else dressed(text)
            if match is None or not _harmless(match["before"], match["after"], beside):
                return None
            text = match["number"]
        if group:
            text = text.replace(group, "")
        return parse(text.replace(decimal, ".") if decimal else text)

    return parse_dressed


def _harmless(before: str, after: str, beside: frozenset[str]) -> bool:
    around = before + after
    if any(character in _SIGNS or character.isnumeric() for character in around):
        return False
    return not beside.intersection(before[-1:] + after[:1])

"""Which ``pattern`` constraints can be built into an expression over bytes, and how.

A small, plain subset of regular expressions is understood: ASCII text, positive classes, ``\\d``, ``\\w``, groups,
alternatives and greedy quantifiers. Whatever is built matches only what the pattern matches, and never a character of
those that are forbidden. All other patterns are left to the exact rules.
"""

import re
import warnings
from dataclasses import dataclass

_CLASS = re.compile(r"\[(?!\^)(?:\\[dw.+*/_-]|[^\\\[\]])+\]")
_QUANTIFIER = re.compile(r"([*+?])|\{(\d{1,4})(?:(,)(\d{1,4})?)?\}")
_SPECIAL = frozenset("\\^$.|?*+()[]{}")
_SHORTHANDS = {"d": b"[0-9]", "w": b"[A-Za-z0-9_]"}


@dataclass(frozen=True, slots=True)
class Embedded:
    """An expression over bytes; ``longest`` is ``None`` where it has no limit. All that it matches is ASCII."""

    expression: bytes
    shortest: int
    longest: int | None


class _NotPlainError(Exception):
    """The pattern has something that is not understood here."""


def embed(pattern: str, forbidden: bytes) -> Embedded | None:
    """Return the pattern as an expression that matches no ``forbidden`` byte; ``None`` where it is not plain enough.

    What the expression is to match must be matched in whole, as ``re.fullmatch`` would.
    """
    body = pattern.removeprefix("^")
    if body.endswith("$") and not body.endswith("\\$"):
        body = body[:-1]  # both say what matching in whole says anyway
    if not body.isascii():
        return None
    parser = _Parser(body, forbidden)
    try:
        embedded = parser.alternatives()
    except _NotPlainError:
        return None
    return embedded if parser.at_end else None


class _Parser:
    def __init__(self, pattern: str, forbidden: bytes) -> None:
        self._pattern = pattern
        self._forbidden = forbidden
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._pattern)

    def alternatives(self) -> Embedded:
        choices = [self._sequence()]
        while self._skip("|"):
            choices.append(self._sequence())
        if len(choices) == 1:
            return choices[0]
        longest = [choice.longest for choice in choices]
        return Embedded(
            b"(?:" + b"|".join(choice.expression for choice in choices) + b")",
            min(choice.shortest for choice in choices),
            None if None in longest else max(length for length in longest if length is not None),
        )

    def _sequence(self) -> Embedded:
        expression, shortest, longest = b"", 0, 0
        unlimited = False
        while not self.at_end and self._pattern[self._at] not in "|)":
            item = self._quantified(self._item())
            expression += item.expression
            shortest += item.shortest
            longest += item.longest or 0
            unlimited = unlimited or item.longest is None
        return Embedded(expression, shortest, None if unlimited else longest)

    def _item(self) -> Embedded:
        if self._skip("("):
            if self._skip("?") and not self._skip(":"):
                raise _NotPlainError
            group = self.alternatives()
            if not self._skip(")"):
                raise _NotPlainError
            return Embedded(b"(?:" + group.expression + b")", group.shortest, group.longest)
        if match := _CLASS.match(self._pattern, self._at):
            self._at = match.end()
            return self._character(match.group().encode())
        character = self._pattern[self._at]
        self._at += 1
        if character == "\\" and not self.at_end:
            escaped = self._pattern[self._at]
            self._at += 1
            if escaped in _SHORTHANDS:
                return self._character(_SHORTHANDS[escaped])
            if escaped.isalnum():
                raise _NotPlainError
            return self._character(re.escape(escaped).encode())
        if character in _SPECIAL:
            raise _NotPlainError
        return self._character(re.escape(character).encode())

    def _character(self, expression: bytes) -> Embedded:
        """Return an expression for one character, if it matches none that is forbidden."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # sets that a later Python may read otherwise are not plain
                compiled = re.compile(expression)
        except (re.error, Warning):
            raise _NotPlainError from None
        if any(compiled.fullmatch(bytes([byte])) for byte in self._forbidden):
            raise _NotPlainError
        return Embedded(expression, 1, 1)

    def _quantified(self, item: Embedded) -> Embedded:
        match = _QUANTIFIER.match(self._pattern, self._at)
        if match is None:
            return item
        self._at = match.end()
        if self._pattern.startswith(("?", "+", "*", "{"), self._at):
            raise _NotPlainError  # lazy, possessive
        least, most = _times(match)
        if most != 1 and item.shortest != item.longest:
            raise _NotPlainError  # repetitions of what varies in length can take exponential time
        longest = None if most is None else (item.longest or 0) * most
        return Embedded(_repeated(item.expression, match.group().encode(), least, most), item.shortest * least, longest)

    def _skip(self, character: str) -> bool:
        found = self._pattern.startswith(character, self._at)
        self._at += found
        return found


def _repeated(expression: bytes, quantifier: bytes, least: int, most: int | None) -> bytes:
    """Return the repetition in the form that is matched the fastest."""
    if not expression.endswith(b")"):  # a single character
        return expression + quantifier + (b"+" if least == most else b"")
    return b"(?:%b|)" % expression if (least, most) == (0, 1) else expression + quantifier


def _times(match: re.Match[str]) -> tuple[int, int | None]:
    sign, least, comma, most = match.groups()
    if sign:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
    if not comma:
        return int(least), int(least)
    return int(least), int(most) if most else None

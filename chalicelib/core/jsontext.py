"""One line of JSON: an object's members as they are spelled, strictly by RFC 8259, no deeper than ``jsonb`` takes."""

import json
import re
from typing import Any

from chalicelib.core.repeat import any_number
from chalicelib.core.structured import MAX_DEPTH

Pairs = tuple[tuple[str, Any], ...]

_SPACE = " \t\r\n"
_BRACKETS = re.compile('"' + any_number(r'[^"\\]++|\\[\s\S]') + r'"|[\[{]|[\]}]')
_NAME_END = re.compile(r"[ \t\r\n]*:[ \t\r\n]*").match
_VALUE_END = re.compile(r"[ \t\r\n]*[,}][ \t\r\n]*").match
_SPACES = re.compile(r"[ \t\r\n]*").match

unfit = re.compile("[\0\ud800-\udfff]").search
"""Finds what JSON can say and PostgreSQL's text cannot: NUL, and halves of characters."""


class Number(str):
    """A number as it is spelled."""

    __slots__ = ()


def _no_number(text: str) -> Number:
    raise ValueError


_decoder = json.JSONDecoder(object_pairs_hook=tuple, parse_float=Number, parse_int=Number, parse_constant=_no_number)


def members_of(text: str) -> Pairs:
    """Return the members of the JSON object that ``text`` is, in order, those of one name as often as they are there.

    Values are ``str``, ``Number``, ``bool``, ``None``, lists, and tuples of pairs for objects.

    Raises:
        ValueError: it is no JSON object, or too deep; the message says where, and never what.
    """
    text = text.strip(_SPACE)
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        value, end = _decoder.raw_decode(text)
    except json.JSONDecodeError as problem:
        raise ValueError(f"not valid JSON, at character {problem.pos + 1} of it") from None
    except ValueError:
        raise ValueError("not valid JSON: NaN and Infinity are no numbers in it") from None
    if end != len(text):
        raise ValueError(f"not valid JSON: more follows its end, at character {end + 1} of it")
    if not isinstance(value, tuple):
        raise ValueError("valid JSON, but no object")
    return value


def texts_of(text: str) -> list[tuple[str, str]]:
    """Return each member's name and its value's text; ``text`` is one for which ``members_of`` raises nothing."""
    texts = []
    text = text.strip(_SPACE)
    position = _end(_SPACES, text, 1)
    while text[position] != "}":
        name, position = _decoder.raw_decode(text, position)
        start = _end(_NAME_END, text, position)
        _, end = _decoder.raw_decode(text, start)
        texts.append((name, text[start:end]))
        position = _end(_VALUE_END, text, end)
        if position == len(text):
            break
    return texts


def _end(match: Any, text: str, position: int) -> int:
    return int(match(text, position).end())


def _check_depth(text: str) -> None:
    depth = 0
    for token in _BRACKETS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH + 1:
                raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
        elif token[0] in "]}":
            depth -= 1

"""Values that have parts: JSON objects and arrays, and points on the globe.

JSON is RFC 8259's, but for what ``jsonb`` cannot hold: the character NUL and halves of characters in strings, numbers
beyond ``lexical.MAX_DIGITS``; and at most ``MAX_DEPTH`` levels. What a value means is made of hashable parts, which are
equal where PostgreSQL's ``jsonb`` is: ``1`` and ``1.0``, the members of an object in any order, the last of a name.
"""

import json
import re
from collections.abc import Callable, Hashable
from decimal import Decimal
from typing import Any

from chalicelib.core.lexical import parse_number

MAX_DEPTH = 64
_UNFIT = re.compile("[\0\ud800-\udfff]").search
_POINT = re.compile(r"([^,\s]+), ?([^,\s]+)").fullmatch
_LONGITUDE, _LATITUDE = 180, 90

Point = tuple[Decimal, Decimal]


def parse_object(text: str) -> "frozenset[Hashable] | None":
    """Return a JSON object as the set of its members."""
    value = _json(text)
    return value if isinstance(value, frozenset) else None


def parse_array(text: str) -> tuple[Hashable, ...] | None:
    """Return a JSON array as the tuple of its elements."""
    value = _json(text)
    return value if isinstance(value, tuple) and "[" in text else None  # true is a tuple, too: see _frozen


def parse_point(text: str) -> Point | None:
    """``lon, lat``: two numbers, a comma between them, perhaps a space after it."""
    match = _POINT(text)
    return None if match is None else _point(parse_number(match[1]), parse_number(match[2]))


def parse_point_array(text: str) -> Point | None:
    """``[lon, lat]``: a JSON array of two numbers."""
    value = _loaded(text)
    return _point(*value) if isinstance(value, list) and len(value) == 2 else None


def parse_point_object(text: str) -> Point | None:
    """``{"lon": ..., "lat": ...}``: a JSON object of these two numbers and nothing else."""
    value = _loaded(text)
    return _point(value["lon"], value["lat"]) if isinstance(value, dict) and value.keys() == {"lon", "lat"} else None


def point_text(point: Point) -> str:
    """Return a point as PostgreSQL reads an array of two numbers."""
    return f"{{{point[0]},{point[1]}}}"


def read_point_text(text: str) -> Point:
    """Return the point that ``point_text`` has written."""
    longitude, latitude = map(Decimal, text.strip("{}").split(","))
    return longitude, latitude


POINTS: dict[str, Callable[[str], Point | None]] = {
    "default": parse_point,
    "array": parse_point_array,
    "object": parse_point_object,
}


def _point(longitude: object, latitude: object) -> Point | None:
    for number, most in ((longitude, _LONGITUDE), (latitude, _LATITUDE)):
        if not isinstance(number, Decimal) or not number.is_finite() or abs(number) > most:
            return None
    assert isinstance(longitude, Decimal)
    assert isinstance(latitude, Decimal)
    return longitude, latitude


def _json(text: str) -> Hashable:
    value = _loaded(text)
    try:
        return None if value is None else _frozen(value, MAX_DEPTH)
    except ValueError:
        return None


def _loaded(text: str) -> Any:
    """Return what JSON says, its numbers as decimals; ``None`` where it is no JSON (or null)."""
    try:
        return json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> Decimal:
    number = parse_number(text)
    if number is None:
        raise ValueError
    return number


def _no_number(text: str) -> Decimal:
    raise ValueError


def _frozen(value: Any, depth: int) -> Hashable:
    """Return hashable parts, which tell true from 1; a ``ValueError`` is what ``jsonb`` does not hold."""
    if isinstance(value, str):
        if _UNFIT(value):
            raise ValueError
        return value
    if isinstance(value, dict | list) and not depth:
        raise ValueError
    if isinstance(value, dict):
        return frozenset((_frozen(name, depth), _frozen(part, depth - 1)) for name, part in value.items())
    if isinstance(value, list):
        return tuple(_frozen(part, depth - 1) for part in value)
    return ("true" if value else "false", bool) if isinstance(value, bool) else value

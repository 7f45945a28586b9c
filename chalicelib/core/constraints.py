"""The constraints of a field, checked against its type and against each other."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import cast

from chalicelib.core.formats import UUID
from chalicelib.core.parsers import BY_PATTERN, NUMBERS, described_parser
from chalicelib.core.problems import Node
from chalicelib.core.schema import Bound, Constraints, Field, FieldType

_TEXTS = (FieldType.STRING, FieldType.ANY)
_SIZED = (*_TEXTS, FieldType.OBJECT, FieldType.ARRAY)
_ORDERED = (*NUMBERS, *BY_PATTERN, FieldType.DURATION)
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_IMPOSSIBLE = "is less than the minimum: no value can satisfy both"
_UNSUPPORTED: Mapping[str, tuple[object, ...]] = {"jsonSchema": ()}


def parse_constraints(node: Node, field: Field) -> Constraints:
    """Return the constraints that ``node`` declares for ``field``; what is wrong is noted in the node's problems."""
    node.refuse(_UNSUPPORTED)
    sized = field.type in _SIZED and field.format != UUID
    for key in ("minLength", "maxLength"):
        if key in node.values and not sized:
            _no_meaning(node, key, field)
    if "pattern" in node.values and not (sized and field.type in _TEXTS):
        _no_meaning(node, "pattern", field)
    for key in _BOUNDS:
        if key in node.values and field.type not in _ORDERED:
            _no_meaning(node, key, field)
    constraints = Constraints(
        required=node.flag("required", False),
        unique=node.flag("unique", False),
        min_length=node.count("minLength"),
        max_length=node.count("maxLength"),
        minimum=_bound(node, "minimum", field),
        maximum=_bound(node, "maximum", field),
        exclusive_minimum=_bound(node, "exclusiveMinimum", field),
        exclusive_maximum=_bound(node, "exclusiveMaximum", field),
        pattern=_pattern(node),
        enum=_enum(node, field),
    )
    if (constraints.max_length or 0) < (constraints.min_length or 0) and constraints.max_length is not None:
        node.problem("maxLength", _IMPOSSIBLE)
    low, above = constraints.minimum, constraints.exclusive_minimum
    high, below = constraints.maximum, constraints.exclusive_maximum
    _in_order(node, "maximum", low, high)
    _in_order(node, "exclusiveMaximum", low, below, strictly=True)
    _in_order(node, "maximum", above, high, strictly=True)
    _in_order(node, "exclusiveMaximum", above, below, strictly=True)
    return constraints


def _no_meaning(node: Node, key: str, field: Field) -> None:
    form = "" if field.format == "default" else f" of the format {field.format}"
    node.problem(key, f"has no meaning for the type {field.type}{form}")


def _in_order(node: Node, key: str, low: Bound | None, high: Bound | None, *, strictly: bool = False) -> None:
    # Both are of their field's one type, which the type checker cannot know.
    if low is not None and high is not None and (cast(int, high) < cast(int, low) or (strictly and low == high)):
        node.problem(key, _IMPOSSIBLE)


def _bound(node: Node, key: str, field: Field) -> Bound | None:
    if node.values.get(key) is None or field.type not in _ORDERED:
        return None
    value = described_parser(field)(_written(node.values[key], field))
    if value is None or (isinstance(value, Decimal) and not value.is_finite()):
        node.problem(key, f"must be of type {field.type}")
        return None
    return cast(Bound, value)


def _enum(node: Node, field: Field) -> tuple[str, ...] | None:
    values = node.values.get("enum")
    if values is None:
        return None
    if not isinstance(values, list | tuple) or not values:
        node.problem("enum", "must be a list of values, not empty")
        return None
    parse = described_parser(field)
    written = tuple(_written(value, field) for value in values)
    for index, text in enumerate(written):
        if parse(text) is None:
            node.problem(f"enum[{index}]", f"must be of type {field.type}")
    return written


def _pattern(node: Node) -> str | None:
    pattern = node.text("pattern")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        node.problem("pattern", f"is not a regular expression: {error}")
    return pattern or None


def _written(value: object, field: Field) -> str:
    """Return a descriptor's value as it is written in a file; YAML makes dates, numbers and more of its own accord."""
    if isinstance(value, bool) and field.type is FieldType.BOOLEAN:
        return next(iter(field.true_values if value else field.false_values), "")
    if isinstance(value, datetime | date | time):
        text = value.isoformat()
        return text[:7] if field.type is FieldType.YEARMONTH else text
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and field.type in NUMBERS:
        return str(value).replace(".", field.decimal_char)
    if isinstance(value, int) and field.type is FieldType.YEAR:
        return f"{value:0{5 if value < 0 else 4}d}"
    return json.dumps(value, ensure_ascii=False, default=str)

"""One field of a Table Schema: its type and its constraints, checked against each other."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import cast

from chalicelib.core.lexical import parser
from chalicelib.core.problems import Node
from chalicelib.core.schema import Bound, Constraints, Field, FieldType

NAME = re.compile(r"[a-z][a-z0-9_]{0,58}")
NAME_RULE = (
    "must be 1 to 59 characters: lower-case letters, digits and _, a letter first "
    "(names that start with _ are dropload's own)"
)
_ROW_ID = "id"
_LATER_TYPES = ("object", "array", "list", "duration", "geopoint", "geojson", "year", "yearmonth")
_TEXTS = (FieldType.STRING, FieldType.ANY)
_ORDERED = (FieldType.INTEGER, FieldType.NUMBER, FieldType.DATE, FieldType.DATETIME, FieldType.TIME)
_UNSUPPORTED_FIELD: Mapping[str, tuple[object, ...]] = {
    "format": ("default",),
    "decimalChar": (".",),
    "groupChar": (),
    "bareNumber": (True,),
}
_UNSUPPORTED_CONSTRAINTS: Mapping[str, tuple[object, ...]] = {
    "exclusiveMinimum": (),
    "exclusiveMaximum": (),
    "jsonSchema": (),
}


def parse_field(node: Node, missing_values: tuple[str, ...]) -> Field:
    """Return the field that ``node`` declares; ``missing_values`` are the schema's, a field may have its own.

    What is wrong is noted in the node's problems.
    """
    name = node.text("name")
    if name == _ROW_ID:
        node.problem("name", f"{_ROW_ID} is reserved: every row has an {_ROW_ID} of its own; choose another name")
    elif not NAME.fullmatch(name):
        node.problem("name", NAME_RULE)
    kind = FieldType(node.choice("type", tuple(FieldType), "any", _LATER_TYPES))
    node.refuse(_UNSUPPORTED_FIELD)
    plain = Field(name, kind)
    true_values = node.texts("trueValues", plain.true_values)
    false_values = node.texts("falseValues", plain.false_values)
    if kind is FieldType.BOOLEAN and set(true_values) & set(false_values):
        node.problem("falseValues", "has a value that is in trueValues, too")
    field = Field(
        name,
        kind,
        missing_values=node.texts("missingValues", missing_values),
        true_values=true_values,
        false_values=false_values,
    )
    return Field(
        name,
        kind,
        constraints=_constraints(node.child("constraints"), field),
        missing_values=field.missing_values,
        true_values=true_values,
        false_values=false_values,
    )


def _constraints(node: Node, field: Field) -> Constraints:
    node.refuse(_UNSUPPORTED_CONSTRAINTS)
    for key in ("minLength", "maxLength", "pattern"):
        if key in node.values and field.type not in _TEXTS:
            node.problem(key, f"has no meaning for the type {field.type}")
    for key in ("minimum", "maximum"):
        if key in node.values and field.type not in _ORDERED:
            node.problem(key, f"has no meaning for the type {field.type}")
    constraints = Constraints(
        required=node.flag("required", False),
        unique=node.flag("unique", False),
        min_length=node.count("minLength"),
        max_length=node.count("maxLength"),
        minimum=_bound(node, "minimum", field),
        maximum=_bound(node, "maximum", field),
        pattern=_pattern(node),
        enum=_enum(node, field),
    )
    _in_order(node, "maxLength", constraints.min_length, constraints.max_length)
    _in_order(node, "maximum", constraints.minimum, constraints.maximum)
    return constraints


def _in_order(node: Node, key: str, low: Bound | None, high: Bound | None) -> None:
    # Both are of their field's one type, which the type checker cannot know.
    if low is not None and high is not None and cast(int, high) < cast(int, low):
        node.problem(key, "is less than the minimum: no value can satisfy both")


def _bound(node: Node, key: str, field: Field) -> Bound | None:
    if node.values.get(key) is None or field.type not in _ORDERED:
        return None
    value = parser(field)(_written(node.values[key]))
    if value is None or (isinstance(value, Decimal) and not value.is_finite()):
        node.problem(key, f"must be a {field.type}")
        return None
    return cast(Bound, value)


def _enum(node: Node, field: Field) -> tuple[str, ...] | None:
    values = node.values.get("enum")
    if values is None:
        return None
    if not isinstance(values, list | tuple) or not values:
        node.problem("enum", "must be a list of values, not empty")
        return None
    parse = parser(field)
    written = tuple(map(_written, values))
    for index, text in enumerate(written):
        if parse(text) is None:
            node.problem(f"enum[{index}]", f"must be a {field.type}")
    return written


def _pattern(node: Node) -> str | None:
    pattern = node.text("pattern")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        node.problem("pattern", f"is not a regular expression: {error}")
    return pattern or None


def _written(value: object) -> str:
    """Return a descriptor's value as it is written in a file; YAML makes dates and numbers of its own accord."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)

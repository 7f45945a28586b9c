"""One field of a Table Schema: its type, its format, and what else it says of how its values are written."""

import re
from collections.abc import Mapping
from dataclasses import replace

from chalicelib.core.constraints import parse_constraints
from chalicelib.core.parsers import DEFAULT, NUMBERS, parser
from chalicelib.core.problems import Node
from chalicelib.core.schema import Field, FieldType

NAME = re.compile(r"[a-z][a-z0-9_]{0,58}")
NAME_RULE = (
    "must be 1 to 59 characters: lower-case letters, digits and _, a letter first "
    "(names that start with _ are dropload's own)"
)
_ROW_ID = "id"
_LATER_TYPES = ("list", "geojson")
_MISSING = "missingValues"
_CATEGORICAL = (FieldType.STRING, FieldType.INTEGER)
_PLAIN_NUMBER = Field("", FieldType.NUMBER)


def parse_field(node: Node, missing: tuple[str, ...]) -> Field:
    """Return the field that ``node`` declares; ``missing`` are the schema's missing values, a field may have its own.

    What is wrong is noted in the node's problems.
    """
    name = node.text("name")
    if name == _ROW_ID:
        node.problem("name", f"{_ROW_ID} is reserved: every row has an {_ROW_ID} of its own; choose another name")
    elif not NAME.fullmatch(name):
        node.problem("name", NAME_RULE)
    kind = FieldType(node.choice("type", tuple(FieldType), "any", _LATER_TYPES))
    plain = Field(name, kind)
    field = Field(
        name,
        kind,
        format=node.text("format", DEFAULT),
        missing_values=missing_values(node, missing),
        true_values=node.texts("trueValues", plain.true_values),
        false_values=node.texts("falseValues", plain.false_values),
        group_char=node.text("groupChar"),
        decimal_char=node.text("decimalChar", plain.decimal_char),
        bare_number=node.flag("bareNumber", True),
    )
    field = _checked_number(node, field)
    if kind is FieldType.BOOLEAN and set(field.true_values) & set(field.false_values):
        node.problem("falseValues", "has a value that is in trueValues, too")
    try:
        parser(field)
    except ValueError as error:
        node.problem("format", str(error))
        field = replace(field, format=DEFAULT)
    return replace(field, constraints=parse_constraints(_constraints(node, kind), field))


def missing_values(node: Node, default: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ``missingValues`` of a schema or a field: texts, or objects of a value and a label for it."""
    return Node({_MISSING: _unlabelled(node.values.get(_MISSING))}, node.path, node.problems).texts(_MISSING, default)


def _unlabelled(values: object) -> object:
    if not isinstance(values, list | tuple):
        return values
    return [value["value"] if isinstance(value, Mapping) and "value" in value else value for value in values]


def _constraints(node: Node, kind: FieldType) -> Node:
    """Return the constraints, of which ``categories`` are one: no other values are allowed. Their order is nothing."""
    constraints = node.child("constraints")
    node.flag("categoriesOrdered", False)
    categories = node.values.get("categories")
    if categories is None:
        return constraints
    if kind not in _CATEGORICAL:
        node.problem("categories", f"has no meaning for the type {kind}")
    elif "enum" in constraints.values:
        node.problem("categories", "says the same as constraints.enum; leave one of them out")
    else:
        return replace(constraints, values={**constraints.values, "enum": _unlabelled(categories)})
    return constraints


def _checked_number(node: Node, field: Field) -> Field:
    """Return the field with the characters of numbers that make sense, and note those that do not."""
    plain = _PLAIN_NUMBER
    for key, used in (("groupChar", field.group_char), ("decimalChar", field.decimal_char)):
        if node.values.get(key) is None:
            continue
        if field.type not in NUMBERS or (key == "decimalChar" and field.type is FieldType.INTEGER):
            node.problem(key, f"has no meaning for the type {field.type}")
        elif len(used) != 1 or used.isalnum() or used in "+-" or not (used.isprintable() or used.isspace()):
            node.problem(key, "must be one character: no letter, digit or sign")
        elif used in "\r\n":
            node.problem(key, "must not be a line end")
        elif key == "decimalChar" and used == field.group_char:
            node.problem(key, "must not be the groupChar")
        else:
            continue
        field = replace(field, group_char=plain.group_char, decimal_char=plain.decimal_char)
    if field.type is FieldType.NUMBER and field.group_char == field.decimal_char:
        node.problem("groupChar", "must not be the decimalChar, which is a point unless the field says otherwise")
        field = replace(field, group_char=plain.group_char)
    if not field.bare_number and field.type not in NUMBERS:
        node.problem("bareNumber", f"has no meaning for the type {field.type}")
    if field.format != DEFAULT and field.type in (*NUMBERS, FieldType.BOOLEAN):
        node.problem("format", f"has no meaning for the type {field.type}")
        field = replace(field, format=DEFAULT)
    return field

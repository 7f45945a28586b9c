"""One field of a Table Schema: its type, its format, and what else it says of how its values are written."""

import re
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
_PLAIN_NUMBER = Field("", FieldType.NUMBER)


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
    plain = Field(name, kind)
    field = Field(
        name,
        kind,
        format=node.text("format", DEFAULT),
        missing_values=node.texts("missingValues", missing_values),
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
    return replace(field, constraints=parse_constraints(node.child("constraints"), field))


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

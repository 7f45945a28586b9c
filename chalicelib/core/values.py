"""The exact rules: a cell's text to what PostgreSQL is given, or to all that is wrong with it.

A ``pattern`` is a Python regular expression (XSD's are nearly all that), matched against the whole value.
Messages are made once per field and never hold a value.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from chalicelib.core.canonical import canonical_text, shown
from chalicelib.core.parsers import DEFAULT, Parse, described_parser, parser
from chalicelib.core.rejection import Errors, RecordError
from chalicelib.core.schema import Field, FieldType

Check: TypeAlias = Callable[[str, list[RecordError]], str | None]
"""Takes a cell's text, adds what is wrong to the list, returns canonical text for PostgreSQL, or None for null."""

Faults: TypeAlias = Callable[[str], Errors]
"""Takes a cell's text, returns what is wrong with it; what is often returned is the same object each time."""

Rule: TypeAlias = tuple[Callable[[Any], object], tuple[RecordError]]

BIGINT = range(-(2**63), 2**63)
_NOT_OF_TYPE = {
    FieldType.INTEGER: "not an integer",
    FieldType.NUMBER: "not a number",
    FieldType.DATE: "not a date (YYYY-MM-DD)",
    FieldType.TIME: "not a time (hh:mm:ss)",
    FieldType.DATETIME: "not a date and time (YYYY-MM-DDThh:mm:ss, with Z or an offset)",
    FieldType.YEAR: "not a year (YYYY)",
    FieldType.YEARMONTH: "not a month of a year (YYYY-MM)",
    FieldType.DURATION: "not a duration (PnYnMnDTnHnMnS)",
    FieldType.OBJECT: "not a JSON object",
    FieldType.ARRAY: "not a JSON array",
    FieldType.GEOPOINT: "not a longitude and a latitude (lon, lat)",
}


def compile_check(field: Field) -> Check:
    """Return the function that checks and converts this field's cells."""
    missing, empty, parse, wrong_type, rules = _parts(field)
    canonical = canonical_text(field)

    def check(text: str, errors: list[RecordError]) -> str | None:
        if text in missing:
            errors += empty
            return None
        value = parse(text)
        if value is None:
            errors += wrong_type
            return None
        for holds, error in rules:
            if not holds(value):
                errors += error
        return text if canonical is None else canonical(value)

    return check


def compile_faults(field: Field) -> Faults:
    """Return the function that only checks this field's cells, which is faster."""
    missing, empty, parse, wrong_type, rules = _parts(field)

    def faults(text: str) -> Errors:
        if text in missing:
            return empty
        value = parse(text)
        if value is None:
            return wrong_type
        found: Errors = ()
        for holds, error in rules:
            if not holds(value):
                found = found + error if found else error
        return found

    return faults


def _parts(field: Field) -> tuple[frozenset[str], Errors, Parse, Errors, list[Rule]]:
    """What is null, what is wrong with a null, the parser, what is wrong where that finds no value, and the rules."""
    empty = required_error(field)
    wrong_type = RecordError(field.name, "type-error", _type_message(field))
    missing = frozenset(field.missing_values)
    return missing, () if empty is None else (empty,), parser(field), (wrong_type,), _rules(field)


def required_error(field: Field) -> RecordError | None:
    """Return what is wrong with a null, if anything is."""
    if not field.constraints.required:
        return None
    return RecordError(field.name, "constraint-error", "required, but empty")


def _type_message(field: Field) -> str:
    if field.type is FieldType.BOOLEAN:
        return f"not one of {', '.join(field.true_values + field.false_values)}"
    if field.format != DEFAULT:
        return f"not a {field.type} of the format {field.format}"
    return _NOT_OF_TYPE.get(field.type, "not a string")


def _rules(field: Field) -> list[Rule]:
    rules: list[Rule] = []

    def rule(holds: Callable[[Any], object], message: str, code: str = "constraint-error") -> None:
        rules.append((holds, (RecordError(field.name, code, message),)))

    limits = field.constraints
    if field.type is FieldType.INTEGER:
        rule(BIGINT.__contains__, "outside the range of a 64-bit integer", "type-error")
    if field.measure and field.type is FieldType.NUMBER:
        rule(Decimal.is_finite, "NaN and INF cannot be added (measure)")
    low, high = limits.minimum, limits.maximum
    above, below = limits.exclusive_minimum, limits.exclusive_maximum
    # NaN is within no bounds, and comparing it raises.
    if low is not None:
        rule(lambda value: value == value and value >= low, f"less than {shown(field, low)} (minimum)")
    if high is not None:
        rule(lambda value: value == value and value <= high, f"greater than {shown(field, high)} (maximum)")
    if above is not None:
        rule(lambda value: value == value and value > above, f"not above {shown(field, above)} (exclusiveMinimum)")
    if below is not None:
        rule(lambda value: value == value and value < below, f"not below {shown(field, below)} (exclusiveMaximum)")
    least, most = limits.min_length, limits.max_length
    parts = {FieldType.ARRAY: "elements", FieldType.OBJECT: "members"}.get(field.type, "characters")
    if least is not None:
        rule(lambda value: len(value) >= least, f"shorter than {least} {parts} (minLength)")
    if most is not None:
        rule(lambda value: len(value) <= most, f"longer than {most} {parts} (maxLength)")
    if limits.pattern is not None:
        rule(re.compile(limits.pattern).fullmatch, f"does not match the pattern {limits.pattern}")
    if limits.enum is not None:
        allowed = frozenset(map(described_parser(field), limits.enum))
        rule(allowed.__contains__, f"not one of the values allowed (enum): {', '.join(limits.enum)}")
    return rules

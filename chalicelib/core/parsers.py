"""From a field's declaration to the function that reads its values: type, format and the characters of numbers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from chalicelib.core import formats
from chalicelib.core.duration import parse_duration
from chalicelib.core.lexical import parse_date, parse_datetime, parse_time, parse_year, parse_yearmonth
from chalicelib.core.numbers import number_parser
from chalicelib.core.schema import Field, FieldType
from chalicelib.core.structured import POINTS, parse_array, parse_object
from chalicelib.core.temporal import ANY, any_parser, pattern_parser

Parse: TypeAlias = Callable[[str], Any]
"""Takes a cell's text, returns its logical value, or ``None`` where the text is not of the type."""

DEFAULT = "default"
NUMBERS = (FieldType.INTEGER, FieldType.NUMBER)
BY_PATTERN = (FieldType.DATE, FieldType.TIME, FieldType.DATETIME, FieldType.YEAR, FieldType.YEARMONTH)
"""Types whose format may be a pattern."""


def parser(field: Field) -> Parse:
    """Return the function from a field's text to its logical value.

    Missing values and constraints are none of its business.

    Raises:
        ValueError: the field's format is none of its type; the message says what is wrong with it.
    """
    kind, form = field.type, field.format
    if kind is FieldType.BOOLEAN:
        return {**dict.fromkeys(field.true_values, True), **dict.fromkeys(field.false_values, False)}.get
    if kind in NUMBERS:
        return number_parser(field)
    known = _FORMATS.get(kind, {DEFAULT: _text})
    if form in known:
        return known[form]
    if kind not in BY_PATTERN:
        raise ValueError(f"must be one of {', '.join(known)}")
    if form == ANY and kind in (FieldType.DATE, FieldType.TIME, FieldType.DATETIME):
        return any_parser(kind)
    if "%" not in form:
        raise ValueError(f"must be {DEFAULT}, {ANY} or a pattern such as %Y-%m-%d, where that has a meaning")
    return pattern_parser(form, kind)


def described_parser(field: Field) -> Parse:
    """Return the parser of a field's values in its descriptor: as they are in files, or as the standard writes them."""
    as_in_files = parser(field)
    plain = parser(replace(field, format=DEFAULT, group_char="", decimal_char=".", bare_number=True))

    def parse(text: str) -> Any:
        value = as_in_files(text)
        return plain(text) if value is None and field.type in (*NUMBERS, *BY_PATTERN) else value

    return parse


def _text(text: str) -> str:
    return text


_FORMATS: dict[FieldType, dict[str, Parse]] = {
    FieldType.STRING: {DEFAULT: _text, **formats.PARSERS},
    FieldType.DATE: {DEFAULT: parse_date},
    FieldType.TIME: {DEFAULT: parse_time},
    FieldType.DATETIME: {DEFAULT: parse_datetime},
    FieldType.YEAR: {DEFAULT: parse_year},
    FieldType.YEARMONTH: {DEFAULT: parse_yearmonth},
    FieldType.DURATION: {DEFAULT: parse_duration},
    FieldType.OBJECT: {DEFAULT: parse_object},
    FieldType.ARRAY: {DEFAULT: parse_array},
    FieldType.GEOPOINT: {**POINTS},
}

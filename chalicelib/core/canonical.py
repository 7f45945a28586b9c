"""From logical values to the text that PostgreSQL is given for them."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from chalicelib.core.formats import UUID
from chalicelib.core.parsers import DEFAULT
from chalicelib.core.schema import Field, FieldType
from chalicelib.core.structured import point_text


def canonical_text(field: Field) -> Callable[[Any], str] | None:
    """Return how the field's values are written for PostgreSQL; ``None`` where they stay as they came."""
    if field.format == DEFAULT and field.type in _AS_WRITTEN:
        return None
    if field.type is FieldType.STRING:
        return str if field.format == UUID else None
    return _CANONICAL.get(field.type)


def shown(field: Field, value: object) -> str:
    """Return a bound as a message shows it."""
    if isinstance(value, datetime) or field.type is FieldType.YEARMONTH:
        return _CANONICAL[field.type](value)
    return str(value)


def _number(value: Decimal) -> str:
    return str(value)  # "NaN" and "Infinity" are PostgreSQL's own words


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _iso(value: date | datetime | time) -> str:
    return value.isoformat()


def _yearmonth(value: date) -> str:
    return value.isoformat()[:7]


_AS_WRITTEN = (FieldType.DATE, FieldType.TIME, FieldType.YEARMONTH)
_CANONICAL: dict[FieldType, Callable[[Any], str]] = {
    FieldType.INTEGER: str,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _iso,
    FieldType.TIME: _iso,
    FieldType.DATETIME: _iso,
    FieldType.YEAR: str,
    FieldType.YEARMONTH: _yearmonth,
    FieldType.DURATION: str,
    FieldType.GEOPOINT: point_text,
}

"""Expressions for values of types that are not text: conservative about their range, never empty, pure ASCII."""

from datetime import date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from chalicelib.core.digits import between
from chalicelib.core.schema import Constraints, Field, FieldType
from chalicelib.core.values import BIGINT

_ANY_NUMBER = 10**30
_FRACTION = rb"(?:\.[0-9]{1,6}+)?+"
_MONTH_DAY = rb"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_OFFSET = rb"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])?+"


def typed_expression(field: Field) -> bytes | None:
    """Return an expression for values of the field's type within its bounds; ``None`` where none is surely good."""
    limits = field.constraints
    if field.type is FieldType.INTEGER:
        return _integer(limits)
    if field.type is FieldType.NUMBER:
        return _number(limits)
    if field.type is FieldType.DATE:
        return _years(limits, rb"-" + _MONTH_DAY)
    if field.type is FieldType.DATETIME:
        return _years(limits, rb"-%bT%b%b" % (_MONTH_DAY, _clock(0, 23), _OFFSET))
    low, high = limits.minimum, limits.maximum
    first = low.hour + 1 if isinstance(low, time) else 0
    last = high.hour - 1 if isinstance(high, time) else 23
    return _clock(first, last) if first <= last else None


def _integer(limits: Constraints) -> bytes | None:
    low = limits.minimum if isinstance(limits.minimum, int) else BIGINT[0]
    high = limits.maximum if isinstance(limits.maximum, int) else BIGINT[-1]
    low, high = max(low, BIGINT[0]), min(high, BIGINT[-1])
    return _signed(between(max(low, 0), high), between(max(-high, 0), -low) if low < 0 else [])


def _number(limits: Constraints) -> bytes | None:
    """Digits with at most one point; the part before it is such that no fraction leads out of the bounds."""
    low = limits.minimum if isinstance(limits.minimum, Decimal) else Decimal(-_ANY_NUMBER)
    high = limits.maximum if isinstance(limits.maximum, Decimal) else Decimal(_ANY_NUMBER)
    first = max(int(low.to_integral_value(ROUND_CEILING)), -_ANY_NUMBER)
    last = min(int(high.to_integral_value(ROUND_FLOOR)), _ANY_NUMBER)
    whole = _signed(between(max(first, 0), last - 1), between(max(-last, 0), -first - 1))
    return whole and whole + rb"(?:\.[0-9]{1,30}+)?+"


def _signed(positive: list[bytes], negative: list[bytes]) -> bytes | None:
    """Return an expression for digits, perhaps after a sign, with these alternatives after each.

    Digits without a sign come first: alternatives are cheap when the first one tells by its first character.
    """
    parts = list(positive)
    parts += [rb"\+(?:%b)" % b"|".join(positive)] if positive else []
    parts += [rb"-(?:%b)" % b"|".join(negative)] if negative else []
    return rb"(?:%b)" % b"|".join(parts) if parts else None


def _years(limits: Constraints, rest: bytes) -> bytes | None:
    """Return an expression for dates of years that lie wholly within the bounds, whatever the time zone."""
    low, high = limits.minimum, limits.maximum
    first = low.year + 1 if isinstance(low, date | datetime) else 2
    last = high.year - 1 if isinstance(high, date | datetime) else 9998
    years = between(max(first, 2), min(last, 9998), width=4)
    return rb"(?:%b)%b" % (b"|".join(years), rest) if years else None


def _clock(first_hour: int, last_hour: int) -> bytes:
    hours = b"|".join(between(first_hour, last_hour, width=2))
    return rb"(?:%b):[0-5][0-9]:[0-5][0-9]%b" % (hours, _FRACTION)

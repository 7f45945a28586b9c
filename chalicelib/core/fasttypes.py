"""Expressions for values of types that are not text: conservative about their range, never empty, pure ASCII."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import cast

from chalicelib.core.digits import between
from chalicelib.core.parsers import DEFAULT
from chalicelib.core.schema import Bound, Constraints, Field, FieldType
from chalicelib.core.temporal import ANY
from chalicelib.core.values import BIGINT

_ANY_NUMBER = 10**30
# Compiled in no time, as ranges are not: that counts where a dataset has hundreds of columns.
_UNBOUNDED_INTEGER = rb"(?:[0-9]{1,18}+|[+-][0-9]{1,18}+|[+-]?[1-8][0-9]{18})"
# Nothing as an alternative takes half the time of a group that is optional.
_UNBOUNDED_NUMBER = rb"(?:[0-9]{1,30}+|[+-][0-9]{1,30}+)"
_DECIMALS = rb"(?:\.[0-9]{1,30}+|)"
_FRACTION = rb"(?:\.[0-9]{1,6}+|)"
_OFFSET = rb"[+-](?:0[0-9]|1[0-3]):[0-5][0-9]"
_FRACTION_OFFSET = rb"(?:Z|\.[0-9]{1,6}+(?:Z|%b|)|%b|)" % (_OFFSET, _OFFSET)
_MONTH = rb"-(?:0[1-9]|1[0-2])"
# Days that every month has come first: the others take a second look at the month.
_DAY = rb"(?:%b-(?:0[1-9]|1[0-9]|2[0-8])|-(?:0[13-9]|1[0-2])-(?:29|30)|-(?:0[13578]|1[02])-31)" % _MONTH
_DURATION = (
    rb"P(?=[0-9T])(?:[0-9]{1,4}+Y)?+(?:[0-9]{1,4}+M)?+(?:[0-9]{1,4}+D)?+"
    rb"(?:T(?=[0-9])(?:[0-9]{1,4}+H)?+(?:[0-9]{1,4}+M)?+(?:[0-9]{1,4}+(?:\.[0-9]{1,6}+)?+S)?+)?+"
)
_SPACED = "%Y-%m-%d %H:%M:%S"
_FORMATS: Mapping[FieldType, tuple[str, ...]] = {
    FieldType.DATE: (DEFAULT, ANY, "%Y-%m-%d"),
    FieldType.TIME: (DEFAULT, ANY, "%H:%M:%S"),
    FieldType.DATETIME: (DEFAULT, ANY, "%Y-%m-%dT%H:%M:%S", _SPACED),
    FieldType.YEAR: (DEFAULT, "%Y"),
    FieldType.YEARMONTH: (DEFAULT, "%Y-%m"),
}
"""The formats whose text PostgreSQL reads as the rules do."""


def typed_expression(field: Field) -> bytes | None:
    """Return an expression for values of the field's type within its bounds; ``None`` where none is surely good."""
    limits = field.constraints
    if field.type is FieldType.INTEGER:
        return _integer(limits)
    if field.type is FieldType.NUMBER:
        return _number(limits, fraction=field.decimal_char == ".")
    if field.type is FieldType.DURATION:
        return _DURATION if _lowest(limits) is _highest(limits) is None else None
    if field.format not in _FORMATS.get(field.type, ()):
        return None
    if field.type is FieldType.DATE:
        return _years(limits, _DAY)
    if field.type is FieldType.YEARMONTH:
        return _years(limits, _MONTH)
    if field.type is FieldType.YEAR:
        return _year(limits)
    plain = field.format in (DEFAULT, ANY)
    if field.type is FieldType.DATETIME:
        clock = _clock(0, 23) + (_FRACTION_OFFSET if plain else b"")
        return _years(limits, _DAY + (b" " if field.format == _SPACED else b"T") + clock)
    low, high = _lowest(limits), _highest(limits)
    first = low.hour + 1 if isinstance(low, time) else 0
    last = high.hour - 1 if isinstance(high, time) else 23
    return _clock(first, last) + (_FRACTION if plain else b"") if first <= last else None


def _lowest(limits: Constraints) -> Bound | None:
    """Return the lower bound that tells: the expressions keep a distance to it that makes it exclusive anyway."""
    low, above = limits.minimum, limits.exclusive_minimum
    return low if above is None or (low is not None and cast(int, low) > cast(int, above)) else above


def _highest(limits: Constraints) -> Bound | None:
    high, below = limits.maximum, limits.exclusive_maximum
    return high if below is None or (high is not None and cast(int, high) < cast(int, below)) else below


def whole_range(limits: Constraints, widest: range) -> range:
    """Return the whole numbers that the bounds leave of ``widest``."""
    lows = [bound for bound in (limits.minimum,) if isinstance(bound, int)]
    lows += [bound + 1 for bound in (limits.exclusive_minimum,) if isinstance(bound, int)]
    highs = [bound for bound in (limits.maximum,) if isinstance(bound, int)]
    highs += [bound - 1 for bound in (limits.exclusive_maximum,) if isinstance(bound, int)]
    return range(max([*lows, widest[0]]), min([*highs, widest[-1]]) + 1)


def _integer(limits: Constraints) -> bytes | None:
    allowed = whole_range(limits, BIGINT)
    if allowed == BIGINT:
        return _UNBOUNDED_INTEGER
    low, high = allowed.start, allowed.stop - 1
    return _signed(between(max(low, 0), high), between(max(-high, 0), -low) if low < 0 else [])


def _year(limits: Constraints) -> bytes | None:
    allowed = whole_range(limits, range(10_000))
    years = between(allowed.start, allowed.stop - 1, width=4)
    return rb"(?:%b)" % b"|".join(years) if years else None


def _number(limits: Constraints, *, fraction: bool) -> bytes | None:
    """Digits with at most one point, and the part before it such that no fraction leads to or out of the bounds.

    The outermost whole numbers have no fraction, so that a maximum of 100 allows 100.
    """
    low, high = _lowest(limits), _highest(limits)
    if low is high is None:
        return _UNBOUNDED_NUMBER + (_DECIMALS if fraction else b"")
    lowest = low if isinstance(low, Decimal) else Decimal(-_ANY_NUMBER)
    highest = high if isinstance(high, Decimal) else Decimal(_ANY_NUMBER)
    first = max(int(lowest.to_integral_value(ROUND_CEILING)), -_ANY_NUMBER) + (low is limits.exclusive_minimum)
    last = min(int(highest.to_integral_value(ROUND_FLOOR)), _ANY_NUMBER) - (high is limits.exclusive_maximum)
    whole = _signed(between(max(first, 0), last - 1), between(max(-last, 0), -first - 1))
    outermost = _signed(
        [b"%d" % last] if max(first, 0) <= last < _ANY_NUMBER else [],
        [b"%d" % -first] if -_ANY_NUMBER < first <= min(last, -1) else [],
    )
    ways = [*([whole + (_DECIMALS if fraction else b"")] if whole else []), *([outermost] if outermost else [])]
    return rb"(?:%b)" % b"|".join(ways) if ways else None


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
    low, high = _lowest(limits), _highest(limits)
    first = low.year + 1 if isinstance(low, date | datetime) else 1000
    last = high.year - 1 if isinstance(high, date | datetime) else 8999  # a range that one set and digits cover
    years = between(max(first, 2), min(last, 9998), width=4)
    return rb"(?:%b)%b" % (b"|".join(years), rest) if years else None


def _clock(first_hour: int, last_hour: int) -> bytes:
    hours = b"|".join(between(first_hour, last_hour, width=2))
    return rb"(?:%b):[0-5][0-9]:[0-5][0-9]" % hours

"""How a value of each simple type is written by default, exactly, and what it means: text to logical value.

Nothing is stripped and nothing is guessed: `` 7``, ``1_0``, ``7.0`` and Arabic digits are no integers (fact 10).
"""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

MAX_DIGITS = 1_000
"""Characters of a number, and the most that its exponent may be: PostgreSQL's numeric has room for far more."""

BEYOND_BIGINT = 1 << 64
"""Stands for any integer of too many digits to be worth converting; no bound lets it pass, nor its negative."""

_BIGINT_DIGITS = 19

_INTEGER = re.compile(r"[+-]?[0-9]+").fullmatch
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE](?P<exponent>[+-]?[0-9]+))?").fullmatch
_SPECIAL_NUMBERS = {"NaN": Decimal("NaN"), "INF": Decimal("Infinity"), "-INF": Decimal("-Infinity")}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?").fullmatch
_YEAR = re.compile(r"-?[0-9]{4}|-?[1-9][0-9]{4,8}").fullmatch
_YEARMONTH = re.compile(r"[0-9]{4}-[0-9]{2}").fullmatch
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"
).fullmatch


def parse_integer(text: str) -> int | None:
    """``[+-]?[0-9]+`` in ASCII digits; leading zeros mean nothing."""
    if not _INTEGER(text):
        return None
    digits = text.lstrip("+-0") or "0"
    size = int(digits) if len(digits) <= _BIGINT_DIGITS else BEYOND_BIGINT
    return -size if text[0] == "-" else size


def parse_number(text: str) -> Decimal | None:
    """XSD's decimal and double: digits, at most one point, an exponent; or ``NaN``, ``INF``, ``-INF``.

    At most ``MAX_DIGITS`` characters, and an exponent within as many powers of ten.
    """
    if text in _SPECIAL_NUMBERS:
        return _SPECIAL_NUMBERS[text]
    match = _NUMBER(text) if len(text) <= MAX_DIGITS else None
    if match is None or abs(int(match["exponent"] or 0)) > MAX_DIGITS:
        return None
    return Decimal(text)


def parse_date(text: str) -> date | None:
    """``YYYY-MM-DD``, a day that exists, years 0001 to 9999."""
    if not _DATE(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_time(text: str) -> time | None:
    """``hh:mm:ss`` with up to six digits of a second's fraction, 00:00:00 to 23:59:59.999999."""
    if not _TIME(text):
        return None
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def parse_datetime(text: str) -> datetime | None:
    """``YYYY-MM-DDThh:mm:ss`` with an optional fraction and an optional ``Z`` or offset; without one it is UTC.

    The result is in UTC, where its year must be within 0001 to 9999, too.
    """
    if not _DATETIME(text):
        return None
    try:
        value = datetime.fromisoformat(text)
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def parse_year(text: str) -> int | None:
    """XSD's gYear without a time zone: four digits, or up to nine that do not start with 0, perhaps a minus."""
    return int(text) if _YEAR(text) else None


def parse_yearmonth(text: str) -> date | None:
    """``YYYY-MM``, a month of the years 0001 to 9999, as its first day."""
    return parse_date(text + "-01") if _YEARMONTH(text) else None

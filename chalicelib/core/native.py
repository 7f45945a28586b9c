"""Values that have a type of their own, in Excel and Parquet, as JSON that a field's rules read as the same value.

Text stays as it is, numbers and truths are JSON's. A date is no text yet: it is written by the field's pattern where
that has one, or else as ISO 8601 has it. What has no such form becomes an object, which no field of a simple type
takes: so the record is rejected, and nothing is guessed.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from json.encoder import encode_basestring
from math import isfinite
from typing import Any

from chalicelib.core.lexical import parse_date, parse_datetime, parse_time
from chalicelib.core.parsers import BY_PATTERN, parser
from chalicelib.core.schema import Field, FieldType

NULL = "null"
_EXACT = 1 << 53  # beyond it not every whole number is a float
_MIDNIGHT = "T00:00:00"
_LIKE_JSON = (FieldType.OBJECT, FieldType.ARRAY, FieldType.GEOPOINT, FieldType.ANY)

quoted: Callable[[str], str] = encode_basestring
"""A text as a JSON string. What ``surrogateescape`` has made of bytes that are no UTF-8 stays as it is."""


def unsayable(what: str, field: Field | None) -> str:
    """Return JSON for a value that is none (``#REF!``), which the field rejects unless it takes anything."""
    return quoted(what) if field is not None and field.type in _LIKE_JSON else f'{{"error": {quoted(what)}}}'


def number_text(plain: str) -> str:
    """Return JSON for a number's text: digits, a point, an exponent; or NaN, INF, -INF, no numbers of JSON's."""
    return quoted(plain) if "N" in plain else plain


def float_text(value: float) -> str:
    """Return a number's shortest exact text; a whole number has no point, since Excel knows no other numbers."""
    if not isfinite(value):
        return "NaN" if value != value else "INF" if value > 0 else "-INF"
    return str(int(value)) if value.is_integer() and abs(value) <= _EXACT else repr(value)


def truth_text(value: bool) -> str:
    """Return JSON for true and false."""
    return "true" if value else "false"


def temporal(field: Field | None, *, at_midnight: bool = False) -> Callable[[str], str]:
    """Return what makes JSON of the ISO 8601 text of a date, a time, or both.

    Midnight of a day is the day where the field is a date, and with ``at_midnight`` (Excel, which has no dates of
    their own) wherever the field is not a datetime. A field with a pattern gets the value written by it.
    """
    kind = None if field is None else field.type
    shortens = kind is FieldType.DATE or (at_midnight and kind is not FieldType.DATETIME)
    rewrite = _by_pattern(field) if field is not None else None

    def text(iso: str) -> str:
        if shortens:
            iso = iso.removesuffix(_MIDNIGHT)
        return quoted(iso if rewrite is None else rewrite(iso))

    return text


def iso_time(text: str) -> str:
    """Return a date and time without the zeros that end its fraction, a T between the two."""
    head, point, fraction = text.replace(" ", "T").partition(".")
    zone = "Z" if fraction.endswith("Z") else ""
    fraction = fraction.removesuffix("Z").rstrip("0")
    return f"{head}{point if fraction else ''}{fraction}{zone}"


def iso_duration(nanoseconds: int) -> str:
    """Return a length of time as days, hours, minutes and seconds (``P1DT2H3M4.5S``)."""
    seconds, fraction = divmod(abs(nanoseconds), 10**9)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    decimals = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{'-' if nanoseconds < 0 else ''}P{days}DT{hours}H{minutes}M{seconds}{decimals}S"


def cell_writer(field: Field) -> Callable[[object], str]:
    """Return what makes JSON of an Excel cell's value: text, bool, int, float, or what ``datetime`` has."""
    of_time = temporal(field, at_midnight=True)

    def moment(value: date | time) -> str:
        return of_time(iso_time(value.isoformat()))

    writers: dict[type, Callable[[Any], str]] = {
        str: quoted,
        int: str,
        float: lambda value: number_text(float_text(value)),
        bool: truth_text,
        date: moment,
        datetime: moment,
        time: moment,
        timedelta: lambda value: quoted(iso_duration(value // timedelta(microseconds=1) * 1000)),
    }

    def other(value: object) -> str:
        return unsayable(str(value), field)

    return lambda value: writers.get(type(value), other)(value)


def _by_pattern(field: Field) -> Callable[[str], str] | None:
    """Return what writes ISO 8601 by the field's pattern where that says the same; ``None`` where it has none."""
    if field.type not in BY_PATTERN or "%" not in field.format:
        return None
    parse = parser(field)
    reads = {FieldType.DATE: parse_date, FieldType.TIME: parse_time, FieldType.DATETIME: parse_datetime}
    read = reads.get(field.type)
    if read is None:
        return None

    def rewrite(iso: str) -> str:
        value = read(iso)
        if value is None:
            return iso
        written = value.strftime(field.format)
        return written if parse(written) == value else iso

    return rewrite

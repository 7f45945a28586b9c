"""From the text that PostgreSQL gives for a value to the one that a file has for it: the way back of ``values``.

PostgreSQL's text is that of a session with ISO dates, ISO 8601 intervals and the time zone UTC. What is written is what
the field's own parser reads as the same value; where there is no such text, it is refused, never bent.
"""

import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import TypeAlias

from chalicelib.core.dated import pattern_writer
from chalicelib.core.lexical import MAX_DIGITS, parse_datetime
from chalicelib.core.parsers import BY_PATTERN, DEFAULT, NUMBERS, parser
from chalicelib.core.schema import Field, FieldType
from chalicelib.core.temporal import ANY, Temporal
from chalicelib.errors import ExportRefused

Spell: TypeAlias = Callable[[str], str]
"""Takes PostgreSQL's text of a value that is not null. Raises ExportRefused where it cannot be written."""

_SPECIAL_NUMBERS = {"Infinity": "INF", "-Infinity": "-INF"}
_LONG_NUMBER = re.compile(rf'"(?:[^"\\]|\\.)*+"|-?[0-9](?:[0-9.]){{{MAX_DIGITS},}}+')
_INTERVAL = re.compile(
    r"P(?:(-?[0-9]+)Y)?(?:(-?[0-9]+)M)?(?:(-?[0-9]+)D)?"
    r"(?:T(?:(-?[0-9]+)H)?(?:(-?[0-9]+)M)?(?:(-?[0-9]+(?:\.[0-9]+)?)S)?)?"
).fullmatch
_MOST = 999_999_999  # of a duration's parts: nine digits


def plain_spelling(field: Field) -> Spell | None:
    """Return how a value is written by the standard's default forms; ``None`` where that is PostgreSQL's own text."""
    return _PLAIN.get(field.type)


def spelling(field: Field) -> Spell | None:
    """Return how a field's values are written in its files; ``None`` where that is PostgreSQL's own text."""
    kind = field.type
    if kind is FieldType.BOOLEAN:
        return _boolean(field)
    if kind is FieldType.GEOPOINT:
        form = _POINTS[field.format]
        return lambda text: form.format(*map(number_text, text.strip("{}").split(",")))
    if kind is FieldType.NUMBER and field.decimal_char != ".":
        return lambda text: number_text(text).replace(".", field.decimal_char)
    if kind in BY_PATTERN and field.format not in (DEFAULT, ANY):
        return _by_pattern(field)
    return plain_spelling(field)


def distinct_spelling(field: Field) -> Spell | None:
    """Return ``spelling`` for files in which a null is one of the field's missing values, and no value must be."""
    spell = spelling(field)
    missing = frozenset(field.missing_values)
    if not missing or (missing == {""} and field.type not in (FieldType.STRING, FieldType.ANY)):
        return spell
    refused = ExportRefused("unwritable", f"{field.name}: a value would be read as missing (missingValues)")

    def distinct(text: str) -> str:
        written = text if spell is None else spell(text)
        if written not in missing:
            return written
        for other in _other_spellings(field, written):
            if other not in missing:
                return other
        raise refused

    return distinct


def number_text(text: str) -> str:
    """Return a number as Table Schema writes it, with an exponent where all its digits would be too many.

    Raises:
        ExportRefused: it has more digits than a number in a file may have.
    """
    if len(text) <= MAX_DIGITS:
        return _SPECIAL_NUMBERS.get(text, text)
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    bare = "".join(map(str, digits)).rstrip("0")
    exponent += len(digits) - len(bare)
    bare = bare.lstrip("0") or "0"
    ends = {MAX_DIGITS, -MAX_DIGITS, exponent, exponent + len(bare), exponent + len(bare) - 1}
    spelled = [("-" if sign else "") + _shifted(bare, exponent - power) + f"e{power}" for power in sorted(ends)]
    fitting = [each for each in spelled if len(each) <= MAX_DIGITS and abs(int(each.partition("e")[2])) <= MAX_DIGITS]
    if not fitting:
        raise ExportRefused("unwritable", f"a number has more digits than a file may have ({MAX_DIGITS})")
    return min(fitting, key=len)


def _shifted(digits: str, places: int) -> str:
    """Return ``digits`` times ten to the power ``places``; so long that it fits nowhere if that is absurdly far."""
    if abs(places) > MAX_DIGITS:
        return "0" * (MAX_DIGITS + 1)
    if places >= 0:
        return digits + "0" * places
    if -places < len(digits):
        return digits[:places] + "." + digits[places:]
    return "0." + "0" * (-places - len(digits)) + digits


def json_text(text: str) -> str:
    """Return ``jsonb``'s text with its numbers as ``number_text`` has them."""
    if len(text) <= MAX_DIGITS:
        return text
    return _LONG_NUMBER.sub(lambda match: match[0] if match[0][0] == '"' else number_text(match[0]), text)


def _instant(text: str) -> str:
    return text.removesuffix("+00").replace(" ", "T") + "Z"


def _year(text: str) -> str:
    return f"{int(text):0{5 if text[0] == '-' else 4}d}"


def _duration(text: str) -> str:
    """One sign before all of it, and no part of more digits than may be read."""
    match = _INTERVAL(text)
    if match is None:
        raise ExportRefused("unwritable", "a duration has a part that no file can say")
    parts = [Decimal(part or 0) for part in match.groups()]
    if min(parts) < 0 < max(parts):
        raise ExportRefused("unwritable", "a duration has parts of both signs, which no file can say")
    sign = "-" if min(parts) < 0 else ""
    years, months, days, hours, minutes, seconds = map(abs, parts)
    if days > _MOST:
        if years or months or hours or minutes or seconds or days % 7:
            raise ExportRefused("unwritable", "a duration has more days than a file can say")
        return f"{sign}P{days // 7}W"
    # Hours beyond nine digits came as minutes and seconds, and go back there.
    minutes += max(hours - _MOST, Decimal(0)) * 60
    seconds += max(minutes - _MOST, Decimal(0)) * 60
    hours, minutes = min(hours, Decimal(_MOST)), min(minutes, Decimal(_MOST))
    if seconds >= _MOST + 1:
        raise ExportRefused("unwritable", "a duration is longer than a file can say")
    day = "".join(f"{part}{name}" for part, name in ((years, "Y"), (months, "M"), (days, "D")) if part)
    clock = "".join(f"{part:f}{name}" for part, name in ((hours, "H"), (minutes, "M"), (seconds, "S")) if part)
    return f"{sign}P{day}{'T' + clock if clock else ''}" if day or clock else "PT0S"


def _boolean(field: Field) -> Spell:
    missing = frozenset(field.missing_values)
    words = {
        stored: next((word for word in said if word not in missing), None)
        for stored, said in (("t", field.true_values), ("f", field.false_values))
    }

    def spell(text: str) -> str:
        word = words[text]
        if word is None:
            raise ExportRefused("unwritable", f"{field.name}: no word for {'true' if text == 't' else 'false'}")
        return word

    return spell


def _by_pattern(field: Field) -> Spell:
    write = pattern_writer(field.format)
    read = parser(field)
    stored = _STORED[field.type]

    def spell(text: str) -> str:
        value = stored(text)
        assert value is not None
        written = write(value)
        if read(written) != value:
            raise ExportRefused("unwritable", f"{field.name}: a value is more than the format {field.format} can say")
        return written

    return spell


def _other_spellings(field: Field, text: str) -> list[str]:
    """Return other texts that mean the same number."""
    if field.type not in NUMBERS or not text[-1:].isdigit():
        return []
    sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text)
    return [sign + "0" * zeros + digits for zeros in range(1, 4)] + ([] if sign else ["+" + text])


_PLAIN: dict[FieldType, Spell] = {
    FieldType.NUMBER: number_text,
    FieldType.BOOLEAN: {"t": "true", "f": "false"}.__getitem__,
    FieldType.DATETIME: _instant,
    FieldType.YEAR: _year,
    FieldType.DURATION: _duration,
    FieldType.OBJECT: json_text,
    FieldType.ARRAY: json_text,
    FieldType.GEOPOINT: lambda text: ", ".join(map(number_text, text.strip("{}").split(","))),
}
_POINTS = {"default": "{}, {}", "array": "[{}, {}]", "object": '{{"lon": {}, "lat": {}}}'}
_STORED: dict[FieldType, Callable[[str], Temporal | None]] = {
    FieldType.DATE: date.fromisoformat,
    FieldType.TIME: time.fromisoformat,
    FieldType.DATETIME: lambda text: parse_datetime(_instant(text)),
    FieldType.YEAR: int,
    FieldType.YEARMONTH: lambda text: date.fromisoformat(text + "-01"),
}

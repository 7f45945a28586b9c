"""Dates and times by pattern, as the ``format`` of a field gives them: strptime's directives, read strictly.

Stricter than Python's ``strptime`` (https://docs.python.org/3/library/datetime.html#format-codes), so that one text
has one meaning in every locale: digits are ASCII, names are English, spaces stand where the pattern has them, a weekday
must be the date's own, there is no leap second. A month, day, hour, minute or second may lack its leading zero only
where no other digit is next to it. A two-digit year is POSIX's: 69 to 99 are 1969 to 1999, the others 2000 to 2068.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone

from chalicelib.core.schema import FieldType

Temporal = date | datetime | time | int

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WIDTHS = {"Y": (4, 4), "y": (2, 2), "j": (1, 3), "f": (1, 6), **dict.fromkeys("mdHIMS", (1, 2))}
_WORDS = {
    "b": "|".join(name[:3] for name in MONTHS),
    "B": "|".join(MONTHS),
    "a": "|".join(name[:3] for name in DAYS),
    "A": "|".join(DAYS),
    "p": "am|pm",
}
_ZONE = "Z|[+-](?:0[0-9]|1[0-3]):?[0-5][0-9]|[+-]14:?00"
_SAME = {"y": "Y", "b": "m", "B": "m", "I": "H", "A": "a"}  # directives that say the same thing in other words
_TOKEN = re.compile("%(.)|([^%]+)|(%)", re.DOTALL)
_DATE, _CLOCK = "YymbBdjaA", "HIMSfp"
_ALLOWED = {
    FieldType.DATE: _DATE,
    FieldType.TIME: _CLOCK,
    FieldType.DATETIME: _DATE + _CLOCK + "z",
    FieldType.YEAR: "Yy",
    FieldType.YEARMONTH: "YymbB",
}
_NEEDED = {
    FieldType.DATE: ("Y", "m", "d"),
    FieldType.TIME: ("H",),
    FieldType.DATETIME: ("Y", "m", "d", "H"),
    FieldType.YEAR: ("Y",),
    FieldType.YEARMONTH: ("Y", "m"),
}

ANY = "any"
_ANY_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
_ANY_TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%I:%M:%S%p")
_ANY_DATETIME = re.compile(
    r"(?P<date>.{8,18}?)(?:T|,? )(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?: ?[AaPp][Mm])?)"
    rf" ?(?P<zone>{_ZONE})?"
).fullmatch


def pattern_parser(pattern: str, kind: FieldType) -> Callable[[str], Temporal | None]:
    """Return the parser of a pattern for values of a type.

    Raises:
        ValueError: the pattern has a directive that is unknown or of no meaning here, twice the same, or lacks one.
    """
    expression = re.compile(_expression(pattern, kind))
    have = {_SAME.get(name, name) for name in expression.groupindex}
    lacking = [name for name in _NEEDED[kind] if name not in have and not (name in "md" and "j" in have)]
    if lacking:
        raise ValueError(f"lacks %{lacking[0]}, without which it says no {kind}")
    build = _BUILDERS[kind]

    def parse(text: str) -> Temporal | None:
        match = expression.fullmatch(text)
        if match is None:
            return None
        try:
            return build({name: value for name, value in match.groupdict().items() if value is not None})
        except (ValueError, OverflowError):
            return None

    return parse


def any_parser(kind: FieldType) -> Callable[[str], Temporal | None]:
    """Return the parser of the format ``any``: many forms, but none that mixes up days and months."""
    dates = [pattern_parser(pattern, FieldType.DATE) for pattern in _ANY_DATES]
    times = [pattern_parser(pattern, FieldType.TIME) for pattern in _ANY_TIMES]

    def parse_datetime(text: str) -> Temporal | None:
        match = _ANY_DATETIME(text)
        if match is None:
            return None
        day, clock = _first(dates, match["date"]), _first(times, match["time"])
        if not isinstance(day, date) or not isinstance(clock, time):
            return None
        try:
            return datetime.combine(day, clock, _zone(match["zone"])).astimezone(UTC)
        except OverflowError:
            return None

    if kind is FieldType.DATETIME:
        return parse_datetime
    return lambda text: _first(dates if kind is FieldType.DATE else times, text)


def _first(parsers: list[Callable[[str], Temporal | None]], text: str) -> Temporal | None:
    return next((value for parse in parsers if (value := parse(text)) is not None), None)


def _expression(pattern: str, kind: FieldType) -> str:
    tokens = list(_TOKEN.finditer(pattern))
    seen: set[str] = set()
    parts = []
    for index, token in enumerate(tokens):
        name, text, stray = token.groups()
        if text is not None or name == "%":
            parts.append(re.escape(text or "%"))
            continue
        if stray or name not in _ALLOWED[kind]:
            raise ValueError(f"has {'%' if stray else '%' + name}, which has no meaning for the type {kind}")
        if _SAME.get(name, name) in seen or (name in "jmdbB" and seen & set("j" if name != "j" else "md")):
            raise ValueError(f"says with %{name} what it has said before")
        if (name == "I" and "%p" not in pattern) or (name == "p" and "%I" not in pattern):
            raise ValueError("must have %I and %p together, or neither")
        seen.add(_SAME.get(name, name))
        beside = tokens[index - 1 : index] + tokens[index + 1 : index + 2]
        parts.append(f"(?P<{name}>{_directive(name, alone=not any(map(_has_digit, beside)))})")
    return "".join(parts)


def _directive(name: str, *, alone: bool) -> str:
    if name in _WIDTHS:
        least, most = _WIDTHS[name]
        return f"[0-9]{{{least if alone else most},{most}}}"
    return _ZONE if name == "z" else f"(?i:{_WORDS[name]})"


def _has_digit(token: re.Match[str]) -> bool:
    name, text, _ = token.groups()
    return name in _WIDTHS if text is None else text[0].isdigit() or text[-1].isdigit()


def _date(parts: Mapping[str, str]) -> date:
    year = _year(parts)
    if "j" in parts:
        value = date(year, 1, 1) + timedelta(int(parts["j"]) - 1)
        if value.year != year:
            raise ValueError
    else:
        value = date(year, _month(parts), int(parts["d"]))
    weekday = (parts.get("a") or parts.get("A") or "")[:3].lower()
    if weekday and not DAYS[value.weekday()].startswith(weekday):
        raise ValueError
    return value


def _year(parts: Mapping[str, str]) -> int:
    if "Y" in parts:
        return int(parts["Y"])
    short = int(parts["y"])
    return short + (1900 if short >= 69 else 2000)


def _month(parts: Mapping[str, str]) -> int:
    if "m" in parts:
        return int(parts["m"])
    name = (parts.get("b") or parts["B"])[:3].lower()
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name))


def _time(parts: Mapping[str, str]) -> time:
    if "I" in parts:
        hour = int(parts["I"])
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if parts["p"].lower() == "pm" else 0)
    else:
        hour = int(parts["H"])
    return time(hour, int(parts.get("M", 0)), int(parts.get("S", 0)), int(parts.get("f", "0").ljust(6, "0")))


def _datetime(parts: Mapping[str, str]) -> datetime:
    return datetime.combine(_date(parts), _time(parts), _zone(parts.get("z"))).astimezone(UTC)


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    assert text is not None
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _yearmonth(parts: Mapping[str, str]) -> date:
    return date(_year(parts), _month(parts), 1)


_BUILDERS: Mapping[FieldType, Callable[[Mapping[str, str]], Temporal]] = {
    FieldType.DATE: _date,
    FieldType.TIME: _time,
    FieldType.DATETIME: _datetime,
    FieldType.YEAR: _year,
    FieldType.YEARMONTH: _yearmonth,
}

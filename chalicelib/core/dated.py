"""Dates and times by pattern, written: the way back of ``temporal.pattern_parser``."""

import re
from collections.abc import Callable
from datetime import date, datetime, time

from chalicelib.core.temporal import DAYS, MONTHS, Temporal

_TOKEN = re.compile("%(.)|([^%]+)", re.DOTALL)


def pattern_writer(pattern: str) -> Callable[[Temporal], str]:
    """Return how a pattern, one that has a parser, writes a value; instants are in UTC.

    What a pattern has no room for (the century of ``%y``) is lost: only the parser can tell whether it was.
    """
    parts = [_literal(token[2]) if token[2] else _DIRECTIVES[token[1]] for token in _TOKEN.finditer(pattern)]
    return lambda value: "".join([part(value) for part in parts])


def _literal(text: str) -> Callable[[Temporal], str]:
    return lambda value: text


def _year(value: Temporal) -> int:
    assert not isinstance(value, time)
    return value if isinstance(value, int) else value.year


def _day(value: Temporal) -> date:
    assert isinstance(value, date)
    return value


def _clock(value: Temporal) -> time | datetime:
    assert isinstance(value, time | datetime)
    return value


_DIRECTIVES: dict[str, Callable[[Temporal], str]] = {
    "%": lambda value: "%",
    "Y": lambda value: f"{_year(value):04d}",
    "y": lambda value: f"{_year(value) % 100:02d}",
    "m": lambda value: f"{_day(value).month:02d}",
    "b": lambda value: MONTHS[_day(value).month - 1][:3].title(),
    "B": lambda value: MONTHS[_day(value).month - 1].title(),
    "d": lambda value: f"{_day(value).day:02d}",
    "j": lambda value: f"{_day(value).timetuple().tm_yday:03d}",
    "a": lambda value: DAYS[_day(value).weekday()][:3].title(),
    "A": lambda value: DAYS[_day(value).weekday()].title(),
    "H": lambda value: f"{_clock(value).hour:02d}",
    "I": lambda value: f"{_clock(value).hour % 12 or 12:02d}",
    "p": lambda value: "AM" if _clock(value).hour < 12 else "PM",
    "M": lambda value: f"{_clock(value).minute:02d}",
    "S": lambda value: f"{_clock(value).second:02d}",
    "f": lambda value: f"{_clock(value).microsecond:06d}",
    "z": lambda value: "Z",
}

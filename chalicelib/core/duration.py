"""Durations: ISO 8601 as XSD restricts it, compared as PostgreSQL compares intervals.

``PnYnMnDTnHnMnS`` (https://www.w3.org/TR/xmlschema-2/#duration), or ISO's ``PnW``; a minus before all of it turns it
round. Only seconds have a fraction, of at most six digits. PostgreSQL keeps months, days and microseconds apart, and
holds a month for 30 days and a day for 24 hours when it compares, so that P1M and P30D are one key.
"""

import re
from dataclasses import dataclass
from functools import total_ordering

_MOST = 2**31 - 1  # PostgreSQL keeps months and days in 32 bits each
_N = r"(?:([0-9]{1,9})%s)?"
_DURATION = re.compile(
    "(-?)P(?:([0-9]{1,9})W|(?=[0-9T])"
    + _N % "Y"
    + _N % "M"
    + _N % "D"
    + "(?:T(?=[0-9])"
    + _N % "H"
    + _N % "M"
    + r"(?:([0-9]{1,9})(?:\.([0-9]{1,6}))?S)?)?)"
).fullmatch
_CANONICAL = re.compile(r"P(-?[0-9]+)M(-?[0-9]+)DT(-?[0-9]+)H(-?[0-9]+)M(-?)([0-9]+)\.([0-9]{6})S").fullmatch
_MINUTE = 60 * 10**6
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Duration:
    """A length of time; equal, less and greater as PostgreSQL's ``interval`` says."""

    months: int
    days: int
    microseconds: int

    @property
    def length(self) -> int:
        """Microseconds, with 30 days to the month and 24 hours to the day."""
        return (self.months * 30 + self.days) * _DAY + self.microseconds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.length == other.length

    def __lt__(self, other: "Duration") -> bool:
        return self.length < other.length

    def __hash__(self) -> int:
        return hash(self.length)

    def __str__(self) -> str:
        """Return it as PostgreSQL reads it, each part with its own sign."""
        sign = "-" if self.microseconds < 0 else ""
        hours, rest = divmod(abs(self.microseconds), _HOUR)
        minutes, rest = divmod(rest, _MINUTE)
        seconds, fraction = divmod(rest, 10**6)
        clock = f"T{sign}{hours}H{sign}{minutes}M{sign}{seconds}.{fraction:06d}S"
        return f"P{self.months}M{self.days}D{clock}"


def parse_duration(text: str) -> Duration | None:
    """ISO 8601, as the module says, as long as PostgreSQL has room for it."""
    match = _DURATION(text)
    if match is None:
        return None
    sign = -1 if match[1] else 1
    weeks, years, months, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:8])
    months += 12 * years
    days += 7 * weeks
    if months > _MOST or days > _MOST:
        return None
    fraction = int((match[9] or "").ljust(6, "0"))
    microseconds = hours * _HOUR + minutes * _MINUTE + seconds * 10**6 + fraction
    return Duration(sign * months, sign * days, sign * microseconds)


def read_duration(text: str) -> Duration | None:
    """Return what ``parse_duration`` or ``str(Duration)`` has written."""
    match = _CANONICAL(text)
    if match is None:
        return parse_duration(text)
    months, days, hours, minutes = map(int, match.groups()[:4])
    seconds = int(match[5] + match[6] + match[7])
    return Duration(months, days, hours * _HOUR + minutes * _MINUTE + seconds)

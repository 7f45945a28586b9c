"""When files of a dataset are expected, as a descriptor says it: ``daily by 07:00``, ``weekly on monday by 18:30``."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

GRAMMAR = (
    "daily by 07:00, weekdays by 07:00 or weekly on monday by 07:00 (or: on tuesday, friday), "
    "with a time zone if it is not UTC: daily by 07:00 Europe/Berlin"
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Expected:
    """On these ``days`` of the week (Monday is 0) by this time of this zone; ``text`` is how the descriptor says it."""

    text: str
    days: frozenset[int]
    at: time
    zone: str

    def deadline(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the last deadline that is not after ``now``, and since when files count for it; both in UTC.

        A file counts for the deadline that it came nearest to: what comes an hour late does not hide that the next
        one is missing.
        """
        passed = [moment for moment in self._deadlines(now) if moment <= now]
        before, last = passed[-2:]
        return last, before + (last - before) / 2

    def _deadlines(self, now: datetime) -> Iterator[datetime]:
        """Yield the deadlines of the two weeks up to the end of today, in order: at least two that have passed."""
        today = now.astimezone(ZoneInfo(self.zone)).date()
        for back in range(15, -1, -1):
            day = today - timedelta(days=back)
            if day.weekday() in self.days:
                yield self._moment(day)

    def _moment(self, day: date) -> datetime:
        """The deadline of a day. Where clocks are changed over it, it is the later of what it could mean."""
        zone = ZoneInfo(self.zone)
        return max(datetime.combine(day, self.at.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1))


def parse_expected(text: str) -> Expected:
    """Return what ``text`` says.

    Raises:
        ValueError: it is none of the forms of ``GRAMMAR``, or names a time or a zone that there is not; it says which.
    """
    when, by, rest = " ".join(text.split()).partition(" by ")
    words = rest.split()
    if not by or len(words) not in (1, 2):
        raise ValueError(f"must be like {GRAMMAR}")
    zone = words[1] if len(words) == 2 else "UTC"
    return Expected(" ".join(text.split()), _parse_days(when.lower()), _parse_time(words[0]), _checked_zone(zone))


def _parse_days(when: str) -> frozenset[int]:
    if when == "daily":
        return frozenset(range(7))
    if when == "weekdays":
        return frozenset(range(5))
    weekly, on, names = when.partition(" on ")
    if weekly != "weekly" or not on:
        raise ValueError(f"must be like {GRAMMAR}")
    days = [name.strip() for name in names.split(",")]
    for day in days:
        if day not in _DAYS:
            raise ValueError(f"{day or 'nothing'} is no day of the week; they are {', '.join(_DAYS)}")
    return frozenset(map(_DAYS.index, days))


def _parse_time(text: str) -> time:
    hour, colon, minute = text.partition(":")
    if not (colon and len(text) == 5 and (hour + minute).isascii() and (hour + minute).isdigit()):
        raise ValueError(f"{text} is no time of the day; write it as 07:00")
    try:
        return time(int(hour), int(minute))
    except ValueError:
        raise ValueError(f"{text} is no time of the day; they go from 00:00 to 23:59") from None


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # a folder of zones is an OSError
        raise ValueError(f"{name} is no time zone; they are named like Europe/Berlin") from None
    return name

"""Load windows: the hours of a day, on the clocks of a place, in which files begin to be loaded."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAY = 24 * 60  # minutes
_WINDOW = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9]) ([A-Za-z0-9_+/-]{1,64})")
_LOOKED_AT = 4  # days: clocks that are put forward may skip a short window, but never on two days in a row


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` to ``end`` (exclusive), in minutes of the day; over midnight where it ends before it starts."""

    start: int
    end: int
    zone: str

    def is_open(self, now: datetime) -> bool:
        """Whether the clocks there show a time in it. ``now`` is aware."""
        local = now.astimezone(ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def opens(self, now: datetime) -> datetime:
        """The first moment (UTC, a whole minute unless it is ``now``) from ``now`` on at which it is open."""
        now = now.astimezone(UTC)
        if self.is_open(now):
            return now
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        clock = time(self.start // 60, self.start % 60, tzinfo=zone)
        moments: list[datetime] = []
        for days in range(-1, _LOOKED_AT):
            local = datetime.combine(today + timedelta(days), clock)
            # When clocks are put back they show the time twice; when they are put forward they leave it out, and both
            # moments are wrong: the window opens as they are put, which is between the two.
            first, second = sorted(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
            moments += (self._first_open(first, second), second)
        return min(moment for moment in moments if moment > now and self.is_open(moment))

    def _first_open(self, closed: datetime, opened: datetime) -> datetime:
        """The minute in which it opens, between two moments of which the first may be open already."""
        while not self.is_open(closed) and closed < opened:
            closed += timedelta(minutes=1)
        return closed

    def __str__(self) -> str:
        """As a descriptor has it."""
        return f"{_clock(self.start)}-{_clock(self.end)} {self.zone}"


def parse_window(text: str) -> Window:
    """A window as a descriptor has it: ``22:00-06:00 Europe/Berlin``.

    Raises:
        ValueError: it is none; the message says why.
    """
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ValueError("must be like 22:00-06:00 Europe/Berlin: two times of a day, and a time zone's name")
    hours = [int(number) for number in found.groups()[:4]]
    start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if start >= _DAY or end > _DAY or (start == end % _DAY and start):
        raise ValueError("must start and end at two times between 00:00 and 24:00")
    zone = found[5]
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"knows no time zone {zone}; they are named as Europe/Berlin or UTC") from None
    if start == 0 and end in (0, _DAY):
        raise ValueError("is the whole day; leave it out")
    return Window(start, end, zone)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"

"""Load windows, against somebody who looks at the clock every minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.core.window import Window, parse_window

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
MINUTES = st.integers(0, 24 * 60 - 1)
MOMENTS = st.datetimes(datetime(2011, 12, 25), datetime(2027, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)


def looked_at(window: Window, now: datetime) -> datetime:
    """The first open minute, by looking at each."""
    zone = ZoneInfo(window.zone)
    while True:
        local = now.astimezone(zone)
        minute = local.hour * 60 + local.minute
        inside = window.start <= minute < window.end
        if inside if window.start < window.end else minute >= window.start or minute < window.end:
            return now
        now += timedelta(minutes=1)


@given(MINUTES, MINUTES, st.sampled_from(ZONES), MOMENTS)
@example(150, 165, "Europe/Berlin", datetime(2026, 3, 29, 0, 0, tzinfo=UTC))  # 02:30-02:45 is left out that night
@example(150, 300, "Europe/Berlin", datetime(2026, 3, 29, 0, 0, tzinfo=UTC))  # opens as clocks are put forward
@example(150, 300, "Europe/Berlin", datetime(2026, 10, 25, 1, 5, tzinfo=UTC))  # 02:05 for the second time
@example(0, 60, "Pacific/Apia", datetime(2011, 12, 30, 9, 0, tzinfo=UTC))  # a day that never was
def test_a_window_opens_when_the_clock_says_so(start: int, end: int, zone: str, now: datetime) -> None:
    if start == end:
        return
    window = Window(start, end, zone)
    opens = window.opens(now)
    assert opens == looked_at(window, now)
    assert window.is_open(opens)
    assert window.is_open(now) is (opens == now)


@pytest.mark.parametrize(
    ("text", "now", "opens"),
    [
        ("22:00-06:00 Europe/Berlin", "2026-07-01T12:00+00:00", "2026-07-01T20:00+00:00"),
        ("22:00-06:00 Europe/Berlin", "2026-01-01T12:00+00:00", "2026-01-01T21:00+00:00"),
        ("22:00-06:00 Europe/Berlin", "2026-07-01T03:59+00:00", "2026-07-01T03:59+00:00"),
        ("22:00-06:00 Europe/Berlin", "2026-07-01T04:00+00:00", "2026-07-01T20:00+00:00"),
        ("02:30-05:00 Europe/Berlin", "2026-03-29T00:00+00:00", "2026-03-29T01:00+00:00"),
        ("18:00-24:00 UTC", "2026-03-29T00:00+00:00", "2026-03-29T18:00+00:00"),
    ],
)
def test_windows_by_the_day(text: str, now: str, opens: str) -> None:
    window = parse_window(text)
    assert str(window) == text
    assert window.opens(datetime.fromisoformat(now)) == datetime.fromisoformat(opens)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must be like"),
        ("22:00-06:00", "must be like"),
        ("22-6 UTC", "must be like"),
        ("22:00 - 06:00 UTC", "must be like"),
        ("24:00-06:00 UTC", "two times"),
        ("23:00-24:30 UTC", "two times"),
        ("06:00-06:00 UTC", "two times"),
        ("00:00-24:00 UTC", "whole day"),
        ("00:00-00:00 UTC", "whole day"),
        ("22:00-06:00 Europe/Atlantis", "no time zone Europe/Atlantis"),
        ("22:00-06:00 Europe", "no time zone"),
        ("22:00-06:00 /etc/passwd", "no time zone"),
    ],
)
def test_what_is_no_window_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_window(text)

"""When a file is expected, in any time zone, whatever its clocks do."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.expected import parse_expected
from chalicelib.errors import DescriptorError
from tests.unit.examples import PEOPLE


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def last(text: str, now: str) -> datetime:
    return parse_expected(text).deadline(utc(now))[0]


@pytest.mark.parametrize(
    ("text", "now", "deadline"),
    [
        ("daily by 07:00", "2026-03-10T07:00", "2026-03-10T07:00"),
        ("daily by 07:00", "2026-03-10T06:59", "2026-03-09T07:00"),
        ("Daily  by 07:00 UTC", "2026-03-10T23:59", "2026-03-10T07:00"),
        ("daily by 00:00", "2026-03-10T00:00", "2026-03-10T00:00"),
        ("daily by 07:00 Europe/Berlin", "2026-01-10T12:00", "2026-01-10T06:00"),
        ("daily by 07:00 Europe/Berlin", "2026-07-10T12:00", "2026-07-10T05:00"),
        ("daily by 23:30 America/Los_Angeles", "2026-01-10T07:30", "2026-01-10T07:30"),
        ("daily by 00:30 Pacific/Auckland", "2026-01-09T11:30", "2026-01-09T11:30"),
        ("weekdays by 07:00", "2026-03-15T12:00", "2026-03-13T07:00"),  # a Sunday
        ("weekly on monday by 07:00", "2026-03-15T12:00", "2026-03-09T07:00"),
        ("weekly on monday by 07:00", "2026-03-16T06:59", "2026-03-09T07:00"),
        ("weekly on tuesday, Friday by 18:30", "2026-03-15T12:00", "2026-03-13T18:30"),
        # In Berlin, 02:30 is not on 29 March 2026, and is twice on 25 October.
        ("daily by 02:30 Europe/Berlin", "2026-03-29T12:00", "2026-03-29T01:30"),
        ("daily by 02:30 Europe/Berlin", "2026-10-25T12:00", "2026-10-25T01:30"),
        ("daily by 07:00 Europe/Berlin", "2026-03-29T04:59", "2026-03-28T06:00"),
        ("daily by 07:00 Europe/Berlin", "2026-03-29T05:00", "2026-03-29T05:00"),
    ],
)
def test_last_deadline_is_the_one_that_local_clocks_show(text: str, now: str, deadline: str) -> None:
    assert last(text, now) == utc(deadline)


@pytest.mark.parametrize(
    ("text", "now", "counts_from"),
    [
        ("daily by 07:00", "2026-03-10T08:00", "2026-03-09T19:00"),
        ("weekdays by 07:00", "2026-03-16T08:00", "2026-03-14T19:00"),  # a Monday
        ("weekly on monday by 07:00", "2026-03-16T08:00", "2026-03-12T19:00"),
    ],
)
def test_file_counts_for_the_deadline_that_it_is_nearest_to(text: str, now: str, counts_from: str) -> None:
    assert parse_expected(text).deadline(utc(now))[1] == utc(counts_from)


@pytest.mark.parametrize("text", ["daily by 02:30 Europe/Berlin", "weekly on sunday by 02:30 Europe/Berlin"])
def test_each_deadline_is_once_whenever_it_is_asked(text: str) -> None:
    expected = parse_expected(text)
    start = utc("2026-01-01T00:00")
    seen = [expected.deadline(start + timedelta(hours=hours))[0] for hours in range(24 * 365)]
    assert seen == sorted(seen)
    weeks = len(set(seen)) / (1 if "weekly" in text else 7)
    assert 52 <= weeks <= 53


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("daily", "must be like daily by 07:00"),
        ("hourly by 07:00", "must be like daily by 07:00"),
        ("daily by 7:00", "7:00 is no time of the day; write it as 07:00"),
        ("daily by 24:00", "24:00 is no time of the day; they go from 00:00 to 23:59"),
        ("daily by 07:00 Europe/Berln", "Europe/Berln is no time zone"),
        ("daily by 07:00 ../../etc/passwd", "../../etc/passwd is no time zone"),
        ("daily by 07:00 Europe", "Europe is no time zone"),
        ("daily by 07:00 in Berlin", "must be like"),
        ("weekly on mondays by 07:00", "mondays is no day of the week"),
        ("weekly on monday, by 07:00", "nothing is no day of the week"),
        ("weekly by 07:00", "must be like"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, said: str) -> None:
    with pytest.raises(DescriptorError) as refused:
        parse_dataset({**PEOPLE, "dropload": {"expected": text}})
    assert refused.value.problems[0].startswith(f"dropload.expected: {said}")


def test_descriptor_says_what_is_expected_and_who_is_told() -> None:
    dataset = parse_dataset({**PEOPLE, "dropload": {"expected": "daily by 07:00 Europe/Berlin", "notify": "digest"}})
    assert dataset.expected is not None
    assert (dataset.expected.zone, dataset.notify) == ("Europe/Berlin", "digest")

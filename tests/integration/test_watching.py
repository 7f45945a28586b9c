"""What no job tells of: how a day went, and a file that did not come. Each is told once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core.expected import parse_expected
from chalicelib.core.schema import Tell
from chalicelib.services.ports import Reason
from chalicelib.services.watch import Watch
from tests.office import Office
from tests.system import MEMBERS, System, member, members

BAD = (MEMBERS + member(1) + member(2, account_id="x")).encode()
DAY = datetime(2026, 3, 10, tzinfo=UTC)
MORNING = DAY + timedelta(days=1, hours=6)


@pytest.fixture
def office(system: System) -> Iterator[Office]:
    office = Office(system)
    yield office
    office.system.container.database.close()


def watch(office: Office, at: datetime) -> int:
    container = office.system.container
    return Watch(post=container.post, datasets=container.datasets, digest_hour=6).run(at)


def on(office: Office, moment: datetime) -> None:
    """As if all jobs had come and ended then, and all mails about them were out."""
    office.system.rows("update dropload.job set created_at = %s, finished_at = %s", moment, moment)
    office.run(days=1)
    office.mailer.taken.clear()


def change(office: Office, name: str, **changes: Any) -> None:
    datasets = office.system.container.datasets
    datasets[name] = replace(datasets[name], **changes)


def test_owners_are_told_how_a_day_went_once_when_it_is_over(office: Office) -> None:
    for number in range(3):
        office.system.load(BAD, key=f"input/members/{number}.csv")
    office.system.load(b"", key="input/members/empty.csv")
    on(office, DAY + timedelta(hours=23, minutes=59))
    assert watch(office, MORNING - timedelta(seconds=1)) == 0
    assert [watch(office, MORNING + timedelta(hours=hours)) for hours in (0, 0, 1, 23)] == [1, 0, 0, 0]
    assert office.run() == ["[dropload] members on 2026-03-10: 4 files, 6 records, 5 rejected, 1 failed"]
    [mail] = office.mailer.taken
    assert mail.to == ("members-owner@example.com",)
    lines = mail.text.splitlines()
    assert lines[0] == "4 files, 6 records, 5 rejected, 1 failed; 4 causes."
    assert lines[2].startswith("          1 x the file is empty")
    assert lines[3] == "          3 x type-error in account_id, in 3 files: first on line 3 of 0.csv"
    assert "Still open: 5 rejected records not mended yet." in lines
    assert office.run(days=3) == []


def test_days_on_which_nothing_happened_are_not_told_of(office: Office) -> None:
    office.system.load(members(1))
    on(office, DAY - timedelta(seconds=1))
    office.system.load(members(2), key="input/members/validated.csv", metadata={"dropload-validate-only": "true"})
    office.system.rows("update dropload.job set finished_at = %s where validate_only", DAY)
    assert watch(office, MORNING) == 0
    assert watch(office, MORNING - timedelta(days=1)) == 1


def test_clean_day_is_told_of_without_causes(office: Office) -> None:
    office.system.load(members(1, 2))
    on(office, DAY)
    assert watch(office, MORNING) == 1
    assert office.run() == ["[dropload] members on 2026-03-10: 1 file, 2 records, 0 rejected"]
    assert "cause" not in office.mailer.taken[0].text


def test_engineers_are_told_of_a_day_what_was_ours(office: Office) -> None:
    office.system.load(b"", key="input/nosuch/file.csv")
    office.system.load(b"", key="input/members/empty.csv")
    office.system.drop("input/members/file.csv", BAD)
    while not office.system.deliver(office.system.settings.intake_queue):
        pass
    job = office.system.container.ledger.job(office.system.container.views.jobs(limit=1)[0]["id"])
    assert job is not None
    office.system.container.ledger.end_split(job, Reason("exhausted", "we could not", "transient"))
    office.system.pump()
    on(office, DAY)
    assert watch(office, MORNING) == 2
    subjects = office.run()
    assert "[dropload] 2026-03-10: 2 files failed for us, 2 causes" in subjects
    [mail] = [mail for mail in office.mailer.taken if "for us" in mail.subject]
    assert mail.to == ("engineers@example.com",)
    assert "(exhausted)" in mail.text
    assert "nosuch: file.csv (unknown-dataset)" in mail.text
    assert "empty.csv" not in mail.text


@pytest.mark.parametrize(
    ("tell", "failures", "days"),
    [(Tell.ALL, 1, 1), (Tell.FAILURES, 1, 0), (Tell.DIGEST, 0, 1), (Tell.NONE, 0, 0)],
)
def test_owners_are_told_what_their_dataset_says(office: Office, tell: Tell, failures: int, days: int) -> None:
    change(office, "members", notify=tell)
    office.system.load(BAD)
    assert len(office.run(minutes=1)) == failures
    on(office, DAY)
    assert watch(office, MORNING) == days


def expecting(office: Office, text: str, since: datetime) -> None:
    change(office, "members", expected=parse_expected(text))
    assert watch(office, since) == 0


def test_file_that_did_not_come_is_told_of_once_to_owners_and_engineers(office: Office) -> None:
    expecting(office, "daily by 07:00 Europe/Berlin", DAY)
    at_six = DAY + timedelta(hours=6)  # in March Berlin is an hour ahead
    assert [watch(office, at_six + timedelta(minutes=minutes)) for minutes in (-1, 0, 5, 60 * 23)] == [0, 2, 0, 0]
    assert office.run() == ["[dropload] members: no file by 2026-03-10 06:00 UTC"] * 2
    assert [mail.to for mail in office.mailer.taken] == [("members-owner@example.com",), ("engineers@example.com",)]
    text = office.mailer.taken[0].text
    assert "Expected is: daily by 07:00 Europe/Berlin. None has ever come." in text
    assert f"s3://{office.system.settings.bucket}/input/members/" in text
    assert watch(office, at_six + timedelta(days=1)) == 2  # the next day is another one


@pytest.mark.parametrize(
    ("came", "told"),
    [(-12.0, 0), (-0.01, 0), (0.05, 0), (-12.1, 2), (-24.0, 2)],  # hours from the deadline
)
def test_file_counts_if_it_came_nearer_to_this_deadline_than_to_the_last(
    office: Office, came: float, told: int
) -> None:
    office.system.load(members(1))
    on(office, DAY + timedelta(hours=7 + came))
    change(office, "members", expected=parse_expected("daily by 07:00"), notify=Tell.FAILURES)
    assert watch(office, DAY + timedelta(hours=6)) == 0
    assert watch(office, DAY + timedelta(hours=7.1)) == told


def test_nobody_is_late_for_what_was_not_expected_then(office: Office) -> None:
    expecting(office, "daily by 07:00", DAY + timedelta(hours=8))
    assert watch(office, DAY + timedelta(hours=9)) == 0
    change(office, "members", expected=parse_expected("daily by 09:30"))
    assert watch(office, DAY + timedelta(hours=10)) == 0
    assert watch(office, DAY + timedelta(days=1, hours=9)) == 0  # 07:00 is no deadline any more
    assert watch(office, DAY + timedelta(days=1, hours=10)) == 2


def test_corrections_and_validations_are_not_the_file_that_was_expected(office: Office) -> None:
    expecting(office, "daily by 07:00", DAY)
    job = office.system.load(BAD, key="input/members/yesterday.csv")
    on(office, DAY - timedelta(hours=12))
    office.system.load(office.system.rejected_csv(job), key="input/members/mended.csv")
    office.system.load(members(3), key="input/members/try.csv", metadata={"dropload-validate-only": "true"})
    office.system.rows("update dropload.job set created_at = %s where created_at > %s", DAY, DAY)
    change(office, "members", notify=Tell.FAILURES)
    assert watch(office, DAY + timedelta(hours=7)) == 2


def test_the_sweep_watches_and_has_the_letters_sent(system: System) -> None:
    system.load(members(1))
    system.rows("update dropload.job set finished_at = now() - interval '1 day'")
    if datetime.now(UTC).hour < system.settings.digest_hour:
        system.rows("update dropload.job set finished_at = now() - interval '2 days'")
    assert system.container.sweep.run().letters == 1
    system.pump()
    assert system.rows("select kind, sent_at is not null from dropload.letter") == [("day", True)]
    assert system.container.sweep.run().letters == 0


def test_letters_are_forgotten_after_a_season_but_for_the_last_one_about_jobs(office: Office) -> None:
    office.system.load(BAD, key="input/members/1.csv")
    office.run(minutes=1)
    office.system.load(BAD, key="input/members/2.csv")
    office.run(minutes=30)
    on(office, DAY)
    watch(office, MORNING)
    office.run()
    watch(office, datetime.now(UTC) + timedelta(days=100))
    assert office.system.rows("select kind from dropload.letter") == [("jobs",)]
    assert office.run(days=101) == []  # what is forgotten was sent

"""Many failures, few mails; what is sent twice can be told, and what is refused for good holds up no other."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from chalicelib.errors import Terminal, Transient
from tests.office import Office
from tests.system import MEMBERS, System, member

BAD = (MEMBERS + member(1, account_id="x")).encode()


@pytest.fixture
def office(system: System) -> Iterator[Office]:
    office = Office(system)
    yield office
    office.system.container.database.close()


def notices(office: Office) -> list[tuple[str, bool]]:
    """(audience, sent) of every notice."""
    return office.system.rows("select audience, sent_at is not null from dropload.outbox order by number")


def test_first_failure_waits_for_a_quiet_moment_and_no_longer(office: Office) -> None:
    office.system.load(BAD)
    assert office.run() == []
    assert office.run(seconds=25) == []
    assert len(office.run(seconds=31)) == 1


def test_a_hundred_files_that_fail_at_once_are_one_mail(office: Office) -> None:
    for number in range(100):
        office.system.drop(f"input/members/{number}.csv", b"" if number % 2 else BAD)
    while len(office.system.container.views.jobs(limit=200)) < 100:
        office.system.pump()
    office.system.pump()
    assert office.run(seconds=31) == ["[dropload] members: 100 files: 50 failed, 50 of 50 records rejected"]
    [mail] = office.mailer.taken
    assert mail.to == ("members-owner@example.com",)
    assert mail.text.startswith("50 records rejected in 100 files, 1 cause. 50 files failed, 1 cause.\n")
    assert "50 x type-error in account_id, in 50 files: first on line 2 of " in mail.text
    assert f"s3://{office.system.settings.bucket}/error/members/job=.../" in mail.text
    assert mail.text.count("/#/jobs/") == 50
    assert "... and 50 more files" in mail.text
    assert office.run(days=1) == []
    assert notices(office) == [("owners", True)] * 100


def test_what_fails_later_is_gathered_until_the_window_has_passed(office: Office) -> None:
    office.system.load(BAD, key="input/members/1.csv")
    assert len(office.run(minutes=1)) == 1
    for number in range(2, 5):
        office.system.load(b"", key=f"input/members/{number}.csv")
        assert office.run(minutes=10) == []
    assert office.run(minutes=15) == []
    assert office.run(minutes=17) == ["[dropload] members: 3 files: 3 failed"]


def test_datasets_and_audiences_do_not_wait_for_each_other(office: Office) -> None:
    office.system.load(BAD)
    assert len(office.run(minutes=1)) == 1
    office.system.load(b"", key="input/products/file.csv")
    office.system.load(b"", key="input/nosuch/file.csv")
    assert sorted(office.run(minutes=2)) == [
        "[dropload] nosuch: file.csv failed",
        "[dropload] products: file.csv failed",
    ]


def test_one_message_a_letter_has_it_looked_at_when_it_is_due(office: Office) -> None:
    for number in range(5):
        office.system.load(BAD, key=f"input/members/{number}.csv")
    [delay] = office.queues.delays
    assert 0 < delay <= 30
    assert len(office.run(seconds=31)) == 1
    assert len(office.queues.delays) == 1


def test_letter_that_is_not_due_when_it_is_looked_at_is_looked_at_again(office: Office) -> None:
    office.system.load(BAD, key="input/members/1.csv")
    office.system.rows("update dropload.outbox set created_at = created_at + interval '20 seconds'")  # others came
    office.run(seconds=31)
    assert len(office.queues.delays) == 2
    assert len(office.run(seconds=51)) == 1


def test_notify_delivered_many_times_sends_one_mail(office: Office) -> None:
    office.system.load(BAD)
    assert [len(office.run(minutes=1)) for _ in range(5)] == [1, 0, 0, 0, 0]


def test_mail_that_was_sent_and_not_booked_goes_again_the_same(office: Office) -> None:
    class KilledError(BaseException):
        pass

    def kill(subject: str) -> None:
        raise KilledError

    office.system.load(BAD, key="input/members/1.csv")
    office.mailer.after = kill
    with pytest.raises(KilledError):
        office.run(minutes=1)
    office.mailer.after = lambda subject: None
    office.system.load(BAD, key="input/members/2.csv")  # joins no letter that may be out
    assert len(office.run(minutes=2)) == 1
    first, second = office.mailer.taken
    assert first == second
    assert office.run(minutes=20) == ["[dropload] members: 1 of 1 records rejected in 2.csv"]
    assert len({mail.message_id for mail in office.mailer.taken}) == 2


def test_mail_that_is_refused_for_good_is_given_up_and_holds_up_no_other(office: Office) -> None:
    def refuse(subject: str) -> None:
        if "members" in subject:
            raise Terminal("mail-refused", "sending mail: MessageRejected")

    office.mailer.before = refuse
    office.system.load(BAD)
    office.system.load(b"", key="input/products/file.csv")
    for days in range(1, 11):
        with pytest.raises(Transient):
            office.run(days=2 * days)
    assert office.run(days=100) == []
    assert [mail.subject for mail in office.mailer.taken] == ["[dropload] products: file.csv failed"]
    given_up = "select dataset, attempts from dropload.letter where given_up_at is not null"
    assert office.system.rows(given_up) == [("members", 10)]
    job = office.system.job("input/members/file.csv")
    assert not office.system.container.ledger.unsent(UUID(job["id"]))


def test_mail_that_was_given_up_does_not_rise_when_its_letter_is_forgotten(office: Office) -> None:
    def refuse(subject: str) -> None:
        raise Terminal("mail-refused", "sending mail: MessageRejected")

    office.mailer.before = refuse
    office.system.load(BAD)
    for days in range(1, 11):
        with pytest.raises(Transient):
            office.run(days=2 * days)
    office.mailer.before = lambda subject: None
    office.system.load(BAD, key="input/members/later.csv")
    assert office.run(days=100) == ["[dropload] members: 1 of 1 records rejected in later.csv"]
    assert office.system.container.post.forget(office.now) == 1
    assert office.run(days=200) == []
    assert office.system.rows("select job, letter from dropload.outbox where sent_at is null") == [(1, None)]


def test_mail_service_that_is_down_is_waited_for_however_long_it_takes(office: Office) -> None:
    def down(subject: str) -> None:
        raise Transient("aws-trouble", "sending mail: ServiceUnavailable")

    office.mailer.before = down
    office.system.load(BAD)
    for days in range(12):
        with pytest.raises(Transient):
            office.run(days=2 * days + 1)
    office.mailer.before = lambda subject: None
    assert len(office.run(days=30)) == 1


def test_two_senders_at_once_send_one_mail(office: Office) -> None:
    office.system.load(BAD)
    other = Office(office.system)
    office.mailer.before = other.mailer.before = lambda subject: time.sleep(0.3)
    with ThreadPoolExecutor(2) as pool:
        sent = list(pool.map(lambda each: each.run(minutes=1), [office, other]))
    assert sorted(map(len, sent)) == [0, 1]
    other.system.container.database.close()


def test_letter_whose_jobs_were_taken_up_again_is_not_sent(office: Office) -> None:
    def down(subject: str) -> None:
        raise Transient("aws-trouble", "sending mail: ServiceUnavailable")

    office.system.load(BAD)
    office.mailer.before = down
    with pytest.raises(Transient):
        office.run(minutes=1)
    office.system.rows("delete from dropload.outbox")  # as a redrive does
    office.mailer.before = lambda subject: None
    assert office.run(hours=1) == []
    assert office.system.rows("select sent_at is not null from dropload.letter") == [(True,)]


def test_message_that_is_held_back_comes_when_it_is_due(system: System) -> None:
    began = time.monotonic()
    system.container.queues.send_notify(1)
    assert list(system.receive(system.settings.notify_queue)) == []
    while not list(system.receive(system.settings.notify_queue)):
        assert time.monotonic() < began + 30
    assert time.monotonic() >= began + 1

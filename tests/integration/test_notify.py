"""Who is told, once, and what a mail that cannot be sent does to the others."""

from dataclasses import replace

import pytest

from chalicelib.adapters.aws import client
from chalicelib.bootstrap import Container
from chalicelib.errors import Transient
from tests.system import MEMBERS, System, forever, member, members

BAD = (MEMBERS + member(1, account_id="x")).encode()


def sent(system: System) -> list[tuple[str, bool]]:
    """(audience, sent) of every notice."""
    return system.rows("select audience, sent_at is not null from dropload.outbox order by number")


def attempts(system: System) -> list[tuple[bool, int]]:
    """(sent, attempts) of every letter."""
    return system.rows("select sent_at is not null, attempts from dropload.letter order by number")


def test_clean_job_tells_nobody(system: System) -> None:
    system.load(members(1))
    assert sent(system) == []


def test_job_with_rejections_tells_its_owners_once(system: System) -> None:
    system.load(BAD)
    system.container.notify.run(forever)
    assert sent(system) == [("owners", True)]


def test_unknown_dataset_has_no_owners_so_the_engineers_are_told(system: System) -> None:
    system.load(BAD, key="input/nosuch/file.csv")
    assert sent(system) == [("engineers", True)]


def test_file_whose_name_has_line_ends_is_told_of(system: System) -> None:
    job = system.load(b"", key="input/members/x\r\nBcc: someone@example.com\r\n.csv")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "empty-file")
    assert sent(system) == [("owners", True)]


def test_refused_mail_waits_and_holds_up_no_other(system: System) -> None:
    unverified = replace(system.settings, mail_from="nobody@unverified.example.com")
    broken = Container(unverified)
    system.split("input/members/file.csv", b"")
    with pytest.raises(Transient, match="1 of 1 notices"):
        broken.notify.run(forever)
    assert attempts(system) == [(False, 1)]
    assert sent(system) == [("owners", False)]
    assert broken.notify.run(forever) == 0  # not due yet
    client("ses").verify_email_identity(EmailAddress=unverified.mail_from)
    system.rows("update dropload.letter set due_at = now()")
    assert broken.notify.run(forever) == 1
    assert sent(system) == [("owners", True)]
    broken.database.close()

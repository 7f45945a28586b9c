"""Who is told, once, and what a mail that cannot be sent does to the others."""

from dataclasses import replace

import pytest

from chalicelib.adapters.aws import client
from chalicelib.bootstrap import Container
from chalicelib.errors import Transient
from tests.system import MEMBERS, System, forever, member, members

BAD = (MEMBERS + member(1, account_id="x")).encode()


def sent(system: System) -> list[tuple[str, bool, int]]:
    """(audience, sent, attempts) of every notice."""
    return system.rows("select audience, sent_at is not null, attempts from dropload.outbox order by number")


def test_clean_job_tells_nobody(system: System) -> None:
    system.load(members(1))
    assert sent(system) == []


def test_job_with_rejections_tells_its_owners_once(system: System) -> None:
    system.load(BAD)
    system.container.notify.run(forever)
    assert sent(system) == [("owners", True, 1)]


def test_unknown_dataset_has_no_owners_so_the_engineers_are_told(system: System) -> None:
    system.load(BAD, key="input/nosuch/file.csv")
    assert sent(system) == [("engineers", True, 1)]


def test_file_whose_name_has_line_ends_is_told_of(system: System) -> None:
    job = system.load(b"", key="input/members/x\r\nBcc: someone@example.com\r\n.csv")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "empty-file")
    assert sent(system) == [("owners", True, 1)]


def test_refused_mail_waits_and_holds_up_no_other(system: System) -> None:
    system.load(BAD)
    system.rows("update dropload.outbox set sent_at = null, attempts = 0")
    unverified = replace(system.settings, mail_from="nobody@unverified.example.com")
    broken = Container(unverified)
    with pytest.raises(Transient, match="1 of 1 notices"):
        broken.notify.run(forever)
    assert sent(system) == [("owners", False, 1)]
    assert broken.notify.run(forever) == 0  # not due yet
    client("ses").verify_email_identity(EmailAddress=unverified.mail_from)
    system.rows("update dropload.outbox set due_at = now()")
    assert broken.notify.run(forever) == 1
    broken.database.close()

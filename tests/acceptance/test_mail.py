"""Who is told what, and how often."""

from collections import Counter

import pytest

from tests.acceptance.doors import Doors, text_of
from tests.acceptance.files import HEADER, demo_file

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(("dataset", "owners_are_told"), [("members", True), ("nobodys", False)])
def test_one_email_tells_why_a_file_failed(doors: Doors, dataset: str, owners_are_told: bool) -> None:
    doors.told()
    job = doors.ended(doors.drop("refused.csv", b"", dataset))
    mail = doors.mail(job)
    assert job["state"] == "FAILED"
    assert "refused.csv" in mail["Subject"]
    assert job["reason"]["message"] in " ".join(text_of(mail).split())
    # A dataset that does not exist has no owners: our engineers are told.
    assert ("members-owner@example.com" in mail["To"]) is owners_are_told


def test_job_without_failures_sends_no_email_and_writes_no_error_file(doors: Doors) -> None:
    clean = doors.ended(doors.drop("clean_silence.csv", demo_file(370, 10).data))
    # Mails go out in the order in which jobs end: when a later job's is there, this one's would be.
    doors.mail(doors.ended(doors.drop("failed_later.csv", b"")))
    assert clean["state"] == "COMPLETED"
    assert doors.mails(clean) == []
    assert not doors.has(clean, "rejected.csv")
    assert doors.rejections(clean) == []


def test_files_that_fail_at_once_share_an_email_and_none_is_told_of_twice(doors: Doors) -> None:
    failed = [doors.drop(f"failed_{number}.csv", HEADER + b"too,few\n") for number in range(10)]
    jobs = [doors.ended(dropped) for dropped in failed]
    mails = {doors.mail(job)["X-Dropload-Notice"] for job in jobs}
    assert len(mails) < len(jobs)
    doors.told()
    for job in jobs:
        assert len(doors.mails(job)) == 1
    sent = Counter(mail["X-Dropload-Notice"] for mail in doors.all_mails())
    assert set(sent.values()) == {1}


def test_email_is_for_those_who_read_html_and_those_who_do_not(doors: Doors) -> None:
    doors.told()
    job = doors.ended(doors.drop("both.csv", HEADER + b"too,few\n"))
    mail = doors.mail(job)
    assert mail.get_content_type() == "multipart/alternative"
    page = mail.get_body(("html",))
    assert page is not None
    for part in (text_of(mail), page.get_content()):
        assert "1 record rejected, 1 cause." in part
        assert f"/v1/jobs/{job['id']}" in part
        assert "too,few" not in part


def test_file_name_cannot_smuggle_a_header_into_an_email(doors: Doors) -> None:
    # Without LF, which the emulator's IAM takes for no part of any name; test_notify has it.
    dropped = doors.drop("x\rBcc: someone@example.com\r.csv", b"")
    mail = doors.mail(doors.ended(dropped))
    doors.delete(
        dropped
    )  # which the emulator lists with another name, as XML does with CR, for the sweep to stumble on
    assert mail["Bcc"] is None
    assert "someone@example.com" not in mail["To"]

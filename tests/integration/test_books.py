"""``balanced`` is true because the ledger adds up, and false as soon as it does not."""

from dataclasses import replace

import pytest

from chalicelib.bootstrap import Container
from tests.system import MEMBERS, System, member, members

KEY = "input/members/file.csv"


@pytest.fixture
def loaded(system: System) -> System:
    """A file of several batches, with a rejected record, has been loaded."""
    settings = replace(system.settings, batch_bytes=100)
    small = System(settings, Container(settings))
    job = small.load((MEMBERS + "".join(map(member, range(1, 20))) + member(20, account_id="x")).encode())
    assert (job["state"], job["balanced"]) == ("COMPLETED_WITH_FAILURES", True)
    return small


@pytest.mark.parametrize(
    "wrong",
    [
        "update dropload.job set read = read + 1, inserted = inserted + 1",
        "update dropload.job set inserted = inserted - 1, updated = updated + 1",
        "update dropload.batch set ignored = ignored + 1, inserted = inserted - 1 where number = 2",
        "delete from dropload.batch where number = 0",
        "delete from dropload.batch where number = 2",
        "delete from dropload.batch where number = (select max(number) from dropload.batch)",
        "update dropload.batch set byte_end = byte_end - 1 where number = 2",
        "update dropload.batch set state = 'pending' where number = 2",
        "update dropload.job set size = size + 1",
        "update dropload.job set split_done = false",
    ],
)
def test_books_that_do_not_add_up_are_not_balanced(loaded: System, wrong: str) -> None:
    loaded.rows(wrong)
    assert loaded.job(KEY)["balanced"] is False


def test_books_are_not_balanced_before_all_batches_have_ended(system: System) -> None:
    bodies = system.split(KEY, members(1, 2))
    assert system.job(KEY)["balanced"] is False
    for body in bodies:
        system.container.intake.load(body)
    assert system.job(KEY)["balanced"] is True


def test_file_that_failed_before_its_header_has_nothing_and_balances(system: System) -> None:
    job = system.load(b"no,such,columns\n1,2,3\n")
    assert (job["state"], job["balanced"], any(job["counts"].values())) == ("FAILED", True, False)


def test_cancelled_batches_have_read_nothing(system: System) -> None:
    settings = replace(system.settings, batch_bytes=100)
    small = System(settings, Container(settings))
    bodies = small.split(KEY, members(*range(1, 20)))
    small.container.intake.load(bodies[1])
    small.rows("update dropload.job set state = 'CANCELLING'")
    for body in bodies:
        small.container.intake.load(body)
    job = small.job(KEY)
    assert (job["state"], job["balanced"]) == ("CANCELLED", True)
    assert 0 < job["counts"]["read"] < 19

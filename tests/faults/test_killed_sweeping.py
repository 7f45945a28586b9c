"""The sweep is killed between any two effects: the next one goes on, and nothing is begun, tried or loaded twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from chalicelib.adapters.aws import client
from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import STRIDE
from tests.system import System, forever, members

MISSED, FAILED, DEAD = "missed", "failed", "dead"


@pytest.fixture
def system(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """A bucket that announces nothing."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    system = System.create(database_url, max_attempts=9, visibility_seconds=1)
    bucket = system.settings.bucket
    client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    yield late(system)
    system.container.database.close()


def late(system: System) -> System:
    """The system, for whose sweep every object is old enough to have been missed."""
    system.container.missed._clock = lambda: datetime.now(UTC) + timedelta(minutes=2)
    return system


def sweep(system: System) -> None:
    system.container.sweep.run(forever)


def key_of(kind: str, round: int) -> str:
    return f"input/members/{round:04}-{kind}.csv"


def prepare(system: System, round: int) -> None:
    """An object that nobody announced, a job that is due to be tried again, and one whose worker has died."""
    for number, kind in enumerate((MISSED, FAILED, DEAD)):
        key = key_of(kind, round)
        system.drop(key, members(round * 10 + number), announced=False)
        if kind == MISSED:
            continue
        job = system.container.split.booked(system.container.objects.stat(key))
        assert job is not None
        system.container.split.resume(job.id, forever)
        if kind == FAILED:
            system.container.bury.batch(job.id, 0)
        else:
            system.container.ledger.begin(job.id, 0)
    client("sqs").purge_queue(QueueUrl=system.settings.batch_queue)
    make_old(system)


def make_old(system: System) -> None:
    system.rows("update dropload.job set retry_at = now() where retry_at is not null")
    system.rows("update dropload.job set created_at = created_at - interval '1 day', swept_at = null, sweeps = 0")
    system.rows(
        """update dropload.batch set created_at = created_at - interval '1 day',
           started_at = started_at - interval '1 day', finished_at = finished_at - interval '1 day'"""
    )


def test_killed_between_any_two_effects_the_next_sweep_goes_on(system: System) -> None:
    for contacts in count(1, 5 * STRIDE):  # in turns just before an effect and just after one
        prepare(system, contacts)
        died = work_and_die(system, contacts, late, task=sweep)
        make_old(system)
        sweep(system)
        system.pump()
        keys = [key_of(kind, contacts) for kind in (MISSED, FAILED, DEAD)]
        for number, key in enumerate(keys):
            [job] = system.container.views.jobs(key=key, limit=9)
            assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 1, True), (contacts, key)
            found = system.rows("select count(*) from members where client_member_id = %s", contacts * 10 + number)
            assert found == [(1,)]
        if not died:
            assert contacts > 30
            return

"""What stands still in the ledger is gone on with, whatever was lost; and nobody is asked twice without need."""

from datetime import timedelta
from uuid import UUID

import pytest

from chalicelib.adapters.aws import client
from chalicelib.core.claims import NO_FACTS
from chalicelib.errors import Terminal
from chalicelib.services.sweep import Swept
from tests.integration.test_delivery import small_batches
from tests.system import MEMBERS, System, member, members

KEY = "input/members/file.csv"


def split(system: System, data: bytes) -> UUID:
    """Drop a file and split it; the job. The messages of its batches are lost."""
    system.drop(KEY, data)
    while not system.deliver(system.settings.intake_queue):
        pass
    client("sqs").purge_queue(QueueUrl=system.settings.batch_queue)
    return UUID(system.job(KEY)["id"])


def pass_time(system: System, time: timedelta) -> None:
    """Make everything that has happened older."""
    system.rows("update dropload.job set created_at = created_at - %s, swept_at = swept_at - %s", time, time)
    system.rows(
        """update dropload.batch
           set created_at = created_at - %s, started_at = started_at - %s, finished_at = finished_at - %s""",
        *[time] * 3,
    )


def test_a_batch_of_a_dead_worker_is_loaded_by_another_though_its_job_has_news(system: System) -> None:
    system = small_batches(system)
    id = split(system, members(*range(1, 40)))
    assert system.container.ledger.begin(id, 0) is not None
    pass_time(system, timedelta(minutes=17))
    system.container.load.run(id, 1, lambda: 900.0)
    swept = system.container.sweep.run()
    assert (swept.taken_back, swept.stuck) == (1, 0)
    [(state,)] = system.rows("select state from dropload.batch where number = 0")
    assert state == "pending"
    assert len(system.deliver(system.settings.batch_queue)) == 1
    assert system.rows("select state, attempts from dropload.batch where number = 0") == [("succeeded", 2)]


def test_a_batch_in_a_workers_hands_is_not_taken_back(system: System) -> None:
    id = split(system, members(1))
    batch = system.container.ledger.begin(id, 0)
    assert batch is not None
    pass_time(system, timedelta(minutes=17))
    with system.container.ledger.loading(batch, NO_FACTS) as held:
        assert held is not None
        assert system.container.sweep.run().taken_back == 0
    assert system.container.sweep.run().taken_back == 1


def test_a_worker_that_is_late_does_not_load_what_was_taken_back_and_loaded(system: System) -> None:
    id = split(system, members(1))
    late = system.container.ledger.begin(id, 0)
    assert late is not None
    pass_time(system, timedelta(minutes=17))
    system.container.sweep.run()
    system.pump()
    with system.container.ledger.loading(late, NO_FACTS) as transaction:
        assert transaction is None
    assert system.job(KEY)["counts"]["inserted"] == 1


def test_a_batch_that_ends_every_worker_is_given_up_and_leaves_no_job_open(system: System) -> None:
    id = split(system, members(1))
    for _ in range(4):
        system.container.ledger.begin(id, 0)
        pass_time(system, timedelta(minutes=17))
        assert system.container.sweep.run().taken_back == 1
    system.container.ledger.begin(id, 0)
    pass_time(system, timedelta(minutes=17))
    assert system.container.sweep.run().given_up == 1
    job = system.job(KEY)
    assert (job["state"], job["reason"]["class"], job["balanced"]) == ("FAILED", "transient", True)


def test_a_split_that_was_lost_is_asked_for_again(system: System) -> None:
    system.drop(KEY, members(1))
    [stored] = system.announced()
    client("sqs").purge_queue(QueueUrl=system.settings.intake_queue)
    system.container.split.open(stored, validate_only=False)
    pass_time(system, timedelta(minutes=16))
    swept = system.container.sweep.run()
    assert (swept.stuck, swept.resumed, swept.resent) == (1, 1, 0)
    system.pump()
    assert system.job(KEY)["state"] == "COMPLETED"


def test_a_job_that_has_all_its_batches_and_no_finaliser_is_finished(system: System) -> None:
    id = split(system, MEMBERS.encode() + member(1, account_id="x").encode())
    finish = system.container.finalise.run
    system.container.finalise.run = lambda *_, **__: None  # type: ignore[method-assign]
    system.container.load.run(id, 0, lambda: 900.0)
    system.container.finalise.run = finish  # type: ignore[method-assign]
    assert system.container.sweep.run() == Swept(objects=1)
    pass_time(system, timedelta(minutes=2, seconds=1))
    swept = system.container.sweep.run()
    assert (swept.stuck, swept.finished) == (1, 1)
    job = system.job(KEY)
    assert (job["state"], job["balanced"]) == ("COMPLETED_WITH_FAILURES", True)
    assert system.rejected_csv(job)


def test_a_notice_whose_message_was_lost_is_sent(system: System) -> None:
    system.drop(KEY, MEMBERS.encode() + member(1, account_id="x").encode())
    while not system.deliver(system.settings.intake_queue):
        pass
    system.deliver(system.settings.batch_queue)
    client("sqs").purge_queue(QueueUrl=system.settings.notify_queue)
    assert system.container.sweep.run().notices == 1
    system.pump()
    assert system.rows("select sent_at is not null from dropload.outbox") == [(True,)]
    assert system.container.sweep.run().notices == 0


def test_a_job_without_news_is_asked_for_less_and_less_often(system: System) -> None:
    split(system, members(1))
    waits = []
    for _ in range(5):
        minutes = 0
        while not system.container.sweep.run().stuck:
            pass_time(system, timedelta(minutes=5))
            minutes += 5
        waits.append(minutes)
    assert waits == [15, 30, 60, 120, 240]


def test_a_job_with_news_is_asked_for_soon_again(system: System) -> None:
    system = small_batches(system)
    id = split(system, members(*range(1, 40)))
    for minutes in (16, 31, 61):
        pass_time(system, timedelta(minutes=minutes))
        assert system.container.sweep.run().stuck == 1
    system.container.load.run(id, 0, lambda: 900.0)
    pass_time(system, timedelta(minutes=16))
    assert system.container.sweep.run().stuck == 1


def test_more_jobs_than_are_swept_in_one_transaction_are_swept_in_one_run(system: System) -> None:
    system.rows(
        """insert into dropload.job (id, dataset, bucket, key, revision, etag, size, batch_bytes, created_at)
           select gen_random_uuid(), 'members', 'b', n::text, n::text, 'e', 1, 1, now() - interval '1 hour'
           from generate_series(1, 250) as n"""
    )
    swept = system.container.sweep.run()
    assert (swept.stuck, swept.resumed) == (250, 250)


@pytest.mark.parametrize(
    "body",
    [
        *("", "[]", "7", "null", '{"job": 7}', '{"Records": 7}', '{"Records": [{}]}', "[" * 100_000),
        '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]}',
        '{"source": "aws.s3", "detail-type": "Object Created", "detail": {"bucket": {"name": 7}, "object": 7}}',
        '{"job": "0193d2a4-0000-7000-8000-000000000000", "batch": 99999999999999999999}',
    ],
)
def test_a_message_that_is_none_of_ours_is_dropped_from_the_dead_letters(system: System, body: str) -> None:
    with pytest.raises(Terminal):
        system.container.intake.load(body)
    system.container.intake.bury_batch(body)
    system.container.intake.bury_split(body)
    system.container.intake.bury_export(body)
    assert system.container.views.jobs(limit=1) == []

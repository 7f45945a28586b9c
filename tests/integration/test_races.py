"""Two workers at the same step, and jobs in each other's way."""

import threading
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.sqs import SqsQueues
from chalicelib.bootstrap import Container
from chalicelib.core.containers import Found
from chalicelib.core.header import Layout
from chalicelib.core.states import JobState
from chalicelib.errors import Contended, Transient
from chalicelib.services.ports import Delivery, Job
from chalicelib.services.retries import Retries
from tests.system import MEMBERS, System, forever, member, members

KEY = "input/members/file.csv"


def open_job(system: System, key: str = KEY) -> Job:
    job = system.container.ledger.job(UUID(system.job(key)["id"]))
    assert job is not None
    return job


def test_two_splitters_at_the_header_cannot_both_begin(system: System) -> None:
    system.drop(KEY, members(1))
    [stored] = system.announced()
    seen = system.container.split.open(stored, validate_only=False)
    system.container.split.announced(stored, forever)
    with pytest.raises(Contended):
        system.container.ledger.start(seen, Layout(tuple(seen.columns or ("a",)), len(MEMBERS), 2), Found())
    system.pump()
    assert system.job(KEY)["balanced"] is True


def test_splitters_side_by_side_cut_the_file_once(system: System) -> None:
    settings = replace(system.settings, batch_bytes=300, chunk_bytes=700)
    system.drop(KEY, members(*range(1, 200)))
    bodies = [body for body, _ in system.receive(settings.intake_queue)]

    def split() -> None:
        worker = Container(settings)
        for body in bodies:
            with suppress(Transient):  # the other one has it; the queue would deliver again
                worker.intake.split(body, forever)
        worker.database.close()

    threads = [threading.Thread(target=split) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    split()
    system.pump()
    job = system.job(KEY)
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 199, True)


def test_job_that_cannot_be_helped_on_holds_up_no_other(system: System) -> None:
    system.drop(KEY, (MEMBERS + member(1, account_id="x")).encode())
    system.deliver(system.settings.intake_queue)
    for body, delete in system.receive(system.settings.batch_queue):
        system.handlers[system.settings.batch_queue](body)
        delete()
    system.drop("input/members/other.csv", members(2))
    system.deliver(system.settings.intake_queue)
    list(system.receive(system.settings.batch_queue))
    system.rows("update dropload.job set state = 'CANCELLED', finished_at = null where key = %s", KEY)
    system.rows("update dropload.job set created_at = now() - interval '1 day'")
    system.rows(
        "update dropload.batch set created_at = now() - interval '1 day', started_at = null, finished_at = null"
    )
    with pytest.raises(Transient, match="1 of 2 jobs"):
        system.container.sweep.run()
    system.pump()
    assert system.job("input/members/other.csv")["state"] == "COMPLETED"


def test_job_that_was_just_swept_is_left_in_peace(system: System) -> None:
    system.drop(KEY, members(1))
    system.deliver(system.settings.intake_queue)
    system.rows("update dropload.job set created_at = now() - interval '1 day'")
    system.rows("update dropload.batch set created_at = now() - interval '1 day'")
    assert [system.container.sweep.run().stuck for _ in range(2)] == [1, 0]


def test_late_announcement_in_the_dead_letters_does_no_harm(system: System) -> None:
    system.drop(KEY, members(1))
    bodies = [body for body, _ in system.receive(system.settings.intake_queue)]
    for body in bodies:
        system.container.intake.split(body, forever)
    for body in bodies:
        system.container.intake.bury_split(body)
    system.pump()
    assert system.job(KEY)["state"] == "COMPLETED"


def test_duplicate_of_a_job_that_we_failed_is_loaded_after_all(system: System) -> None:
    system.drop(KEY, members(1))
    system.drop(KEY, members(1))
    system.deliver(system.settings.intake_queue)
    first, second = system.container.views.jobs(key=KEY, limit=2)[::-1]
    assert (first["state"], second["state"]) == ("RUNNING", "DUPLICATE")
    for body, delete in system.receive(system.settings.batch_queue):
        system.container.intake.bury_batch(body)
        delete()
    system.rows("update dropload.job set created_at = now() - interval '1 day'")
    system.container.sweep.run()
    system.pump()
    first, second = system.container.views.jobs(key=KEY, limit=2)[::-1]
    assert (first["state"], second["state"]) == ("FAILED", "COMPLETED")
    assert system.rows("select count(*) from members") == [(1,)]


def test_job_cancelled_before_its_split_is_done_ends(system: System) -> None:
    system.drop(KEY, members(1))
    [stored] = system.announced()
    system.container.split.open(stored, validate_only=False)
    system.rows("update dropload.job set state = %s", JobState.CANCELLING)
    system.container.split.announced(stored, forever)
    assert system.job(KEY)["state"] == "CANCELLED"


def test_name_that_the_ledger_cannot_hold_is_a_failed_job(system: System) -> None:
    system.drop("input/members/a\0b.csv", members(1))
    system.pump()
    job = system.job("input/members/a\ufffdb.csv")
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "bad-name")


def test_job_of_a_removed_dataset_still_ends_with_its_error_file(system: System) -> None:
    system.drop(KEY, (MEMBERS + member(1, account_id="x")).encode())
    system.deliver(system.settings.intake_queue)
    later = Container(system.settings)
    del later.datasets["members"]
    for body, delete in system.receive(system.settings.batch_queue):
        system.container.ledger.begin(UUID(system.job(KEY)["id"]), 0)
        later.intake.bury_batch(body)
        delete()
    assert system.job(KEY)["state"] == "FAILED"
    later.database.close()


def test_broken_connection_costs_no_message(system: System) -> None:
    system.load(members(1))
    system.rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dropload'")
    pool = system.container.database._idle
    entries = [pool.get() for _ in range(pool.qsize())]
    for connection, _ in entries:
        pool.put((connection, 0.0))  # idle for long
    assert system.job(KEY)["state"] == "COMPLETED"


def test_messages_that_are_nobodys_are_dropped_from_the_dead_letters(system: System) -> None:
    for body in ("not json", "[]", '{"batch": 1}', '{"job": "x"}', '{"job": null, "batch": 0}'):
        system.container.intake.bury_batch(body)
        system.container.intake.bury_split(body)


def test_message_that_failed_comes_back_when_it_is_told_to(system: System) -> None:
    sqs, queue = client("sqs"), system.settings.batch_queue
    system.container.queues.send_batches(UUID(int=7), [0])
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    system.container.queues.hide(Delivery(arn, message["ReceiptHandle"], 1), 0)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1


def test_each_failure_puts_the_next_try_off_for_longer(system: System) -> None:
    waits: list[int] = []

    class Recorder(SqsQueues):
        def hide(self, delivery: Delivery, seconds: int) -> None:
            waits.append(seconds)

    retries = Retries(queues=Recorder(system.settings), chance=lambda: 0.0)
    for receives in range(1, 6):
        with pytest.raises(Transient), retries.of(Delivery("arn:x", "receipt", receives)):
            raise Transient("any", "trouble")
    assert waits == [30, 180, 1080, 5400, 5400]

"""Whatever is delivered twice, late, lost or by two workers at once: once in the table, once in the books."""

import json
import threading
from dataclasses import replace

from chalicelib.adapters.aws import client
from chalicelib.bootstrap import Container
from chalicelib.services.ports import Reason
from tests.system import MEMBERS, System, member, members


def small_batches(system: System) -> System:
    """The same system with batches of a few records."""
    settings = replace(system.settings, batch_bytes=100)
    return System(settings, Container(settings))


def test_every_message_delivered_three_times_loads_once(system: System) -> None:
    system = small_batches(system)
    data = members(*range(1, 40)) + member(50, account_id="x").encode()
    system.drop("input/members/file.csv", data)
    system.pump(times=3)
    job = system.job("input/members/file.csv")
    assert job["balanced"] is True
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (39, 1)
    assert system.rows("select count(*) from members") == [(39,)]
    assert system.rejected_csv(job).count(b"\n") == 2
    assert system.rows("select count(*) from dropload.outbox") == [(1,)]


def test_batches_in_reverse_order_give_the_same_table_and_books(system: System) -> None:
    system = small_batches(system)
    system.drop("input/members/file.csv", members(*range(1, 40)))
    system.deliver(system.settings.intake_queue)
    messages = list(system.receive(system.settings.batch_queue))
    for body, delete in reversed(messages):
        system.handlers[system.settings.batch_queue](body)
        delete()
    job = system.job("input/members/file.csv")
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 39, True)


def test_two_workers_with_all_the_same_messages_load_once(system: System) -> None:
    system = small_batches(system)
    data = MEMBERS + "".join(member(n) for n in range(1, 60)) + "".join(member(n) for n in range(1, 30))
    system.drop("input/members/file.csv", data.encode())
    system.deliver(system.settings.intake_queue)
    bodies = [body for body, _ in system.receive(system.settings.batch_queue)]
    errors: list[Exception] = []

    def work(order: list[str]) -> None:
        worker = Container(system.settings)
        try:
            for body in order:
                worker.intake.load(body)
        except Exception as error:
            errors.append(error)
        worker.database.close()

    threads = [threading.Thread(target=work, args=(order,)) for order in (bodies, bodies[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    job = system.job("input/members/file.csv")
    assert errors == []
    assert job["balanced"] is True
    assert (job["state"], job["counts"]["inserted"], job["counts"]["rejected"]) == ("COMPLETED_WITH_FAILURES", 59, 29)
    assert system.rows("select count(*), count(distinct client_member_id) from members") == [(59, 59)]


def test_message_of_a_forgotten_job_is_dropped(system: System) -> None:
    forgotten = "0193d2a4-0000-7000-8000-000000000000"
    system.handlers[system.settings.batch_queue](json.dumps({"job": forgotten, "batch": 0}))
    system.handlers[system.settings.intake_queue](json.dumps({"job": forgotten}))


def test_buried_batch_ends_its_job_as_failed_and_tells_the_engineers(system: System) -> None:
    system.drop("input/members/file.csv", members(1))
    system.deliver(system.settings.intake_queue)
    [(body, delete)] = system.receive(system.settings.batch_queue)
    delete()
    system.container.intake.bury_batch(body)
    job = system.job("input/members/file.csv")
    assert (job["state"], job["reason"]["class"], job["balanced"]) == ("FAILED", "transient", True)
    assert system.rows("select audience from dropload.outbox") == [("engineers",)]


def test_batch_buried_after_it_loaded_stays_loaded(system: System) -> None:
    job = system.load(members(1))
    system.container.intake.bury_batch(json.dumps({"job": job["id"], "batch": 0}))
    assert system.job("input/members/file.csv")["state"] == "COMPLETED"


def test_buried_announcement_becomes_a_failed_job(system: System) -> None:
    system.drop("input/members/file.csv", members(1))
    for body, delete in system.receive(system.settings.intake_queue):
        system.container.intake.bury_split(body)
        delete()
    assert system.job("input/members/file.csv")["state"] == "FAILED"


def test_sweep_sends_again_what_got_lost(system: System) -> None:
    system.drop("input/members/file.csv", members(1, 2))
    system.deliver(system.settings.intake_queue)
    client("sqs").purge_queue(QueueUrl=system.settings.batch_queue)
    system.rows("update dropload.job set created_at = now() - interval '1 day'")
    system.rows("update dropload.batch set created_at = now() - interval '1 day'")
    assert system.container.sweep.run().stuck == 1
    system.pump()
    assert system.job("input/members/file.csv")["state"] == "COMPLETED"


def test_cancelled_job_takes_no_more_batches_and_ends(system: System) -> None:
    system = small_batches(system)
    system.drop("input/members/file.csv", members(*range(1, 40)))
    system.deliver(system.settings.intake_queue)
    system.rows("update dropload.job set state = 'CANCELLING'")
    system.pump()
    job = system.job("input/members/file.csv")
    assert job["state"] == "CANCELLED"
    assert job["progress"]["batches"]["cancelled"] > 5


def test_split_handed_on_when_time_runs_short_covers_the_file(system: System) -> None:
    settings = replace(system.settings, batch_bytes=200, max_record_bytes=200, chunk_bytes=300)
    system = System(settings, Container(settings))
    system.drop("input/members/file.csv", members(*range(1, 100)))
    handed_on = 0
    while bodies := list(system.receive(settings.intake_queue)):
        for body, delete in bodies:
            system.container.intake.split(body, lambda: 1.0)  # a second left: one chunk, then the next invocation
            delete()
            handed_on += 1
    system.pump()
    job = system.job("input/members/file.csv")
    assert handed_on > 5
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 99, True)


def test_failure_of_ours_is_not_the_owners_business(system: System) -> None:
    system.drop("input/members/file.csv", MEMBERS.encode() + member(1, account_id="x").encode())
    system.deliver(system.settings.intake_queue)
    job = system.container.ledger.job(system.container.views.jobs(limit=1)[0]["id"])
    assert job is not None
    system.container.ledger.end_split(job, Reason("exhausted", "we could not", "transient"))
    system.pump()
    assert system.rows("select audience from dropload.outbox") == [("engineers",)]

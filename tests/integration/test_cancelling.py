"""A job that is called off ends within one batch, whatever it is at, and its books balance."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from uuid import UUID

import psycopg2
import pytest

from chalicelib.adapters.aws import client
from chalicelib.bootstrap import Container
from chalicelib.core.access import EVERYONE
from chalicelib.core.claims import NO_FACTS
from chalicelib.errors import RequestRefused, Transient
from chalicelib.services.redrive import What
from tests.policies import LINES, ROSTER, TALLIES, lines, with_policies
from tests.system import MEMBERS, System, forever, member, members
from tests.tables import workbook

KEY = "input/members/file.csv"
VALIDATE = {"dropload-validate-only": "true"}
ATOMIC = {
    "name": "whole",
    "schema": {"fields": [{"name": "code", "type": "integer"}], "primaryKey": "code"},
    "dropload": {"on_conflict": "reject", "atomic": True},
}
WAITING = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
LEFT_BEHIND = "select relname from pg_class where relname ~ '^(shadow|partial)_[0-9]+$'"


@pytest.fixture
def small(system: System) -> System:
    """Batches of a few records."""
    return with_policies(system, [ATOMIC, ROSTER, LINES, TALLIES], batch_bytes=200, max_record_bytes=200)


def id_of(system: System, key: str = KEY) -> UUID:
    return UUID(system.job(key)["id"])


def cancel(system: System, key: str = KEY) -> None:
    system.container.cancel.run(id_of(system, key))


def assert_cancelled(system: System, key: str = KEY) -> None:
    job = system.job(key)
    assert (job["state"], job["reason"], job["balanced"]) == ("CANCELLED", None, True)
    assert system.rows("select count(*) from dropload.cancellation") == [(0,)]
    assert system.rows(LEFT_BEHIND) == []
    assert system.rows("select count(*) from dropload.outbox") == [(0,)]


def test_before_it_is_split(small: System) -> None:
    small.drop(KEY, members(1, 2))
    [stored] = small.announced()
    small.container.split.open(stored, validate_only=False)
    cancel(small)
    assert small.job(KEY)["state"] == "CANCELLING"
    small.pump()
    assert_cancelled(small)
    small.container.split.announced(stored, forever)  # S3 says it again
    small.pump()
    assert_cancelled(small)
    assert small.rows("select count(*) from members") == [(0,)]


def test_amid_the_split(small: System) -> None:
    settings = replace(small.settings, chunk_bytes=300)
    hasty = System(settings, Container(settings))
    hasty.drop(KEY, members(*range(1, 100)))
    [stored] = hasty.announced()
    hasty.container.split.announced(stored, lambda: 1.0)  # cuts a chunk, and hands on
    cut = sum(hasty.job(KEY)["progress"]["batches"].values())
    cancel(hasty)
    hasty.pump()
    assert_cancelled(hasty)
    assert hasty.job(KEY)["progress"]["batches"]["cancelled"] == cut > 0
    hasty.container.database.close()


def test_while_somebody_cuts_nothing_is_cut_any_more(small: System) -> None:
    small.drop(KEY, members(*range(1, 100)))
    [stored] = small.announced()
    small.container.split.announced(stored, forever)
    whole = small.container.ledger.job(id_of(small))
    assert whole is not None
    small.rows("update dropload.job set split_done = false, batches = 1, split_offset = 300")
    small.rows("delete from dropload.batch where number > 0")
    job = small.container.ledger.job(whole.id)
    assert job is not None
    cancel(small)
    planned = small.container.ledger.plan(job, [], whole.split_offset, 9, done=True)
    assert (planned.split_done, planned.split_offset, planned.batches) == (True, 300, 1)


def test_amid_the_load_what_is_loaded_stays_and_what_was_rejected_is_told(small: System) -> None:
    bad = member(2, account_id="x")
    bodies = small.split(KEY, (MEMBERS + member(1) + bad + "".join(map(member, range(3, 40)))).encode())
    small.container.intake.load(bodies[0])
    cancel(small)
    small.pump()
    assert_cancelled(small)
    job = small.job(KEY)
    assert job["counts"]["rejected"] == 1
    assert job["progress"]["batches"] == {
        "pending": 0, "running": 0, "succeeded": 1, "failed": 0, "cancelled": len(bodies) - 1
    }  # fmt: skip
    assert small.rows("select count(*) from members") == [(job["counts"]["inserted"],)]
    assert bad.encode() in small.rejected_csv(job)
    assert b'"CANCELLED"' in small.file(f"error/members/job={job['id']}/manifest.json")
    for body in bodies:
        small.container.intake.load(body)  # redelivered
    assert small.job(KEY) == job


def test_the_batch_under_way_is_not_placed_when_it_has_only_been_read(small: System) -> None:
    bodies = small.split(KEY, members(*range(1, 20)))
    batch = small.container.ledger.begin(id_of(small), 0)
    assert batch is not None
    cancel(small)
    with small.container.ledger.loading(batch, NO_FACTS) as transaction:
        assert transaction is None
    small.pump()
    assert_cancelled(small)
    assert small.job(KEY)["progress"]["batches"]["cancelled"] == len(bodies)


def test_the_batch_of_a_dead_worker_is_cancelled_when_it_is_redelivered(small: System) -> None:
    bodies = small.split(KEY, members(*range(1, 20)))
    small.container.ledger.begin(id_of(small), 1)
    cancel(small)
    small.pump()
    assert small.job(KEY)["state"] == "CANCELLING"  # somebody may be at work on it yet
    small.container.intake.load(bodies[1])
    assert_cancelled(small)


def test_a_workbook_before_it_is_converted(small: System) -> None:
    key = "input/whole/a.xlsx"
    small.drop(key, workbook([["code"], *([n] for n in range(50))]))
    small.deliver(small.settings.intake_queue)
    cancel(small, key)
    small.pump()
    assert_cancelled(small, key)


def test_sums_that_have_gathered_are_not_added(small: System) -> None:
    key = "input/tallies/a.csv"
    bodies = small.split(key, lines("item,day,sold,paid", [("x", "2026-01-01", n, 1) for n in range(60)]))
    small.container.intake.load(bodies[0])
    cancel(small, key)
    small.pump()
    assert_cancelled(small, key)
    counts = small.job(key)["counts"]
    assert counts["ignored"] == counts["read"] > 0
    assert small.rows("select count(*) from tallies") == [(0,)]


@pytest.mark.parametrize("dataset", ["roster", "lines"])
def test_what_would_replace_the_table_leaves_it_as_it_was(small: System, dataset: str) -> None:
    header = "code,tag,size" if dataset == "roster" else "what,size"
    before = [(1, "old", 1)] if dataset == "roster" else [("old", 1)]
    small.load(lines(header, before), key=f"input/{dataset}/old.csv")
    key = f"input/{dataset}/new.csv"
    rows = [(n, f"t{n}", n) if dataset == "roster" else (f"t{n}", n) for n in range(60)]
    bodies = small.split(key, lines(header, rows))
    small.container.intake.load(bodies[0])
    cancel(small, key)
    small.pump()
    assert_cancelled(small, key)
    assert small.rows(f"select {header} from {dataset}") == before


@pytest.mark.parametrize("how", ["atomic", "validation"])
def test_what_was_only_checked_is_booked_as_ignored(small: System, how: str) -> None:
    key = "input/whole/a.csv" if how == "atomic" else KEY
    data = b"code\n" + b"".join(b"%d\n" % n for n in range(300)) if how == "atomic" else members(*range(1, 40))
    bodies = small.split(key, data, None if how == "atomic" else VALIDATE)
    for body in bodies[:-1]:
        small.container.intake.load(body)
    cancel(small, key)
    small.pump()
    assert_cancelled(small, key)
    counts = small.job(key)["counts"]
    assert counts["ignored"] == counts["read"] > 0
    assert small.rows(f"select count(*) from {key.split('/')[1]}") == [(0,)]


@contextmanager
def nobody_writes(system: System, table: str) -> Iterator[None]:
    """The table is locked against writers: whoever wants to write waits, in its transaction."""
    with closing(psycopg2.connect(system.database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"lock table {table} in share mode")
        yield
        connection.rollback()


def wait_for(system: System, condition: str) -> None:
    deadline = time.monotonic() + 20
    while system.rows(condition) == [(0,)]:
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("key", "data", "metadata"),
    [
        ("input/whole/a.csv", b"code\n" + b"".join(b"%d\n" % n for n in range(300)), None),
        (KEY, members(*range(1, 40)), VALIDATE),
        ("input/tallies/a.csv", lines("item,day,sold,paid", [("x", "2026-01-01", n, 1) for n in range(60)]), None),
    ],
)
def test_while_it_is_being_finalised_all_is_taken_back(
    small: System, key: str, data: bytes, metadata: dict[str, str] | None
) -> None:
    """The finaliser holds the job's row: it is told all the same, and who asks does not wait for it."""
    table = key.split("/")[1]
    bodies = small.split(key, data, metadata)
    id = id_of(small, key)
    worker = Container(small.settings)
    worker.datasets.update(small.container.datasets)

    def load() -> None:
        for body in bodies:
            worker.intake.load(body, forever)

    with nobody_writes(small, table):
        thread = threading.Thread(target=load)
        thread.start()
        wait_for(small, "select count(*) from pg_locks where not granted")
        assert all(n == 0 for state, n in small.job(key)["progress"]["batches"].items() if state != "succeeded")
        began = time.monotonic()
        small.container.cancel.run(id)
        assert time.monotonic() - began < 10
    thread.join()
    small.pump()
    assert_cancelled(small, key)
    counts = small.job(key)["counts"]
    assert counts["ignored"] == counts["read"] > 0
    assert small.rows(f"select count(*) from {table}") == [(0,)]
    worker.database.close()


def test_twice_is_as_good_as_once(small: System) -> None:
    small.split(KEY, members(*range(1, 20)))
    cancel(small)
    cancel(small)
    small.pump()
    assert_cancelled(small)
    job = small.job(KEY)
    cancel(small)
    small.pump()
    assert small.job(KEY) == job


def test_what_would_be_tried_again_is_not(system: System) -> None:
    datasets = system.container.datasets
    datasets["members"] = replace(datasets["members"], max_attempts=3)
    system.drop(KEY, members(1))
    system.deliver(system.settings.intake_queue)
    for body, delete in system.receive(system.settings.batch_queue):
        system.container.intake.bury_batch(body)
        delete()
    assert system.job(KEY)["retry_at"]
    for _ in range(2):
        cancel(system)
        job = system.job(KEY)
        assert (job["state"], job["reason"]["code"], job["retry_at"]) == ("FAILED", "called-off", None)
    system.container.redrive.run(id_of(system), What.FAILED)
    system.pump()
    assert system.job(KEY)["state"] == "COMPLETED"


def test_what_has_ended_otherwise_is_a_conflict(small: System) -> None:
    small.load(members(1))
    with pytest.raises(RequestRefused) as refused:
        cancel(small)
    assert (refused.value.status, refused.value.code) == (409, "ended")
    with pytest.raises(RequestRefused) as unknown:
        small.container.cancel.run(UUID(int=7))
    assert unknown.value.status == 404
    assert small.rows("select count(*) from dropload.cancellation") == [(0,)]


def test_what_ends_while_it_is_called_off_leaves_nothing_asked_for(small: System) -> None:
    small.split(KEY, members(*range(1, 60)))
    id = id_of(small)
    refused: list[RequestRefused] = []

    def call_off() -> None:
        try:
            small.container.cancel.run(id)
        except RequestRefused as late:
            refused.append(late)

    caller = threading.Thread(target=call_off)
    with closing(psycopg2.connect(small.database_url)) as other, other.cursor() as cursor:
        cursor.execute("select from dropload.job for no key update")
        caller.start()
        while not small.rows(WAITING):
            time.sleep(0.01)
        cursor.execute("update dropload.job set state = 'COMPLETED', finished_at = now()")
        other.commit()
    caller.join()
    assert [late.code for late in refused] == ["ended"]
    assert small.rows("select count(*) from dropload.cancellation") == [(0,)]


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.15, 0.4])
def test_racing_with_loaders_it_ends_one_way_or_the_other_and_balances(small: System, pause: float) -> None:
    bodies = small.split(KEY, members(*range(1, 60)))
    id = id_of(small)
    refused: list[RequestRefused] = []

    def load(share: list[str]) -> None:
        worker = Container(small.settings)
        for body in share:
            with suppress(Transient):
                worker.intake.load(body, forever)
        worker.database.close()

    def call_off() -> None:
        worker = Container(small.settings)
        time.sleep(pause)
        try:
            worker.cancel.run(id)
        except RequestRefused as late:
            refused.append(late)
        worker.database.close()

    threads = [threading.Thread(target=load, args=(bodies[n::2],)) for n in range(2)]
    threads += [threading.Thread(target=call_off) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    small.pump()
    for body in bodies:
        small.container.intake.load(body)
    job = small.job(KEY)
    assert job["balanced"] is True
    assert job["state"] == "CANCELLED" or (job["state"] == "COMPLETED" and refused)
    assert small.rows("select count(*) from members") == [(job["counts"]["inserted"],)]
    assert small.rows("select count(*) from dropload.cancellation") == [(0,)]


def test_the_sweep_ends_it_when_every_message_is_lost(small: System) -> None:
    small.split(KEY, members(*range(1, 20)))
    cancel(small)
    client("sqs").purge_queue(QueueUrl=small.settings.batch_queue)
    small.rows("update dropload.job set created_at = now() - interval '1 day'")
    small.rows(
        "update dropload.batch set created_at = now() - interval '1 day', started_at = null,"
        " finished_at = now() - interval '1 day'"
    )
    small.container.sweep.run()
    assert_cancelled(small)


def drop_twice(system: System) -> Callable[[], list[str]]:
    """Two objects of the same bytes and name; what says their jobs' states, the first one first."""
    system.drop(KEY, members(*range(1, 20)))
    system.drop(KEY, members(*range(1, 20)))
    while len(system.container.views.jobs(key=KEY, limit=3)) < 2:
        system.deliver(system.settings.intake_queue)
    return lambda: [job["state"] for job in system.container.views.jobs(key=KEY, limit=3)][::-1]


def test_a_duplicate_of_it_is_loaded_when_it_has_loaded_nothing(small: System) -> None:
    states = drop_twice(small)
    first = small.container.views.jobs(key=KEY, limit=2)[1]
    small.container.cancel.run(UUID(first["id"]))
    small.pump()
    assert states() == ["CANCELLED", "PENDING"]
    small.rows("update dropload.job set created_at = now() - interval '1 day'")
    small.container.sweep.run()
    small.pump()
    assert states() == ["CANCELLED", "COMPLETED"]


def test_a_duplicate_of_it_stays_one_when_it_has_loaded_something(small: System) -> None:
    states = drop_twice(small)
    first = small.container.views.jobs(key=KEY, limit=2)[1]
    small.container.load.run(UUID(first["id"]), 0, forever)
    small.container.cancel.run(UUID(first["id"]))
    small.pump()
    assert states() == ["CANCELLED", "DUPLICATE"]
    assert small.load(members(*range(1, 20)))["state"] == "COMPLETED_WITH_FAILURES"  # dropped again, it loads


def test_rejected_records_of_a_cancelled_job_are_redriven_once(small: System) -> None:
    bodies = small.split(KEY, (MEMBERS + member(1, account_id="x") + "".join(map(member, range(2, 30)))).encode())
    small.container.intake.load(bodies[0])
    cancel(small)
    small.pump()
    job = small.job(KEY)
    small.rows("update dropload.rejection set raw = convert_to(%s, 'UTF8')", member(1).rstrip())
    child = small.container.redrive.run(UUID(job["id"]))
    small.pump()
    assert small.container.jobs.get(EVERYONE, child)["counts"]["inserted"] == 1
    assert small.job(KEY)["resolved"] == 1

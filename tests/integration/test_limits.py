"""Too many rejected records stop a job early: in its books everything that was read, and nothing after that."""

import json
import threading
from typing import Any

import pytest

from tests.policies import EVENTS, lines, with_policies
from tests.system import System, forever, load_at_once

KEY = "input/events/file.csv"


def limited(system: System, *, batch_bytes: int = 60, **settings: Any) -> System:
    """Events with these limits, in batches of about ten records."""
    events = {**EVENTS, "dropload": {"on_conflict": "append", **settings}}
    return with_policies(system, [events], batch_bytes=batch_bytes)


def events(records: int, bad: int, first_bad: int = 0) -> bytes:
    """A file of which ``bad`` records in a row, from ``first_bad`` on, are rejected."""
    return lines("what,size", [("a", "x" if first_bad <= n < first_bad + bad else n) for n in range(records)])


def add_up(job: dict[str, Any]) -> None:
    counts = job["counts"]
    assert job["balanced"] is True
    assert counts["read"] == counts["inserted"] + counts["rejected"]


@pytest.mark.parametrize("times", [1, 3])
def test_job_stops_at_one_error_too_many(system: System, times: int) -> None:
    system = limited(system, max_errors=20, owners=["owner@example.com"])
    system.drop(KEY, events(500, bad=500))
    system.pump(times)
    job = system.job(KEY)
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "too-many-errors", "file")
    assert "at most 20 (max_errors)" in job["reason"]["message"]
    assert 20 < job["counts"]["rejected"] < 60
    add_up(job)
    batches = job["progress"]["batches"]
    assert batches["pending"] == batches["running"] == batches["failed"] == 0
    assert batches["cancelled"] > 20
    assert system.rejected_csv(job).count(b"\n") == 1 + job["counts"]["rejected"]
    assert system.rows("select audience, sent_at is not null from dropload.outbox") == [("owners", True)]


def test_exactly_as_many_errors_as_a_dataset_takes_are_fine(system: System) -> None:
    system = limited(system, max_errors=20)
    job = system.load(events(200, bad=20, first_bad=50), key=KEY)
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED_WITH_FAILURES", 180)
    add_up(job)


def test_what_was_loaded_before_a_job_stopped_stays_loaded(system: System) -> None:
    system = limited(system, max_errors=0)
    messages = system.split(KEY, events(200, bad=1, first_bad=199))
    for body in messages:
        system.container.intake.load(body)
    job = system.job(KEY)
    assert (job["state"], job["counts"]["rejected"]) == ("FAILED", 1)
    assert job["counts"]["inserted"] == 199
    assert system.rows("select count(*) from events") == [(199,)]
    add_up(job)


def test_rate_counts_from_a_thousand_records_on(system: System) -> None:
    system = limited(system, max_error_rate=0.5, batch_bytes=1500)
    job = system.load(events(5000, bad=3000), key=KEY)
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "too-many-errors")
    assert "share of 0.5 (max_error_rate)" in job["reason"]["message"]
    assert 1000 <= job["counts"]["read"] < 3000
    add_up(job)


@pytest.mark.parametrize(("bad", "state"), [(10, "COMPLETED_WITH_FAILURES"), (11, "FAILED")])
def test_rate_of_a_whole_file_counts_however_short_it_is(system: System, bad: int, state: str) -> None:
    system = limited(system, max_error_rate=0.1)
    job = system.load(events(100, bad=bad), key=KEY)
    assert (job["state"], job["counts"]["read"]) == (state, 100)
    assert (job["reason"] or {}).get("code") == (None if state != "FAILED" else "too-many-errors")
    add_up(job)


def test_no_batch_begins_after_the_job_was_stopped_though_its_message_comes(system: System) -> None:
    system = limited(system, max_errors=0)
    messages = system.split(KEY, events(200, bad=200))
    for body in messages * 2:
        system.container.intake.load(body)
    job = system.job(KEY)
    assert job["progress"]["batches"]["succeeded"] == 1
    assert job["progress"]["batches"]["cancelled"] == len(messages) - 1
    add_up(job)


def test_worker_that_died_in_a_batch_does_not_keep_a_stopped_job_open(system: System) -> None:
    system = limited(system, max_errors=0)
    messages = system.split(KEY, events(200, bad=200))
    job = system.container.ledger.job(system.container.views.jobs(key=KEY)[0]["id"])
    assert job is not None
    assert system.container.ledger.begin(job.id, 7) is not None
    for body in messages:
        if json.loads(body)["batch"] != 7:
            system.container.intake.load(body)
    assert system.job(KEY)["state"] == "RUNNING"
    for body in messages:
        system.container.intake.load(body)
    ended = system.job(KEY)
    assert (ended["state"], ended["progress"]["batches"]["cancelled"]) == ("FAILED", len(messages) - 1)
    add_up(ended)


def test_splitter_stops_when_its_job_was_stopped(system: System) -> None:
    system = limited(system, max_errors=0)
    small = with_policies(system, [EVENTS], batch_bytes=60, max_record_bytes=100, chunk_bytes=200)
    system.drop(KEY, events(500, bad=500))
    [stored] = system.announced()
    small.container.split.announced(stored, lambda: 1.0)  # a second left: one chunk, then the next invocation
    [(body, _), *_] = system.receive(system.settings.batch_queue)
    plan = small.container.ledger.plan
    ahead = threading.Event()

    def stopped_meanwhile(*args: Any, **kwargs: Any) -> Any:
        if not ahead.is_set():
            ahead.set()
            system.container.intake.load(body)
        return plan(*args, **kwargs)

    small.container.ledger.plan = stopped_meanwhile  # type: ignore[method-assign]
    for resumed, _ in system.receive(system.settings.intake_queue):
        small.container.intake.split(resumed, forever)
    job = system.job(KEY)
    assert ahead.is_set()
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "too-many-errors")
    assert job["progress"]["batches"]["succeeded"] == 1
    add_up(job)


def test_workers_side_by_side_stop_a_job_once(system: System) -> None:
    system = limited(system, max_errors=30)
    bodies = system.split(KEY, events(1000, bad=1000))
    orders = (bodies, bodies[::-1], bodies[50:] + bodies[:50])
    errors = load_at_once(lambda: limited(system, max_errors=30), orders)
    assert errors == []
    job = system.job(KEY)
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "too-many-errors")
    assert 30 < job["counts"]["rejected"] <= 30 + 3 * 15
    add_up(job)

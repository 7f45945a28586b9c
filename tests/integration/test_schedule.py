"""Jobs that failed for a passing reason are tried again by the schedule, and jobs wait for their load windows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chalicelib.adapters.aws import client
from chalicelib.bootstrap import Container
from chalicelib.core.window import Window
from chalicelib.errors import RequestRefused, Transient
from chalicelib.services.ports import StoredObject
from tests.integration.test_delivery import small_batches
from tests.system import MEMBERS, System, member, members

KEY = "input/members/file.csv"


def patient(system: System, most: int = 3, **changes: Any) -> System:
    settings = replace(system.settings, max_attempts=most)
    made = System(settings, Container(settings))
    datasets = made.container.datasets
    datasets["members"] = replace(datasets["members"], **changes)
    return made


def give_up_batches(system: System, first: int = 0) -> None:
    """Let the queue give up the job's batches from this one on; the others are loaded."""
    for number, (body, delete) in enumerate(sorted(system.receive(system.settings.batch_queue))):
        delete()
        (system.container.intake.bury_batch if number >= first else system.container.intake.load)(body)


def fail(
    system: System, data: bytes = b"", *, key: str = KEY, metadata: Mapping[str, str] | None = None, first: int = 0
) -> dict[str, Any]:
    """Drop a file whose batches from ``first`` on are given up; its job."""
    system.drop(key, data or members(1, 2), metadata)
    while not system.deliver(system.settings.intake_queue):
        pass
    give_up_batches(system, first)
    return system.job(key)


def pass_time(system: System, minutes: float) -> None:
    system.rows("update dropload.job set retry_at = retry_at - %s", timedelta(minutes=minutes))


def waits(job: Mapping[str, Any]) -> float:
    """Minutes from a job's end until it is tried again."""
    ended, again = (datetime.fromisoformat(job[name]) for name in ("finished_at", "retry_at"))
    return (again - ended).total_seconds() / 60


def test_a_job_is_tried_again_with_backoff_and_engineers_are_told_once_it_is_exhausted(system: System) -> None:
    system = patient(system)
    job = fail(system)
    for attempt, minutes in ((1, 5), (2, 10)):
        assert (job["state"], job["reason"]["code"], job["attempts"]) == ("FAILED", "retrying", attempt)
        assert job["reason"]["message"].startswith(f"we could not load this; attempt {attempt} of 3")
        assert round(waits(job), 1) == minutes
        assert system.container.sweep.run().retried == 0
        pass_time(system, minutes)
        assert system.container.sweep.run().retried == 1
        assert system.job(KEY)["state"] == "RUNNING"
        give_up_batches(system)
        job = system.job(KEY)
    assert (job["state"], job["reason"]["class"], job["attempts"], job["retry_at"]) == ("FAILED", "transient", 3, None)
    assert job["reason"]["message"].startswith("transient, exhausted after 3 attempts")
    assert system.rows("select audience from dropload.outbox") == [("engineers",)]
    pass_time(system, 10_000)
    assert system.container.sweep.run().retried == 0
    assert job["balanced"] is True


def test_what_has_passed_is_loaded_and_nobody_hears_of_it(system: System) -> None:
    system = patient(small_batches(system))
    small = replace(system.settings, batch_bytes=100)
    system = System(small, Container(small))
    job = fail(system, members(*range(1, 40)), first=3)
    assert 0 < job["counts"]["inserted"] < 39
    pass_time(system, 5)
    system.container.sweep.run()
    system.pump()
    job = system.job(KEY)
    assert (job["state"], job["counts"]["inserted"], job["attempts"], job["balanced"]) == ("COMPLETED", 39, 1, True)
    assert system.rows("select count(*), count(distinct client_member_id) from members") == [(39, 39)]
    assert system.rows("select count(*) from dropload.outbox") == [(0,)]


@pytest.mark.parametrize("first", [0, 2])
def test_a_file_that_is_loaded_whole_or_not_at_all_begins_again_from_its_start(system: System, first: int) -> None:
    system = patient(system, atomic=True)
    small = replace(system.settings, batch_bytes=100)
    datasets = system.container.datasets
    system = System(small, Container(small))
    system.container.datasets.update(datasets)
    job = fail(system, members(*range(1, 40)), first=first)
    assert (job["reason"]["code"], job["counts"]["inserted"]) == ("retrying", 0)
    pass_time(system, 5)
    assert system.container.sweep.run().retried == 1
    assert (system.job(KEY)["state"], system.job(KEY)["counts"]["read"]) == ("PENDING", 0)
    system.pump()
    job = system.job(KEY)
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 39, True)
    assert system.rows("select count(*) from members") == [(39,)]


def test_a_file_that_was_never_split_is_split(system: System) -> None:
    system = patient(system)
    system.drop(KEY, members(1, 2))
    for body, delete in system.receive(system.settings.intake_queue):
        system.container.intake.bury_split(body)
        delete()
    assert system.job(KEY)["reason"]["code"] == "retrying"
    pass_time(system, 5)
    system.container.sweep.run()
    system.pump()
    assert (system.job(KEY)["state"], system.job(KEY)["counts"]["inserted"]) == ("COMPLETED", 2)


@pytest.mark.parametrize("asked", ["true", "false"])
def test_a_file_that_could_not_be_asked_what_it_is_for_is_asked_before_it_is_tried_again(
    system: System, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = patient(system)
    metadata = {"dropload-validate-only": asked, "dropload-max-attempts": "7"}
    system.drop(KEY, members(1, 2), metadata)
    with monkeypatch.context() as broken:

        def deaf(_: StoredObject) -> dict[str, str]:
            raise Transient("aws-trouble", "reading the file: AccessDenied")

        broken.setattr(system.container.objects, "metadata", deaf)
        for body, delete in system.receive(system.settings.intake_queue):
            system.container.intake.bury_split(body)
            delete()
    assert system.job(KEY)["state"] == "FAILED"
    pass_time(system, 5)
    system.container.sweep.run()
    system.pump()
    job = system.job(KEY)
    assert (job["state"], job["validate_only"]) == ("COMPLETED", asked == "true")
    assert system.rows("select count(*) from members") == [(0 if asked == "true" else 2,)]
    assert system.rows("select max_attempts from dropload.job") == [(7,)]


def test_same_bytes_that_are_dropped_while_a_job_waits_are_its_duplicate(system: System) -> None:
    system = patient(system)
    fail(system)
    assert system.load(members(1, 2), key=KEY)["state"] == "DUPLICATE"
    pass_time(system, 5)
    system.container.sweep.run()
    system.pump()
    assert [job["state"] for job in system.container.views.jobs(key=KEY, limit=9)] == ["DUPLICATE", "COMPLETED"]
    assert system.rows("select count(*) from members") == [(2,)]


def test_a_duplicate_is_loaded_once_its_original_is_exhausted(system: System) -> None:
    system = patient(system, most=2)
    fail(system)
    system.load(members(1, 2), key=KEY)
    pass_time(system, 5)
    system.container.sweep.run()
    give_up_batches(system)
    assert [job["state"] for job in system.container.views.jobs(key=KEY, limit=9)] == ["PENDING", "FAILED"]


def test_the_descriptor_says_how_often_and_the_uploader_has_the_last_word(system: System) -> None:
    system = patient(system, most=1, max_attempts=2)
    assert fail(system, members(1), key="input/members/a.csv")["reason"]["code"] == "retrying"
    wanted = {"dropload-max-attempts": "1"}
    assert fail(system, members(2), key="input/members/b.csv", metadata=wanted)["reason"]["code"] == "exhausted"
    before = {"dropload-attempts": "4", "dropload-max-attempts": "5"}
    job = fail(system, members(3), key="input/members/c.csv", metadata=before)
    assert (job["reason"]["code"], job["attempts"]) == ("exhausted", 5)


def test_a_limit_that_is_none_is_refused(system: System) -> None:
    job = system.load(members(1), key=KEY, metadata={"dropload-max-attempts": "a lot"})
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "bad-metadata", "file")
    assert system.rows("select count(*) from members") == [(0,)]


def test_attempts_and_limit_travel_with_what_is_written_of_a_job(system: System) -> None:
    system = patient(system)
    wanted = {"dropload-max-attempts": "9"}
    data = (MEMBERS + member(1) + member(2, account_id="x")).encode()
    fail(system, data, metadata=wanted)
    pass_time(system, 5)
    system.container.sweep.run()
    system.pump()
    job = system.job(KEY)
    assert job["state"] == "COMPLETED_WITH_FAILURES"
    child = system.container.redrive.run(UUID(job["id"]))
    written = [
        f"error/members/job={job['id']}/rejected.csv",
        f"error/members/job={job['id']}/manifest.json",
        f"input/members/redrive/job={job['id']}/1-rejected.csv",
    ]
    for key in written:
        head = client("s3").head_object(Bucket=system.settings.bucket, Key=key)
        assert head["Metadata"] == {"dropload-attempts": "1", "dropload-max-attempts": "9"}, key
    assert system.rows("select attempts, max_attempts from dropload.job where id = %s", child) == [(1, 9)]


def test_a_job_that_cannot_be_tried_again_is_given_up_and_engineers_are_told(system: System) -> None:
    system = patient(system)
    fail(system)
    pass_time(system, 5)
    del system.container.datasets["members"]
    swept = system.container.sweep.run()
    assert (swept.retried, swept.exhausted) == (0, 1)
    job = system.job(KEY)
    assert (job["state"], job["reason"]["code"], job["retry_at"]) == ("FAILED", "exhausted", None)
    assert "its dataset is gone" in job["reason"]["message"]
    assert system.rows("select audience from dropload.outbox") == [("engineers",)]
    assert system.container.sweep.run().exhausted == 0


def window(minutes: int) -> Window:
    """One that opens in so many minutes, for two hours."""
    start = datetime.now(UTC) + timedelta(minutes=minutes)
    first = start.hour * 60 + start.minute
    return Window(first, (first + 120) % 1440, "UTC")


def at(system: System, minutes: int) -> System:
    """The system, that many minutes later by its own clock."""
    later = System(system.settings, Container(system.settings))
    later.container.datasets.update(system.container.datasets)
    for service in (later.container.split, later.container.schedule):
        service._clock = lambda: datetime.now(UTC) + timedelta(minutes=minutes)
    return later


def test_a_file_waits_for_its_window_and_begins_when_it_opens(system: System) -> None:
    system = patient(system, load_window=window(60))
    job = system.load(members(1, 2), key=KEY)
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("PENDING", "load-window", "waiting")
    starts = datetime.fromisoformat(job["starts_at"])
    assert timedelta(minutes=58) < starts - datetime.now(UTC) <= timedelta(minutes=60)
    swept = system.container.sweep.run()
    assert (swept.opened, swept.stuck) == (0, 0)
    system.rows("update dropload.job set created_at = now() - interval '1 day'")
    assert system.container.sweep.run().stuck == 0, "it waits, and is not stuck"
    open_now = at(system, 61)
    assert open_now.container.sweep.run().opened == 1
    open_now.pump()
    job = system.job(KEY)
    assert (job["state"], job["counts"]["inserted"], job["starts_at"]) == ("COMPLETED", 2, None)


def test_a_file_that_comes_while_its_window_is_open_begins_at_once(system: System) -> None:
    system = patient(system, load_window=window(-60))
    assert system.load(members(1), key=KEY)["state"] == "COMPLETED"


def test_an_event_that_comes_twice_begins_nothing_before_its_time(system: System) -> None:
    system = patient(system, load_window=window(60))
    system.drop(KEY, members(1))
    system.pump(times=3)
    assert system.job(KEY)["state"] == "PENDING"


def test_a_window_that_has_closed_before_anybody_came_by_is_waited_for_again(system: System) -> None:
    system = patient(system, load_window=window(60))
    first = system.load(members(1), key=KEY)["starts_at"]
    late = at(system, 60 + 121)
    assert late.container.sweep.run().opened == 0
    late.pump()
    job = system.job(KEY)
    assert job["state"] == "PENDING"
    assert datetime.fromisoformat(job["starts_at"]) - datetime.fromisoformat(first) == timedelta(days=1)


def test_a_job_is_begun_by_hand_whatever_its_window_says(system: System) -> None:
    system = patient(system, load_window=window(60))
    id = UUID(system.load(members(1), key=KEY)["id"])
    system.container.schedule.start(id)
    system.container.schedule.start(id)
    system.pump()
    assert system.job(KEY)["state"] == "COMPLETED"
    with pytest.raises(RequestRefused) as refusal:
        system.container.schedule.start(id)
    assert (refusal.value.status, refusal.value.code) == (409, "not-waiting")


def test_a_job_begun_by_hand_whose_message_is_lost_is_swept(system: System) -> None:
    system = patient(system, load_window=window(60))
    id = UUID(system.load(members(1), key=KEY)["id"])
    system.container.schedule.start(id)
    client("sqs").purge_queue(QueueUrl=system.settings.intake_queue)
    system.rows("update dropload.job set created_at = now() - interval '1 day', swept_at = now() - interval '1 hour'")
    assert system.container.sweep.run().stuck == 1
    system.pump()
    assert system.job(KEY)["state"] == "COMPLETED"


def test_what_has_begun_goes_on_when_the_window_closes(system: System) -> None:
    system = patient(system, load_window=window(-60))
    small = replace(system.settings, batch_bytes=100)
    datasets = system.container.datasets
    system = System(small, Container(small))
    system.container.datasets.update(datasets)
    system.drop(KEY, members(*range(1, 40)))
    while not system.deliver(system.settings.intake_queue):
        pass
    closed = at(system, 61)
    closed.pump()
    assert system.job(KEY)["state"] == "COMPLETED"

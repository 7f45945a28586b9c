"""Programs hear of each job that has ended, at least once, and of nothing that is in a cell."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chalicelib.adapters.aws import client
from chalicelib.bootstrap import Container
from chalicelib.core.mailtext import one_line
from chalicelib.errors import Transient
from chalicelib.services.redrive import What
from tests.system import MEMBERS, System, forever, member, members

BAD = (MEMBERS + member(1) + member(2, account_id="secret-value")).encode()
MEMBERS_OF_AN_EVENT = {
    *("type", "id", "job", "dataset", "state", "reason", "object", "counts", "balanced", "duplicate_of", "parent"),
    *("validate_only", "created_at", "started_at", "finished_at", "causes", "error_file", "links"),
}


@pytest.fixture
def topic(aws: None, database_url: str) -> Iterator[tuple[System, str]]:
    """A system with a topic, and a queue that hears all that is said on it."""
    system = System.create(database_url)
    name = system.settings.bucket
    arn = client("sns").create_topic(Name=f"{name}-events")["TopicArn"]
    queue = client("sqs").create_queue(QueueName=f"{name}-heard")["QueueUrl"]
    ends = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=ends)
    settings = replace(system.settings, events_topic=arn)
    listened = System(settings, Container(settings))
    yield listened, queue
    listened.container.database.close()
    system.container.database.close()


def heard(system: System, queue: str) -> list[dict[str, Any]]:
    """What the topic has said since the last time."""
    envelopes = []
    for body, delete in system.receive(queue):
        envelopes.append(json.loads(body))
        delete()
    for envelope in envelopes:
        event = json.loads(envelope["Message"])
        said = {name: each["Value"] for name, each in envelope["MessageAttributes"].items()}
        assert said == {name: one_line(event[name]) for name in ("type", "dataset", "state") if event[name]}
    return [json.loads(envelope["Message"]) for envelope in envelopes]


def test_each_end_of_a_job_is_told_once_with_what_the_api_says(topic: tuple[System, str]) -> None:
    system, queue = topic
    done = system.load(members(1), key="input/members/good.csv")
    [event] = heard(system, queue)
    assert event.keys() == MEMBERS_OF_AN_EVENT
    assert (event["type"], event["job"], event["state"]) == ("job.ended", done["id"], "COMPLETED")
    assert event["counts"] == done["counts"]
    assert event["object"] == done["object"]
    assert event["error_file"] is None
    system.container.notify.run(forever)
    assert heard(system, queue) == []


def test_ends_of_every_kind_are_told(topic: tuple[System, str]) -> None:
    system, queue = topic
    for key, data in (("a.csv", BAD), ("b.csv", b""), ("c.csv", members(7)), ("c.csv", members(7))):
        system.load(data, key=f"input/members/{key}")
    system.load(b"", key="input/nosuch\r\n/file.csv")
    events = heard(system, queue)
    states = ["COMPLETED_WITH_FAILURES", "FAILED", "COMPLETED", "DUPLICATE", "FAILED"]
    assert [event["state"] for event in events] == states
    assert events[3]["duplicate_of"] == events[2]["job"]
    assert events[1]["reason"]["code"] == "empty-file"
    assert len({event["id"] for event in events}) == 5


def test_event_of_a_job_with_rejections_names_causes_and_error_file_and_no_value(topic: tuple[System, str]) -> None:
    system, queue = topic
    job = system.load(BAD)
    [event] = heard(system, queue)
    assert event["causes"] == job["causes"]
    bucket, _, key = event["error_file"].removeprefix("s3://").partition("/")
    assert bucket == system.settings.bucket
    assert b"secret-value" in system.file(key)
    assert "secret-value" not in json.dumps(event)


def test_event_that_was_published_and_not_booked_comes_again_with_the_same_id(topic: tuple[System, str]) -> None:
    system, queue = topic
    system.load(members(1))
    system.rows("update dropload.outbox set sent_at = null")
    system.container.notify.run(forever)
    first, second = heard(system, queue)
    assert first == second


def test_job_that_ends_again_is_told_again_under_another_id(topic: tuple[System, str]) -> None:
    system, queue = topic
    job = system.load(BAD)
    system.rows("delete from dropload.outbox")  # as a redrive does, when it takes the job up again
    system.rows("insert into dropload.outbox (job, audience) select number, 'topic' from dropload.job")
    system.container.notify.run(forever)
    first, second = heard(system, queue)
    assert first["job"] == second["job"] == job["id"]
    assert first["id"] != second["id"]


def test_topic_that_is_gone_holds_up_no_mail_and_is_given_up(topic: tuple[System, str]) -> None:
    system, _ = topic
    client("sns").delete_topic(TopicArn=system.settings.events_topic)
    system.split("input/members/file.csv", b"")
    for _attempt in range(10):
        with pytest.raises(Transient, match="could not be sent"):
            system.container.notify.run(forever)
        system.rows("update dropload.outbox set due_at = now()")
    assert system.container.notify.run(forever) == 0
    told = "select audience, sent_at is not null, given_up_at is not null from dropload.outbox order by audience"
    assert system.rows(told) == [("owners", True, False), ("topic", False, True)]


@pytest.mark.parametrize("how", ["called off", "loaded anew"])
def test_job_that_is_not_tried_again_has_ended(topic: tuple[System, str], how: str) -> None:
    system, queue = topic
    datasets = system.container.datasets
    datasets["members"] = replace(datasets["members"], max_attempts=3)
    for body in system.split("input/members/file.csv", members(1)):
        system.container.intake.bury_batch(body)
    system.pump()
    assert heard(system, queue) == []
    job = UUID(system.job("input/members/file.csv")["id"])
    if how == "called off":
        system.container.cancel.run(job)
        system.container.cancel.run(job)
    else:
        new = system.container.redrive.run(job, What.ALL)
        old = system.container.views.job(job)
        assert old is not None
        assert old["reason"]["message"].endswith(f"which job {new} does")
    system.container.notify.run(forever)
    [event] = heard(system, queue)
    assert (event["job"], event["state"]) == (str(job), "FAILED")
    assert event["reason"]["code"] == ("called-off" if how == "called off" else "loaded-elsewhere")


def test_what_was_to_be_said_on_a_topic_that_was_removed_is_given_up(topic: tuple[System, str]) -> None:
    system, _ = topic
    for body in system.split("input/members/file.csv", members(1)):
        system.container.intake.load(body)
    settings = replace(system.settings, events_topic=None)
    without = System(settings, Container(settings))
    assert without.container.notify.run(forever) == 0
    told = "select audience, sent_at is not null, given_up_at is not null from dropload.outbox"
    assert without.rows(told) == [("topic", False, True)]
    without.container.database.close()


def test_without_a_topic_nothing_is_put_in_for_one(system: System) -> None:
    system.load(members(1))
    system.load(members(1))
    assert system.rows("select * from dropload.outbox") == []

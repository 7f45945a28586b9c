"""What was dropped and never announced is found by the sweep, and begun as by its event."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.adapters import listing
from chalicelib.adapters.aws import client
from chalicelib.bootstrap import Container
from chalicelib.core.schema import AfterLoad
from chalicelib.errors import Transient
from chalicelib.services.missed import Missed
from chalicelib.services.ports import Remaining, StoredObject
from chalicelib.services.sweep import Swept
from chalicelib.services.sweep_ports import Listed, Page
from tests.system import System, forever, member, members

KEY = "input/members/file.csv"
NOTHING = Swept()


def later(system: System, seconds: int = 61) -> System:
    """The same system, whose sweep looks at the bucket that much later."""
    system = System(system.settings, Container(system.settings))
    system.container.missed._clock = lambda: datetime.now(UTC) + timedelta(seconds=seconds)
    return system


def lose_events(system: System) -> None:
    """Take every announcement off the queue, once S3 has had the time to put it there."""
    wanted = set(system.objects("input/"))
    while wanted:
        wanted -= {stored.key for stored in system.announced()}
    client("sqs").purge_queue(QueueUrl=system.settings.intake_queue)


def drop_unannounced(system: System, key: str, data: bytes, **metadata: str) -> None:
    s3, bucket = client("s3"), system.settings.bucket
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    s3.put_object(Bucket=bucket, Key=key, Body=data, Metadata=metadata)


@pytest.fixture(params=[True, False], ids=["versions", "no versions"])
def any_system(request: pytest.FixtureRequest, database_url: str, aws: None) -> Iterator[System]:
    system = System.create(database_url, versioned=request.param)
    yield system
    system.container.database.close()


def test_an_object_whose_event_was_lost_is_loaded(any_system: System) -> None:
    any_system.drop(KEY, members(1, 2))
    lose_events(any_system)
    swept = later(any_system).container.sweep.run()
    assert (swept.objects, swept.missed) == (1, 1)
    any_system.pump()
    job = any_system.job(KEY)
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 2, True)
    assert later(any_system).container.sweep.run() == replace(NOTHING, objects=1)


def test_its_event_may_come_after_all(any_system: System) -> None:
    any_system.drop(KEY, members(1, 2))
    later(any_system).container.sweep.run()
    any_system.load(members(3), key="input/members/other.csv")
    any_system.pump(times=2)
    assert [job["state"] for job in any_system.container.views.jobs(key=KEY, limit=9)] == ["COMPLETED"]


def test_a_young_object_is_left_to_its_event(system: System) -> None:
    drop_unannounced(system, KEY, members(1))
    assert later(system, 58).container.sweep.run().missed == 0
    assert later(system, 61).container.sweep.run().missed == 1


def test_the_newest_version_is_begun_and_no_older_one(system: System) -> None:
    drop_unannounced(system, KEY, members(1))
    drop_unannounced(system, KEY, members(2))
    assert later(system).container.sweep.run().missed == 1
    system.pump()
    assert system.rows("select client_member_id from members") == [(2,)]


def test_a_new_version_with_the_same_bytes_is_a_duplicate_as_by_its_event(system: System) -> None:
    system.load(members(1), key=KEY)
    drop_unannounced(system, KEY, members(1))
    assert later(system).container.sweep.run().missed == 1
    assert system.job(KEY)["state"] == "DUPLICATE"


def test_what_its_uploader_asked_for_is_kept_to(any_system: System) -> None:
    drop_unannounced(any_system, KEY, members(1), **{"dropload-validate-only": "true"})
    later(any_system).container.sweep.run()
    any_system.pump()
    assert any_system.job(KEY)["validate_only"] is True
    assert any_system.rows("select count(*) from members") == [(0,)]
    assert later(any_system).container.sweep.run().missed == 0


def test_what_was_deleted_or_is_no_file_is_not_begun(system: System) -> None:
    drop_unannounced(system, KEY, members(1))
    client("s3").delete_object(Bucket=system.settings.bucket, Key=KEY)
    drop_unannounced(system, "input/members/", b"")
    drop_unannounced(system, "input/", b"")
    drop_unannounced(system, "other/members/file.csv", members(2))
    assert later(system).container.sweep.run().missed == 0


@pytest.mark.parametrize("how", [AfterLoad.DELETE, AfterLoad.ARCHIVE])
def test_what_was_put_away_is_not_begun_again(system: System, how: AfterLoad) -> None:
    datasets = system.container.datasets
    datasets["members"] = replace(datasets["members"], after_load=how)
    system.load(members(1), key=KEY)
    assert later(system).container.sweep.run() == NOTHING


def test_a_redrives_own_file_is_begun_as_the_correction_that_it_is(system: System) -> None:
    parent = system.load(members(1) + member(2, account_id="x").encode(), key=KEY)
    mended = system.rejected_csv(parent).replace(b",x", b",7")
    name = f"input/members/redrive/job={parent['id']}/1-rejected.csv"
    drop_unannounced(system, name, mended)
    later(system).container.sweep.run()
    system.pump()
    child = system.job(name)
    assert (child["state"], child["parent"], child["counts"]["inserted"]) == ("COMPLETED", parent["id"], 1)


@pytest.mark.parametrize(
    "name",
    ["a b+c&d.csv", "\u00e4\u00f6 \u65e5.csv", "100%25.csv", "line\nend.csv", "<&\"'>.csv", "..csv", "\U0001f600.csv"],
)
def test_a_key_may_have_any_name(system: System, name: str) -> None:
    key = f"input/members/{name}"
    drop_unannounced(system, key, members(1))
    assert later(system).container.sweep.run().missed == 1
    system.pump()
    assert system.job(key)["state"] == "COMPLETED"
    assert later(system).container.sweep.run().missed == 0


def test_an_object_of_a_job_that_was_removed_is_not_loaded_again(system: System) -> None:
    system.load(members(1), key=KEY)
    system.rows("delete from dropload.job")
    assert later(system).container.sweep.run() == replace(NOTHING, objects=1)
    drop_unannounced(system, "input/members/other.csv", members(2))
    assert later(system).container.sweep.run().missed == 1


class Shelves:
    """A listing of many objects, ten a page."""

    def __init__(self, bucket: str, count: int) -> None:
        past = datetime(2026, 1, 1, tzinfo=UTC)
        keys = (f"input/members/{n:05}.csv" for n in range(count))
        self.all = [Listed(StoredObject(bucket, key, None, "e", 1), past) for key in keys]
        self.asked: list[str] = []

    def page(self, after: str) -> Page:
        self.asked.append(after)
        rest = [each for each in self.all if each.stored.key > after]
        return Page(rest[:10], rest[9].stored.key if len(rest) > 10 else None)


def looking(system: System, shelves: Shelves) -> Missed:
    container = system.container
    return Missed(sweeps=container.sweeps, listing=shelves, queues=container.queues, split=container.split)


def while_pages(shelves: Shelves, most: int) -> Remaining:
    """Time that runs out after so many pages."""
    end = len(shelves.asked) + most
    return lambda: forever() if len(shelves.asked) < end else 1.0


def test_many_objects_are_looked_at_over_several_runs_each_once(system: System) -> None:
    shelves = Shelves(system.settings.bucket, 95)
    insert = """insert into dropload.job (id, dataset, bucket, key, revision, etag, size, batch_bytes)
                select gen_random_uuid(), 'members', %s, 'input/members/' || lpad(n::text, 5, '0') || '.csv', 'etag:e',
                'e', 1, 1 from generate_series(0, 94) as n"""
    system.rows(insert, system.settings.bucket)
    looked = [looking(system, shelves).run(while_pages(shelves, 4)).objects for _ in range(4)]
    assert looked == [40, 40, 15, 40]
    assert shelves.asked[:10] == ["", *(f"input/members/{n:05}.csv" for n in range(9, 95, 10))]
    assert shelves.asked[10] == "", "a new round"


def test_a_page_that_takes_too_long_is_gone_on_with(system: System) -> None:
    shelves = Shelves(system.settings.bucket, 10)
    left = iter([forever()] * 4 + [1.0])
    first = looking(system, shelves).run(lambda: next(left))
    second = looking(system, shelves).run(forever)
    assert (first.begun, second.begun) == (3, 7)


def test_one_object_that_cannot_be_begun_holds_up_no_other(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        drop_unannounced(system, f"input/members/{name}.csv", members(ord(name)))
    late = later(system)
    booked = late.container.split.booked

    def refusing(stored: StoredObject) -> Any:
        if stored.key.endswith("b.csv"):
            raise Transient("aws-trouble", "reading the file: AccessDenied")
        return booked(stored)

    monkeypatch.setattr(late.container.split, "booked", refusing)
    with pytest.raises(Transient, match="1 of 3 objects"):
        late.container.sweep.run()
    assert {job["object"]["key"] for job in system.container.views.jobs(limit=9)} == {
        "input/members/a.csv",
        "input/members/c.csv",
    }


def test_a_listing_that_fails_keeps_nothing_else_from_being_swept(
    system: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    system.drop(KEY, members(1))
    while not system.deliver(system.settings.intake_queue):
        pass
    client("sqs").purge_queue(QueueUrl=system.settings.batch_queue)
    system.rows("update dropload.job set created_at = now() - interval '1 day'")
    system.rows("update dropload.batch set created_at = now() - interval '1 day'")
    system.container.missed._listing = listing.S3Listing("no-such-bucket-anywhere")
    with caplog.at_level(logging.INFO, "dropload"), pytest.raises(Transient, match="listing what was dropped"):
        system.container.sweep.run()
    assert swept(caplog).items() >= {"SweptResent": 1, "SweptFailures": 1}.items()
    system.pump()
    assert system.job(KEY)["state"] == "COMPLETED"


def test_a_sweep_says_in_one_line_what_it_found_and_did(system: System, caplog: pytest.LogCaptureFixture) -> None:
    drop_unannounced(system, KEY, members(1))
    with caplog.at_level(logging.INFO, "dropload"):
        later(system).container.sweep.run()
    assert swept(caplog).items() >= {"Sweeps": 1, "SweptObjects": 1, "SweptMissed": 1, "SweptStuck": 0}.items()


def swept(caplog: pytest.LogCaptureFixture) -> dict[str, float]:
    """The metrics of the one line that a sweep says."""
    [line] = [record for record in caplog.records if record.getMessage() == "swept"]
    metrics: dict[str, float] = line.__dict__["metrics"]
    return metrics

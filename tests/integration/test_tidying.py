"""after_load: the very version that was loaded is deleted or archived, once its job has ended well, and no other."""

from dataclasses import replace
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

from chalicelib.adapters import s3
from chalicelib.adapters.aws import client
from chalicelib.bootstrap import Container
from chalicelib.core.schema import AfterLoad
from chalicelib.errors import Transient
from tests.system import MEMBERS, System, member, members

KEY = "input/members/2026/file.csv"


def leaving(system: System, after_load: AfterLoad, **changes: Any) -> System:
    """The same system with members whose files are put away so."""
    settings = replace(system.settings, **changes)
    container = Container(settings)
    container.datasets["members"] = replace(container.datasets["members"], after_load=after_load)
    return System(settings, container)


def versions(system: System, prefix: str = "input/") -> list[tuple[str, bool]]:
    """(ETag, whether it is the newest) of each version, and no delete markers."""
    listed = client("s3").list_object_versions(Bucket=system.settings.bucket, Prefix=prefix)
    assert not listed.get("DeleteMarkers")
    return [(version["ETag"].strip('"'), version["IsLatest"]) for version in listed.get("Versions", [])]


def long_ago(system: System) -> None:
    system.rows("update dropload.job set finished_at = finished_at - interval '1 day'")


def test_a_loaded_file_is_deleted(system: System) -> None:
    system = leaving(system, AfterLoad.DELETE)
    job = system.load((MEMBERS + member(1) + member(2, account_id="x")).encode(), key=KEY)
    assert job["state"] == "COMPLETED_WITH_FAILURES"
    assert versions(system) == []
    assert system.rejected_csv(job).count(b"\n") == 2
    assert system.objects("archive/") == []


def test_a_loaded_file_is_archived_under_its_job(system: System) -> None:
    system = leaving(system, AfterLoad.ARCHIVE)
    jobs = [system.load(members(n), key=KEY) for n in (1, 2)]
    assert versions(system) == []
    for n, job in enumerate(jobs, 1):
        assert system.file(f"archive/members/job={job['id']}/2026/file.csv") == members(n)
    assert len(system.container.views.jobs(limit=10)) == 2, "what is archived is not announced"


def test_a_file_is_kept_where_nothing_else_is_said(system: System) -> None:
    system.load(members(1), key=KEY)
    long_ago(system)
    system.container.sweep.run()
    assert len(versions(system)) == 1


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_file_that_did_not_load_is_kept(system: System, state: str) -> None:
    system = leaving(system, AfterLoad.DELETE)
    system.drop(KEY, members(1))
    system.deliver(system.settings.intake_queue)
    for body, delete in system.receive(system.settings.batch_queue):
        if state == "FAILED":
            system.container.intake.bury_batch(body)
        else:
            system.rows("update dropload.job set state = 'CANCELLING'")
            system.container.intake.load(body)
        delete()
    assert system.job(KEY)["state"] == state
    long_ago(system)
    system.container.sweep.run()
    assert len(versions(system)) == 1


def test_a_file_that_was_only_tried_is_kept(system: System) -> None:
    system = leaving(system, AfterLoad.DELETE)
    system.drop(KEY, members(1))
    system.deliver(system.settings.intake_queue)
    system.rows("update dropload.job set validate_only = true")
    system.pump()
    assert system.job(KEY)["finished_at"]
    assert len(versions(system)) == 1


@pytest.mark.parametrize("how", [AfterLoad.DELETE, AfterLoad.ARCHIVE])
def test_a_version_that_came_meanwhile_is_not_touched(system: System, how: AfterLoad) -> None:
    system = leaving(system, how)
    system.drop(KEY, members(1))
    system.deliver(system.settings.intake_queue)
    system.drop(KEY, members(2))
    for body, delete in system.receive(system.settings.batch_queue):
        system.container.intake.load(body)
        delete()
    assert [newest for _, newest in versions(system)] == [True]
    assert system.file(KEY) == members(2)
    system.pump()
    assert (system.job(KEY)["state"], system.job(KEY)["counts"]["inserted"]) == ("COMPLETED", 1)
    assert versions(system) == []


@pytest.mark.parametrize("how", [AfterLoad.DELETE, AfterLoad.ARCHIVE])
def test_without_versions_only_the_same_bytes_are_put_away(database_url: str, aws: None, how: AfterLoad) -> None:
    system = leaving(System.create(database_url, versioned=False), how)
    system.load(members(1), key=KEY)
    assert system.objects("input/") == []
    system.drop(KEY, members(2))
    system.deliver(system.settings.intake_queue)
    [(body, delete)] = system.receive(system.settings.batch_queue)
    job = system.job(KEY)
    system.container.ledger.begin(job["id"], 0)
    with system.container.database.transaction() as cursor:  # loaded, but for the last step
        cursor.execute(
            "update dropload.batch set state = 'succeeded' where job = (select max(number) from dropload.job)"
        )
        cursor.execute("update dropload.job set batches_ended = 1 where finished_at is null")
    system.drop(KEY, members(3))
    system.container.intake.load(body)
    delete()
    assert system.job(KEY)["state"] == "COMPLETED"
    assert system.file(KEY) == members(3)
    assert system.rows("select count(*) from dropload.job where tidied_at is null and finished_at is not null") == [
        (0,)
    ]
    system.container.database.close()


def test_duplicates_go_once_the_bytes_that_they_repeat_are_loaded(system: System) -> None:
    system = leaving(system, AfterLoad.DELETE)
    system.drop(KEY, members(1))
    system.drop(KEY, members(1))
    system.deliver(system.settings.intake_queue)
    assert sorted(job["state"] for job in system.container.views.jobs(key=KEY, limit=9)) == ["DUPLICATE", "RUNNING"]
    assert len(versions(system)) == 2, "the first might still fail"
    system.pump()
    long_ago(system)
    system.container.sweep.run()
    assert versions(system) == []
    assert system.load(members(1), key=KEY)["state"] == "DUPLICATE"
    assert versions(system) == [], "it is loaded already"


def test_a_duplicate_of_a_job_that_failed_is_kept_and_loaded(system: System) -> None:
    system = leaving(system, AfterLoad.DELETE)
    system.drop(KEY, members(1))
    system.drop(KEY, members(1))
    system.deliver(system.settings.intake_queue)
    for body, delete in system.receive(system.settings.batch_queue):
        system.container.intake.bury_batch(body)
        delete()
    system.rows("update dropload.job set created_at = now() - interval '1 day'")
    system.container.sweep.run()
    system.pump()
    assert [job["state"] for job in system.container.views.jobs(key=KEY, limit=2)] == ["COMPLETED", "FAILED"]
    assert len(versions(system)) == 1, "the failed job's is kept, the loaded one is gone"


def test_what_cannot_be_put_away_is_tried_again_and_holds_up_nothing(system: System) -> None:
    broken = leaving(system, AfterLoad.ARCHIVE)
    broken.container.tidy._objects = s3.S3ObjectStore("no-such-bucket-anywhere")
    job = broken.load(members(1), key=KEY)
    assert job["state"] == "COMPLETED", "the job has ended, whatever becomes of its file"
    assert len(versions(system)) == 1
    working = leaving(system, AfterLoad.DELETE)
    working.load(members(2), key="input/members/other.csv")
    working.container.sweep.run()
    assert len(versions(system)) == 1, "just ended: whoever ended it is still at it"
    long_ago(system)
    with pytest.raises(Transient, match="1 of 1 loaded files"):
        broken.container.sweep.run()
    system.rows("update dropload.job set swept_at = swept_at - interval '1 day'")
    working.container.sweep.run()
    assert versions(system) == []
    assert system.file(f"archive/members/job={job['id']}/2026/file.csv") == members(1)


@pytest.mark.parametrize("how", [AfterLoad.DELETE, AfterLoad.ARCHIVE])
def test_killed_before_it_could_book_it_puts_the_file_away_again(system: System, how: AfterLoad) -> None:
    system = leaving(system, how)
    system.load(members(1), key=KEY)
    archived = system.objects("archive/")
    system.rows("update dropload.job set tidied_at = null")
    long_ago(system)
    system.container.sweep.run()
    assert system.rows("select count(*) from dropload.job where tidied_at is null") == [(0,)]
    assert system.objects("archive/") == archived
    assert len(archived) == (how is AfterLoad.ARCHIVE)


def test_a_large_file_is_archived_in_parts(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_COPY", TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=5 << 20))
    system = leaving(system, AfterLoad.ARCHIVE)
    data = (MEMBERS + "".join(member(n, first_name="A" * 200) for n in range(50_000))).encode()
    job = system.load(data, key=KEY)
    assert len(data) > 10 << 20
    assert system.file(f"archive/members/job={job['id']}/2026/file.csv") == data
    assert versions(system) == []

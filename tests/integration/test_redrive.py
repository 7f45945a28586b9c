"""What failed is done again: rejected records once the descriptor is mended, batches that we could not load."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core.access import EVERYONE
from chalicelib.errors import RequestRefused
from chalicelib.services.ports import Reason
from chalicelib.services.redrive import What
from tests.system import MEMBERS, System, member, members

GAVE_UP = Reason("exhausted", "we tried several times", "transient")


def redrive(system: System, job: Mapping[str, Any], what: What | None = None) -> dict[str, Any]:
    """Redrive a job and deliver until all is done; the job that did it."""
    id = system.container.redrive.run(UUID(job["id"]), what)
    system.pump()
    return system.container.jobs.get(EVERYONE, id)


def refused(system: System, job: Mapping[str, Any], what: What | None = None) -> tuple[int, str]:
    with pytest.raises(RequestRefused) as refusal:
        system.container.redrive.run(UUID(job["id"]), what)
    return refusal.value.status, refusal.value.code


def longer_names(system: System) -> None:
    """Mend the descriptor: members' names may have as many characters as they like."""
    members_ = system.container.datasets["members"]
    fields = [replace(f, constraints=replace(f.constraints, max_length=None)) for f in members_.fields]
    system.container.datasets["members"] = replace(members_, fields=tuple(fields))


def failed_halfway(system: System, key: str, data: bytes, *, batch: int = 1) -> dict[str, Any]:
    """The job of a file of several batches, of which one was given up."""
    system.drop(key, data)
    while not system.deliver(system.settings.intake_queue):
        pass
    id = UUID(system.job(key)["id"])
    system.container.ledger.fail(id, batch, GAVE_UP)
    system.pump()
    job = system.job(key)
    assert (job["state"], job["progress"]["batches"]["failed"]) == ("FAILED", 1)
    assert job["progress"]["batches"]["succeeded"] > 1
    return job


def given_up(system: System, key: str, data: bytes) -> dict[str, Any]:
    """The job of a file whose split was given up after the first batches, which were loaded."""
    system.drop(key, data)
    while not (announced := system.announced()):
        pass
    system.container.split.announced(announced[0], lambda: 0.0)  # has time for the first batches only
    system.container.bury.job(UUID(system.job(key)["id"]))
    while not system.deliver(system.settings.batch_queue):
        pass
    system.pump()
    job = system.job(key)
    assert (job["state"], job["balanced"]) == ("FAILED", True)
    assert job["counts"]["read"]
    return job


@pytest.fixture
def small(system: System) -> Iterator[System]:
    """A system with small batches."""
    small = System.create(system.database_url, batch_bytes=300, max_record_bytes=100, chunk_bytes=500)
    yield small
    small.container.database.close()


def test_rejected_records_load_once_the_descriptor_is_mended(system: System) -> None:
    lines = [member(1), member(2, last_name="x" * 300), member(3, account_id="y"), member(4, first_name="x" * 300)]
    job = system.load((MEMBERS + "".join(lines)).encode())
    assert job["counts"]["rejected"] == 3
    longer_names(system)
    child = redrive(system, job)
    assert child["object"]["key"] == f"input/members/redrive/job={job['id']}/1-rejected.csv"
    assert (child["parent"], child["state"]) == (job["id"], "COMPLETED_WITH_FAILURES")
    assert (child["counts"]["inserted"], child["counts"]["rejected"]) == (2, 1)
    assert system.container.jobs.get(EVERYONE, UUID(job["id"]))["resolved"] == 2
    # Again, it is only about what is still rejected; and from the child it goes on to the parent.
    again = redrive(system, job)
    assert again["object"]["key"].endswith("/2-rejected.csv")
    assert (again["counts"]["read"], again["counts"]["rejected"]) == (1, 1)
    rows = list(csv.DictReader(io.StringIO(system.rejected_csv(again).decode(), newline="")))
    assert [row["client_member_id"] for row in rows] == ["3"]
    account = system.container.datasets["members"].field("account_id")
    fields = [
        f if f is not account else replace(f, missing_values=("y",))
        for f in system.container.datasets["members"].fields
    ]
    optional = [replace(f, constraints=replace(f.constraints, required=False)) for f in fields]
    system.container.datasets["members"] = replace(system.container.datasets["members"], fields=tuple(optional))
    system.rows("alter table members alter account_id drop not null")
    last = redrive(system, again)
    assert (last["parent"], last["counts"]["inserted"]) == (again["id"], 1)
    assert system.container.jobs.get(EVERYONE, UUID(job["id"]))["resolved"] == 3
    assert refused(system, job) == refused(system, again) == (409, "nothing-rejected")
    assert system.rows("select count(*) from members") == [(4,)]


def test_rejected_records_are_not_dropped_again_while_they_are_under_way(system: System) -> None:
    job = system.load((MEMBERS + member(1, account_id="y")).encode())
    id = system.container.redrive.run(UUID(job["id"]))
    assert refused(system, job) == (409, "under-way")
    system.pump()
    assert system.container.jobs.get(EVERYONE, id)["state"] == "COMPLETED_WITH_FAILURES"
    assert redrive(system, job)["counts"]["rejected"] == 1


def test_killed_before_it_was_remembered_a_redrive_is_found_again(system: System) -> None:
    job = system.load((MEMBERS + member(1, last_name="x" * 300)).encode())
    longer_names(system)
    id = system.container.redrive.run(UUID(job["id"]))
    system.rows("update dropload.job set redrives = 0")  # as if it had died before its commit
    assert refused(system, job) == (409, "under-way")
    system.pump()
    assert system.container.jobs.get(EVERYONE, id)["counts"]["inserted"] == 1
    assert refused(system, job) == (409, "nothing-rejected")


def test_a_redrive_that_s3_never_announces_comes_in_all_the_same(system: System) -> None:
    job = system.load((MEMBERS + member(1, last_name="x" * 300)).encode())
    longer_names(system)
    id = system.container.redrive.run(UUID(job["id"]))
    system.announced()  # and lost, with our own message
    system.rows("update dropload.job set created_at = now() - interval '1 hour'")
    system.container.sweep.run()
    system.pump()
    assert system.container.jobs.get(EVERYONE, id)["state"] == "COMPLETED"


def test_a_failed_batch_is_loaded_again_and_the_job_ends_anew(small: System) -> None:
    lines = [member(n, account_id="x" if n == 15 else "7") for n in range(1, 31)]
    job = failed_halfway(small, "input/members/file.csv", (MEMBERS + "".join(lines)).encode())
    assert (job["reason"]["code"], job["balanced"]) == ("exhausted", True)
    done = redrive(small, job)
    assert (done["id"], done["state"], done["reason"]) == (job["id"], "COMPLETED_WITH_FAILURES", None)
    assert (done["counts"]["inserted"], done["counts"]["rejected"]) == (29, 1)
    assert (done["balanced"], done["progress"]["batches"]["failed"]) == (True, 0)
    assert small.rows("select count(*) from members") == [(29,)]
    rows = list(csv.DictReader(io.StringIO(small.rejected_csv(done).decode(), newline="")))
    assert [row["_error_line"] for row in rows] == ["16"]
    receipt = json.loads(small.file(f"error/members/job={job['id']}/manifest.json"))
    assert receipt["state"] == "COMPLETED_WITH_FAILURES"
    small.container.notify.run(lambda: 900.0)
    notices = "select audience from dropload.outbox where sent_at is not null"
    assert small.rows(notices) == [("owners",)]  # of how it ended now
    assert refused(small, job, What.FAILED) == (409, "nothing-failed")


@pytest.mark.parametrize("times", [1, 3])
def test_only_the_failed_batches_are_added_again(small: System, times: int) -> None:
    songs = "".join(f"song {n % 4},2026-01-01,{n}\n" for n in range(60))
    job = failed_halfway(small, "input/plays/file.csv", f"song,date,plays\n{songs}".encode())
    id = small.container.redrive.run(UUID(job["id"]))
    assert refused(small, job, What.FAILED) == (409, "not-ended")
    small.pump(times)
    done = small.container.jobs.get(EVERYONE, id)
    assert (done["state"], done["balanced"], done["counts"]["read"]) == ("COMPLETED", True, 60)
    found = small.rows("select plays from plays order by song")
    assert found == [(sum(range(rest, 60, 4)),) for rest in range(4)]


@pytest.mark.parametrize("how", ["batch", "split"])
def test_an_earlier_batch_that_is_redriven_leaves_alone_what_later_ones_have_found_right(
    small: System, how: str
) -> None:
    right = "name,sku,description,status\n" + "".join(f"Lamp {n},{n:03d},no. {n},inactive\n" for n in range(60))
    wrong = right.replace("inactive", "active").encode()
    small.load(right.encode(), key="input/products/0.csv")
    failed = failed_halfway if how == "batch" else given_up
    first = failed(small, "input/products/1.csv", wrong)
    later = small.load(right.encode(), key="input/products/2.csv")
    assert min(later["counts"]["updated"], later["counts"]["unchanged"]) > 0
    done = redrive(small, first)
    assert (done["state"], done["balanced"], done["counts"]["read"]) == ("COMPLETED", True, 60)
    assert small.rows("select distinct status from products") == [("inactive",)]
    assert small.rows("select count(*) from dropload.seen") == [(0,)]


def test_a_split_that_was_given_up_goes_on(small: System) -> None:
    songs = "".join(f"song,2026-01-01,{n}\n" for n in range(200))
    job = given_up(small, "input/plays/file.csv", f"song,date,plays\n{songs}".encode())
    assert job["progress"]["batches"]["failed"] == 0
    done = redrive(small, job)
    assert (done["state"], done["balanced"], done["counts"]["read"]) == ("COMPLETED", True, 200)
    assert small.rows("select plays from plays") == [(sum(range(200)),)]


def test_what_was_dropped_again_meanwhile_is_not_redriven_as_well(small: System) -> None:
    data = b"song,date,plays\n" + b"song,2026-01-01,1\n" * 60
    job = failed_halfway(small, "input/plays/file.csv", data)
    later = small.load(data, key="input/plays/file.csv")
    assert later["state"] == "COMPLETED"
    assert refused(small, job) == (409, "loaded-elsewhere")


def test_a_job_that_was_stopped_is_not_taken_for_one_that_only_lacks_its_failed_batches(small: System) -> None:
    job = failed_halfway(small, "input/plays/file.csv", b"song,date,plays\n" + b"song,2026-01-01,1\n" * 60)
    small.rows("update dropload.batch set state = 'cancelled' where number = 0")
    assert refused(small, job) == (409, "stopped")


@pytest.mark.parametrize("what", [None, *What])
def test_there_is_nothing_to_redrive_in_what_went_well_or_never_began(system: System, what: What | None) -> None:
    good = system.load(members(1))
    bad = system.load(b"phone\n", key="input/members/no header.csv")
    again = system.load(members(1))
    assert again["state"] == "DUPLICATE"
    for job in (good, again) if what is What.ALL else (good, bad, again):
        assert refused(system, job, what)[0] == 409
    assert refused(system, {"id": "00000000-0000-7000-8000-000000000000"}, what) == (404, "not-found")


def test_a_validation_is_not_redriven(system: System) -> None:
    job = system.load((MEMBERS + member(1, account_id="y")).encode())
    system.rows("update dropload.job set validate_only = true")
    assert refused(system, job) == (409, "validate-only")

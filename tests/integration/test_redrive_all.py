"""A whole file is loaded again by a job of its own, where nothing of it would be in the table twice."""

import threading
from contextlib import suppress
from uuid import UUID

import pytest

from chalicelib.bootstrap import Container
from chalicelib.errors import RequestRefused
from chalicelib.services.redrive import What
from tests.integration.test_redrive import failed_halfway, longer_names, redrive, refused
from tests.policies import ITEMS, ROSTER, TALLIES, lines, with_policies
from tests.system import MEMBERS, System, member, members

KEY = "input/members/file.csv"
LONG = {"first_name": "x" * 300}


@pytest.fixture
def small(system: System) -> System:
    """Batches of a few records."""
    return with_policies(system, [ITEMS, ROSTER, TALLIES], batch_bytes=200, max_record_bytes=200)


def cancelled(system: System, key: str, data: bytes, *, after: int) -> dict[str, object]:
    """The job of a file that was called off after some batches."""
    bodies = system.split(key, data)
    for body in bodies[:after]:
        system.container.intake.load(body)
    system.container.cancel.run(UUID(system.job(key)["id"]))
    system.pump()
    assert system.job(key)["state"] == "CANCELLED"
    return system.job(key)


def test_a_file_that_came_before_its_dataset_loads_once_that_is_there(system: System) -> None:
    first = system.load(b"code,label,size\n1,a,1\n", key="input/items/a.csv")
    assert first["reason"]["code"] == "unknown-dataset"
    assert refused(system, first, What.ALL) == (409, "unknown-dataset")
    again = redrive(with_policies(system, [ITEMS]), first, What.ALL)
    assert (again["again_of"], again["state"], again["object"]) == (first["id"], "COMPLETED", first["object"])


def test_a_file_that_is_still_at_fault_fails_again_and_may_be_tried_again(system: System) -> None:
    first = system.load(b"phone\n1\n")
    again = redrive(system, first, What.ALL)
    assert (again["state"], again["reason"]) == ("FAILED", first["reason"])
    assert redrive(system, first, What.ALL)["id"] != again["id"]
    assert redrive(system, again, What.ALL)["again_of"] == again["id"]


def test_nothing_of_it_loaded_it_loads_whole(small: System) -> None:
    job = cancelled(small, KEY, members(*range(1, 30)), after=0)
    again = redrive(small, job, What.ALL)
    assert (again["state"], again["balanced"], again["counts"]["inserted"]) == ("COMPLETED", True, 29)
    assert small.container.views.job(UUID(str(job["id"]))) == job  # whose books stay
    assert refused(small, job, What.ALL) == (409, "loaded-elsewhere")
    assert small.load(members(*range(1, 30)))["state"] == "DUPLICATE"
    assert refused(small, again, What.ALL) == (409, "nothing-failed")


def test_partly_loaded_it_would_be_rejected_or_added_again(small: System) -> None:
    job = cancelled(small, KEY, members(*range(1, 30)), after=1)
    assert refused(small, job, What.ALL) == (409, "partly-loaded")
    rows = [(f"song {n}", "2026-01-01", 1, 1) for n in range(30)]
    sums = cancelled(small, "input/tallies/a.csv", lines("item,day,sold,paid", rows), after=2)
    again = redrive(small, sums, What.ALL)  # none of which was added
    assert (again["state"], again["counts"]["inserted"]) == ("COMPLETED", 30)
    assert small.rows("select sum(sold) from tallies") == [(30,)]


def test_where_records_update_it_has_the_last_word(small: System) -> None:
    header = "code,label,size"
    job = cancelled(small, "input/items/a.csv", lines(header, [(n, "a", n) for n in range(60)]), after=1)
    small.load(lines(header, [(n, "b", 0) for n in range(60)]), key="input/items/b.csv")
    again = redrive(small, job, What.ALL)
    assert again["state"] == "COMPLETED"
    assert small.rows("select label, count(*), sum(size) from items group by label") == [("a", 60, 1770)]


def test_a_file_that_was_to_replace_the_table_does_so_now(small: System) -> None:
    header = "code,tag,size"
    job = cancelled(small, "input/roster/a.csv", lines(header, [(n, f"a{n}", n) for n in range(60)]), after=3)
    small.load(lines(header, [(1, "b", 0)]), key="input/roster/b.csv")
    assert refused(small, job, What.FAILED) == (409, "nothing-failed")
    assert redrive(small, job, What.ALL)["state"] == "COMPLETED"
    assert small.rows("select count(*) from roster") == [(60,)]


def test_failed_batches_and_the_whole_file_are_not_both_loaded(small: System) -> None:
    key = "input/items/a.csv"
    job = failed_halfway(small, key, lines("code,label,size", [(n, "a", n) for n in range(60)]))
    again = redrive(small, job, What.ALL)
    assert refused(small, job, What.FAILED) == (409, "loaded-elsewhere")
    assert again["counts"]["inserted"] + again["counts"]["unchanged"] == 60


def test_failed_batches_loaded_first_the_whole_file_is_not(small: System) -> None:
    key = "input/items/a.csv"
    job = failed_halfway(small, key, lines("code,label,size", [(n, "a", n) for n in range(60)]))
    new = small.container.redrive.run(UUID(job["id"]), What.ALL)
    small.container.cancel.run(new)
    small.pump()
    assert redrive(small, job, What.FAILED)["state"] == "COMPLETED"
    again = small.container.views.job(new)
    assert again is not None
    assert refused(small, again, What.ALL) == (409, "loaded-elsewhere")


def test_not_while_its_rejected_records_are_under_way(small: System) -> None:
    data = (MEMBERS + member(1, account_id="x") + "".join(map(member, range(2, 30)))).encode()
    job = failed_halfway(small, KEY, data)
    small.container.redrive.run(UUID(job["id"]), What.REJECTED)
    assert refused(small, job, What.ALL) == (409, "under-way")
    small.pump()
    assert refused(small, job, What.ALL) == (409, "partly-loaded")


def test_two_who_ask_at_once_load_it_once(small: System) -> None:
    job = cancelled(small, KEY, members(*range(1, 30)), after=0)
    ids: list[UUID] = []

    def ask() -> None:
        worker = Container(small.settings)
        with suppress(RequestRefused):
            ids.append(worker.redrive.run(UUID(str(job["id"])), What.ALL))
        worker.database.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    small.pump()
    assert len(ids) == 1
    assert small.rows("select count(*) from members") == [(29,)]


def test_its_lost_message_is_sent_by_the_sweep(small: System) -> None:
    job = cancelled(small, KEY, members(*range(1, 30)), after=0)
    new = small.container.redrive.run(UUID(str(job["id"])), What.ALL)
    list(small.receive(small.settings.intake_queue))
    small.rows("update dropload.job set created_at = now() - interval '1 day'")
    small.container.sweep.run()
    small.pump()
    found = small.container.views.job(new)
    assert found is not None
    assert found["state"] == "COMPLETED"


def test_the_dataset_is_as_it_is_now(system: System) -> None:
    job = system.load((MEMBERS + member(1, **LONG) + member(2)).encode(), metadata={"dropload-validate-only": "false"})
    assert job["state"] == "COMPLETED_WITH_FAILURES"
    longer_names(system)
    assert refused(system, job, What.ALL) == (409, "nothing-failed")  # rejected records are enough
    assert redrive(system, job, What.REJECTED)["counts"]["inserted"] == 1

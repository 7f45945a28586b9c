"""Rows that wait to be merged when time, a batch, the file or the table is lost: they are added once all the same."""

import json
import threading
import time
from typing import Any
from uuid import UUID

import psycopg2
import pytest

from chalicelib.adapters.aws import client
from tests.gathering import DAY, HEADER, PARTIALS, is_gathering, key_of, table
from tests.policies import TALLIES, lines, with_policies
from tests.system import System


@pytest.fixture
def small(system: System) -> System:
    """Batches of one or two records; and ``straight``, a dataset like ``tallies``."""
    return with_policies(system, [TALLIES, {**TALLIES, "name": "straight"}], batch_bytes=30)


def waiting(system: System, key: str, file: bytes) -> list[str]:
    """All batches loaded by workers without the time to merge, whose messages are lost."""
    bodies = system.split(key, file)
    for body in bodies:
        system.container.intake.load(body, lambda: 1.0)
    lost = []
    for body, delete in system.receive(system.settings.batch_queue):
        lost.append(json.loads(body)["batch"])
        delete()
    assert lost == [0]
    return bodies


def test_who_has_no_time_for_a_merge_hands_it_on(small: System) -> None:
    key = key_of()
    bodies = waiting(small, key, lines(HEADER, [("a", DAY, 1, 1)] * 4))
    assert (small.job(key)["state"], table(small)) == ("RUNNING", [])
    small.container.intake.load(bodies[0])
    assert (small.job(key)["state"], table(small)) == ("COMPLETED", [("a", DAY, 4, 4)])


def test_merge_that_was_given_up_is_made_batch_by_batch(small: System) -> None:
    key = key_of()
    bodies = waiting(small, key, lines(HEADER, [("a", DAY, 1, 1)] * 4))
    small.container.intake.bury_batch(bodies[-1])
    assert not is_gathering(small, key)
    assert (small.job(key)["state"], table(small)) == ("RUNNING", [])
    small.pump(times=2)
    job = small.job(key)
    assert (job["state"], job["counts"]["inserted"], job["counts"]["updated"]) == ("COMPLETED", 1, 3)
    assert table(small) == [("a", DAY, 4, 4)]


def test_batch_that_was_given_up_does_not_keep_the_others_from_being_merged(small: System) -> None:
    key = key_of()
    bodies = small.split(key, lines(HEADER, [("a", DAY, 1, 1)] * 4))
    for body in bodies[:-1]:
        small.container.intake.load(body)
    small.container.intake.bury_batch(bodies[-1])
    small.pump()
    assert is_gathering(small, key)
    assert (small.job(key)["state"], table(small)) == ("FAILED", [("a", DAY, 3, 3)])


def test_merge_that_takes_too_long_is_made_batch_by_batch(small: System) -> None:
    small.load(lines(HEADER, [("a", DAY, 1, 1)] * 4), key=key_of())
    key = key_of()
    bodies = waiting(small, key, lines(HEADER, [("a", DAY, 1, 1)] * 4))
    connection = psycopg2.connect(small.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("select from tallies for update")
        worker = threading.Thread(target=small.container.intake.load, args=(bodies[0],))
        worker.start()
        cancelled: list[tuple[Any, ...]] = []
        deadline = time.monotonic() + 20
        while not cancelled and time.monotonic() < deadline:
            # As the statement's time limit does.
            cancelled = small.rows(
                "select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database()"
                " and wait_event_type = 'Lock' and query like '%%partial%%'"
            )
    connection.close()
    worker.join()
    assert cancelled
    assert not is_gathering(small, key)
    assert (small.job(key)["state"], table(small)) == ("COMPLETED", [("a", DAY, 8, 8)])


def test_file_that_is_gone_before_its_batches_could_be_placed_fails_and_its_records_are_ignored(small: System) -> None:
    small.rows("alter table tallies add check (item <> 'odd')")
    key = key_of()
    bodies = waiting(small, key, lines(HEADER, [("a", DAY, 1, 1), ("odd", DAY, 1, 1), ("a", DAY, 1, "x")]))
    [version] = client("s3").list_object_versions(Bucket=small.settings.bucket, Prefix=key)["Versions"]
    client("s3").delete_object(Bucket=small.settings.bucket, Key=key, VersionId=version["VersionId"])
    small.container.intake.load(bodies[0])
    job = small.job(key)
    assert (job["state"], job["reason"]["class"], job["balanced"]) == ("FAILED", "file", True)
    assert (job["counts"]["ignored"], job["counts"]["rejected"], table(small)) == (2, 1, [])


def test_batches_that_could_not_be_placed_are_placed_when_they_are_redriven(small: System) -> None:
    key = key_of()
    bodies = waiting(small, key, lines(HEADER, [("a", DAY, 1, 1)] * 3))
    for _ in range(2):  # neither all at once nor one by one
        small.container.intake.bury_batch(bodies[0])
    job = small.job(key)
    assert (job["state"], job["reason"]["code"], job["balanced"]) == ("FAILED", "exhausted", True)
    assert (job["counts"]["ignored"], table(small)) == (3, [])
    small.container.redrive.run(UUID(job["id"]))
    small.pump(times=2)
    job = small.job(key)
    assert (job["state"], job["counts"]["inserted"], job["counts"]["updated"]) == ("COMPLETED", 1, 2)
    assert (job["balanced"], table(small)) == (True, [("a", DAY, 3, 3)])


def test_table_that_changes_while_rows_wait_takes_them_all_the_same(small: System) -> None:
    key = key_of()
    file = [("a", DAY, 2**62, 1, 1), ("a", DAY, 2**62 - 1, 1, 1), ("b", DAY, 1, 1, 1), ("b", DAY, 1, 1, 1)]
    bodies = small.split(key, lines(HEADER + ",lost", file))
    for body in bodies[:2]:
        small.container.intake.load(body)
    fields = [*TALLIES["schema"]["fields"], {"name": "lost", "type": "integer"}]  # type: ignore[index]
    settings = {**TALLIES["dropload"], "measures": ["sold", "paid", "lost"]}  # type: ignore[dict-item]
    schema = {**TALLIES["schema"], "fields": fields}  # type: ignore[dict-item]
    newer = with_policies(small, [{**TALLIES, "schema": schema, "dropload": settings}])
    for body in bodies[2:]:
        newer.container.intake.load(body)
    newer.pump()
    assert (small.job(key)["state"], small.job(key)["balanced"]) == ("COMPLETED", True)
    assert table(small) == [("a", DAY, 2**63 - 1, 2), ("b", DAY, 2, 2)]
    assert small.rows("select lost from tallies order by item") == [(2,), (2,)]


def test_sweep_drops_what_jobs_that_are_gone_have_gathered(small: System) -> None:
    for body in small.split(key_of(), lines(HEADER, [("a", DAY, 1, 1)] * 3))[:1]:
        small.container.intake.load(body)
    small.container.sweep.run()
    assert small.rows(PARTIALS) == [(1,)]
    small.rows("delete from dropload.job")
    small.container.sweep.run()
    assert small.rows(PARTIALS) == [(0,)]

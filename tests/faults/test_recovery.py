"""Whatever breaks under load, the table and the books come out the same, and nobody has to help."""

import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from chalicelib.adapters import aws
from chalicelib.adapters.aws import client
from infra.local.emulator import Access, Emulator
from infra.local.postgres import Postgres
from tests.conftest import FAST_SETTINGS
from tests.faults.workers import Workers, seconds_until_ended
from tests.system import MEMBERS, System, member

FILES = 12
GOOD, BAD = 60, 2  # records in a file


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    """A PostgreSQL server that a test may break, with few connections."""
    server = Postgres(tmp_path / "postgres", {**FAST_SETTINGS, "max_connections": "12"})
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.forget()


@pytest.fixture
def aws_there(emulator: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point boto3 at the emulator that all tests share."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def broken_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator that a test may break."""
    emulator = Emulator(tmp_path / "aws")
    try:
        access = emulator.start()
        for name, value in access.environment.items():
            monkeypatch.setenv(name, value)
        aws.forget_clients()
        yield emulator
    finally:
        emulator.stop()
        aws.forget_clients()


def url_of(server: Postgres, tmp_path: Path) -> str:
    """The database's URL, on the port that the server keeps."""
    cluster = json.loads((tmp_path / "postgres" / "postgres.json").read_text())
    return f"postgresql://dropload:{cluster['password']}@127.0.0.1:{cluster['port']}/dropload"


def system_on(url: str) -> System:
    return System.create(url, batch_bytes=400, visibility_seconds=5, max_attempts=3)


def file_of(number: int) -> bytes:
    first = number * 100
    lines = [member(first + n) for n in range(GOOD)] + [member(first + n, account_id="x") for n in range(90, 90 + BAD)]
    return (MEMBERS + "".join(lines)).encode()


def drop_all(system: System) -> None:
    for number in range(FILES):
        system.drop(f"input/members/{number:03}.csv", file_of(number), announced=False)


def check(system: System, files: int = FILES) -> None:
    """The table and the books of as many files."""
    wanted = [(number * 100 + n,) for number in range(files) for n in range(GOOD)]
    assert system.rows("select client_member_id from members order by 1") == wanted
    jobs = system.container.views.jobs(limit=files + 1)
    assert len(jobs) == files
    for job in jobs:
        counts = {name: count for name, count in job["counts"].items() if count}
        assert counts == {"read": GOOD + BAD, "inserted": GOOD, "rejected": BAD}
        assert (job["state"], job["balanced"]) == ("COMPLETED_WITH_FAILURES", True)
        assert system.rejected_csv(job).count(b"\n") == BAD + 1


def wait_for_rows(system: System) -> None:
    while not system.rows("select 1 from members limit 1"):
        time.sleep(0.01)


def make_old(system: System) -> None:
    """What happened until now is a quarter of an hour ago."""
    system.rows("update dropload.job set created_at = created_at - interval '16 min', swept_at = null")
    system.rows(
        """update dropload.batch set created_at = created_at - interval '17 min',
           started_at = started_at - interval '17 min', finished_at = finished_at - interval '17 min'"""
    )


def sweep_later(system: System) -> Any:
    """Sweep when every object is old enough to have been missed."""
    system.container.missed._clock = lambda: datetime.now(UTC) + timedelta(minutes=2)
    return system.container.sweep.run()


def take_all_connections(url: str) -> list[Any]:
    taken: list[Any] = []
    try:
        while True:
            taken.append(psycopg2.connect(url))
    except psycopg2.OperationalError:
        return taken


def say(what: str, seconds: float, **more: object) -> None:
    """For whoever wants to know: ``pytest -s``."""
    sys.stdout.write(f"\n{what}: {seconds:.1f} s {more or ''}\n")


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_database_that_goes_away_under_load_and_comes_back(
    server: Postgres, tmp_path: Path, aws_there: None, how: str
) -> None:
    system = system_on(url_of(server, tmp_path))
    with Workers(system) as workers:
        drop_all(system)
        wait_for_rows(system)
        if how == "killed":
            server.child.process.kill()
            server.child.process.wait()
        else:
            server.stop()
        time.sleep(2.5)
        server.start()
        say(f"database {how}, from when it was back", seconds_until_ended(system, FILES), failures=workers.failures)
    assert set(workers.failures) == {"Transient"}
    assert workers.failures["Transient"] < 100, (
        "while it is down each message is tried now and then, and not all the time"
    )
    check(system)
    system.container.database.close()


def test_a_database_without_a_free_connection_is_waited_for(server: Postgres, tmp_path: Path, aws_there: None) -> None:
    url = url_of(server, tmp_path)
    system = system_on(url)
    system.container.database.close()
    taken = take_all_connections(url)
    drop_all(system)
    with Workers(system) as workers:
        time.sleep(2.5)
        assert workers.failures["Transient"] > 0
        for connection in taken:
            connection.close()
        say("connections free again", seconds_until_ended(system, FILES), failures=workers.failures)
    assert set(workers.failures) == {"Transient"}
    check(system)
    system.container.database.close()


def test_messages_that_a_queue_has_lost_are_sent_again(database_url: str, aws_there: None) -> None:
    system = system_on(database_url)
    drop_all(system)
    with Workers(system, 1):
        wait_for_rows(system)
    for queue in system.handlers:
        client("sqs").purge_queue(QueueUrl=queue)
    make_old(system)
    began = time.monotonic()
    swept = sweep_later(system)
    assert swept.missed + swept.stuck > 0
    with Workers(system):
        seconds_until_ended(system, FILES)
    say("all queues lost, from the sweep on", time.monotonic() - began, found=swept)
    check(system)
    system.container.database.close()


def test_an_emulator_that_is_killed_loses_messages_and_no_file(database_url: str, broken_emulator: Emulator) -> None:
    system = system_on(database_url)
    broken_emulator.save()  # what it knows of buckets and queues is written when it ends
    with Workers(system):
        drop_all(system)
        wait_for_rows(system)
        broken_emulator.child.process.kill()
        broken_emulator.child.process.wait()
        time.sleep(1.0)
        began = time.monotonic()
        broken_emulator.start()
        make_old(system)
        swept = sweep_later(system)
        seconds_until_ended(system, FILES)
        say("emulator killed, from when it was started", time.monotonic() - began, found=swept)
    check(system)
    system.container.database.close()


def plays_of(number: int) -> bytes:
    songs = "".join(f"song {n % 5},2026-01-01,{number + n}\n" for n in range(10))
    return f"song,date,plays\n{songs}nothing,2026-01-01,\n".encode()


def books(system: System) -> dict[str, Any]:
    """By key, what became of each file; whole, what is in the table."""
    found = {job["object"]["key"]: (job["state"], job["balanced"]) for job in system.container.views.jobs(limit=200)}
    total = system.rows("select sum(read), sum(rejected), sum(inserted + updated) from dropload.job")
    return {"jobs": found, "total": total, "table": system.rows("select song, date, plays from plays order by 1, 2")}


def test_a_hundred_events_missed_doubled_and_reordered_end_in_the_same_table_and_books(
    database_url: str, aws_there: None
) -> None:
    wanted = {f"input/plays/{n:03}.csv": plays_of(n) for n in range(100)}
    system = System.create(database_url)
    bucket, chance = system.settings.bucket, random.Random(7)
    client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    events = []
    for number, (key, data) in enumerate(wanted.items()):
        version = client("s3").put_object(Bucket=bucket, Key=key, Body=data)["VersionId"]
        stored = client("s3").head_object(Bucket=bucket, Key=key, VersionId=version)
        said = {"key": key, "versionId": version, "eTag": stored["ETag"], "size": len(data)}
        record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": said}}
        events += [json.dumps({"Records": [record]})] * (number % 3)  # a third is missed, a third comes twice
    chance.shuffle(events)
    for body in events:
        client("sqs").send_message(QueueUrl=system.settings.intake_queue, MessageBody=body)
    began = time.monotonic()
    system.pump(times=2)
    swept = sweep_later(system)
    assert swept.missed == 34
    system.pump()
    say("100 events, a third missed and a third doubled", time.monotonic() - began, found=swept)
    total = [sum(number + n for number in range(100) for n in range(10) if n % 5 == rest) for rest in range(5)]
    found = books(system)
    assert found["jobs"] == dict.fromkeys(wanted, ("COMPLETED_WITH_FAILURES", True))
    assert found["total"] == [(1100, 100, 1000)]
    assert [(song, plays) for song, _, plays in found["table"]] == [(f"song {n}", total[n]) for n in range(5)]
    assert sweep_later(system).missed == 0
    system.container.database.close()

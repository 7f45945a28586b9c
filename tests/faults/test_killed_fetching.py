"""Killed between any two effects of fetching a file: it is loaded once, by the one job that it was asked for with."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from chalicelib.core.access import EVERYONE
from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import LANES, STARTS, STEP, STRIDE, VISIBILITY_SECONDS
from tests.system import System
from tests.webserver import Handler, WebServer, serving

RECORDS = 30
_EXPIRE = "update dropload.source set leased_until = null where job = (select number from dropload.job where id = %s)"


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(tls=False) as server:
        yield server


@pytest.fixture
def database(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    return database_url


def send_song(handler: Handler) -> None:
    """A file of plays of the song that the query names."""
    song = handler.path.partition("?")[2]
    lines = "".join(f"{song},2026-01-{day + 1:02},1\n" for day in range(RECORDS))
    handler.send(f"song,date,plays\n{lines}".encode())


def fetch(system: System) -> None:
    """Deliver what asks for a file to be fetched. What follows is any job's, and killed elsewhere."""
    system.deliver(system.settings.fetch_queue)


def test_wherever_it_is_killed_one_job_loads_the_file_once(database: str, server: WebServer) -> None:
    server.answers["/plays.csv"] = send_song

    def lane(first: int) -> int:
        system = System.create(database, visibility_seconds=VISIBILITY_SECONDS, private_origins=(server.origin,))
        for rounds, round in enumerate(count(first, STEP), 1):
            id = system.container.starts.run(
                EVERYONE, f"{server.origin}/plays.csv?round-{round}", "plays", validate_only=False, again=False
            )
            died = work_and_die(system, round, task=fetch)
            key = f"input/plays/fetch={id}/plays.csv"
            deadline = time.monotonic() + 30
            while (job := system.job(key))["finished_at"] is None and time.monotonic() < deadline:
                # What the sweep does when no worker can be at it any more.
                system.rows(_EXPIRE, id)
                system.container.queues.send_split(id)
                system.pump()
                time.sleep(0.1)  # for the killed worker's messages to become visible again
            time.sleep(0.2)
            system.pump()  # S3's announcement, if it came last
            assert (job["id"], job["state"], job["balanced"]) == (str(id), "COMPLETED", True)
            assert system.rows("select count(*) from dropload.job where key = %s", key) == [(1,)]
            loaded = "select count(*)::int, sum(plays)::int from public.plays where song = %s"
            assert system.rows(loaded, f"round-{round}") == [(RECORDS, RECORDS)]
            if not died:
                return rounds
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(LANES) as pool:
        assert sum(pool.map(lane, STARTS)) > 20 // STRIDE

"""Killed between any two effects and delivered again: an export ends with the same parts, each booked once."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core.access import EVERYONE
from chalicelib.services.export_ports import ExportFormat
from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import LANES, STARTS, STEP, STRIDE, new_system
from tests.system import System

PARTS = [
    b"song,date,plays\n" + b"".join(b"s%02d,2026-01-01,%d\n" % (n, n) for n in numbers)
    for numbers in (range(56), range(56, 60))
]


@pytest.fixture
def database(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with rows to export, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    new_system(database_url).rows(
        "insert into plays (song, date, plays)"
        " select 's' || lpad(n::text, 2, '0'), '2026-01-01', n from generate_series(0, 59) as n"
    )
    return database_url


def ended(system: System, id: UUID) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        system.pump()
        export = system.container.exports.get(EVERYONE, id)
        if export["finished_at"]:
            return export
        time.sleep(0.1)  # for the killed worker's message to become visible again
    raise AssertionError(f"the export did not end: {export}")


def test_export_has_the_same_parts_wherever_a_worker_is_killed(database: str) -> None:
    def lane(first: int) -> int:
        system = new_system(database)
        for round in count(first, STEP):
            started = system.container.exports.start(
                EVERYONE, "plays", format=ExportFormat.CSV, filters={}, max_part_bytes=1024, with_id=False
            )
            id = UUID(started["id"])
            died = work_and_die(system, round)
            export = ended(system, id)
            assert (export["state"], export["rows"]) == ("COMPLETED", 60)
            assert [system.file(part["key"]) for part in export["parts"]] == PARTS
            assert system.file(export["manifest"]["key"])
            if not died:
                return round
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(LANES) as pool:
        assert min(pool.map(lane, STARTS)) > 20 // STRIDE
    system = new_system(database)
    assert system.rows("select relname from pg_class where relname ~ '^export_[0-9]+$'") == []

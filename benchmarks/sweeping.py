"""What a sweep costs: 100,000 objects that all have jobs, 1,000 that were missed, 1,000 jobs that stand still.

    .venv/bin/python -m benchmarks.sweeping [--objects 100000] [--jobs 1000]

PostgreSQL and the queues are real, on this machine. The listing is made up, a thousand keys a page as S3 gives them:
what S3 itself takes for a page comes on top. Objects are real where they are begun.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.adapters import aws
from chalicelib.services.missed import Missed
from chalicelib.services.ports import StoredObject
from chalicelib.services.sweep_ports import Listed, Page
from infra.local.emulator import Emulator
from infra.local.postgres import Postgres
from tests.system import System, forever, members

PAGE = 1_000  # S3's
BATCHES = 10  # of a job that stands still
MIB = 1024 * 1024

_JOBS = """
insert into dropload.job (id, dataset, bucket, key, revision, version_id, etag, size, batch_bytes, state, split_done,
                          split_offset, batches, columns, started_at, finished_at, created_at)
select gen_random_uuid(), 'members', %(bucket)s, %(folder)s || lpad(n::text, 8, '0') || '.csv', 'v' || n, 'v' || n,
       md5(n::text), 1000, 1000, %(state)s, true, 1000, %(batches)s, '{first_name}', now() - interval '1 day',
       case when %(ended)s then now() end, now() - interval '1 day'
from generate_series(1, %(count)s) as n
"""
_BATCHES = """
insert into dropload.batch (job, number, byte_start, byte_end, first_line, oversize, created_at)
select job.number, n, n * 100, n * 100 + 100, n + 1, false, now() - interval '1 day'
from dropload.job, generate_series(0, %(batches)s - 1) as n
where finished_at is null
"""


class Shelves:
    """A listing of so many objects, all older than a minute."""

    def __init__(self, bucket: str, count: int) -> None:
        self._bucket = bucket
        self._count = count
        self._past = datetime.now(UTC) - timedelta(days=1)

    def page(self, after: str) -> Page:
        """Objects whose keys come after this one."""
        first = int(after.rpartition("/")[2].partition(".")[0]) if after else 0
        last = min(first + PAGE, self._count)
        objects = [self._listed(n) for n in range(first + 1, last + 1)]
        return Page(objects, objects[-1].stored.key if last < self._count else None)

    def _listed(self, n: int) -> Listed:
        key = f"input/members/{n:08}.csv"
        return Listed(StoredObject(self._bucket, key, f"v{n}", "e", 1000), self._past)


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """How many seconds it takes, and what it gives."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def measure(system: System, objects: int, jobs: int) -> dict[str, Any]:
    """All figures; each fresh in the same database, one after the other."""
    container = system.container
    about = {"bucket": system.settings.bucket, "batches": 0, "ended": True}
    fill(system, _JOBS, {**about, "folder": "input/members/", "state": "COMPLETED", "count": objects})
    system.rows("analyze dropload.job")
    listing = Shelves(system.settings.bucket, objects)
    missed = Missed(sweeps=container.sweeps, listing=listing, queues=container.queues, split=container.split)
    before = peak_mib()
    known, looked = timed(lambda: missed.run(forever))
    grown = peak_mib() - before

    for n in range(jobs):
        system.drop(f"input/members/missed/{n:08}.csv", members(n))
    for queue in system.handlers:
        aws.client("sqs").purge_queue(QueueUrl=queue)
    container.missed._clock = lambda: datetime.now(UTC) + timedelta(minutes=2)
    begun, found = timed(lambda: container.missed.run(forever))

    system.rows("delete from dropload.job where finished_at is null")
    stuck = {**about, "batches": BATCHES, "ended": False, "folder": "stuck/", "state": "RUNNING", "count": jobs}
    fill(system, _JOBS, stuck)
    fill(system, _BATCHES, {"batches": BATCHES})
    helped, swept = timed(lambda: container.sweep.run(forever))
    again, _ = timed(lambda: container.sweep.run(forever))
    return {
        "objects": objects,
        "listed_seconds": round(known, 2),
        "listed_looked_at": str(looked),
        "listed_peak_growth_mib": round(grown, 1),
        "missed": jobs,
        "missed_seconds": round(begun, 2),
        "missed_found": str(found),
        "stuck_jobs": jobs,
        "stuck_batches": jobs * BATCHES,
        "stuck_seconds": round(helped, 2),
        "stuck_swept": str(swept),
        "nothing_to_do_seconds": round(again, 2),
    }


def fill(system: System, query: str, values: dict[str, Any]) -> None:
    """Run a statement that makes many rows."""
    with system.container.database.transaction() as cursor:
        cursor.execute(query, values)


def peak_mib() -> float:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB


def main(argv: list[str]) -> int:
    """Print the figures as JSON. Returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweeping", description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000, metavar="N")
    parser.add_argument("--jobs", type=int, default=1_000, metavar="N")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        server, emulator = Postgres(Path(folder) / "postgres"), Emulator(Path(folder) / "aws")
        try:
            url = server.start()
            os.environ.update(emulator.start().environment)
            print(json.dumps(measure(System.create(url), arguments.objects, arguments.jobs), indent=1))
        finally:
            emulator.stop()
            server.stop()
            server.forget()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

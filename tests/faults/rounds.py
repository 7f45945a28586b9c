"""Rounds of killing: in each, a worker is killed somewhere, and the file is delivered again until its job has ended."""

import os
import time

from tests.system import System

VISIBILITY_SECONDS = 1
LANES = 6
"""Rounds that wait for their messages side by side, each with queues of its own."""
STRIDE = int(os.environ.get("KILL_STRIDE", "3"))
"""Every third contact is one to be killed at, in turns just before an effect and just after one; 1 for all of them."""
STARTS = range(1, LANES * STRIDE, STRIDE)
STEP = LANES * STRIDE
"""A lane has the rounds from its start on, so far apart."""


def new_system(database_url: str) -> System:
    return System.create(database_url, batch_bytes=400, visibility_seconds=VISIBILITY_SECONDS)


def settle(system: System, key: str) -> None:
    """Deliver until the job has ended and its notice, if there is any, is sent."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        system.pump()
        jobs = system.container.views.jobs(key=key)
        if jobs and jobs[0]["finished_at"]:
            wanted = 0 if jobs[0]["state"] in ("COMPLETED", "CANCELLED") else 1
            if notices(system, key) == [True] * wanted:
                return
        time.sleep(0.1)  # for the killed worker's messages to become visible again
    raise AssertionError(f"{key} did not end: {system.container.views.jobs(key=key)}")


def notices(system: System, key: str) -> list[bool]:
    """Of each notice about a file, whether it was sent."""
    query = """select sent_at is not null from dropload.outbox join dropload.job on job.number = outbox.job
               where job.bucket = %s and job.key = %s"""
    return [sent for (sent,) in system.rows(query, system.settings.bucket, key)]

"""Asks the running stack to do something about a job, and follows it."""

import time
from pathlib import Path
from typing import Any

from infra.local.client import asking
from infra.local.errors import StackError
from infra.local.load import follow
from infra.local.progress import EXIT_CODES, Job, meter, summary

_LOOK_EVERY = 1.0  # seconds between looks at an undo that is under way
_FATES = {
    "deleted": "made by it: deleted",
    "restored": "changed by it: as they were before",
    "subtracted": "added to by it: that is subtracted",
    "changed": "stay, since others have changed them or found them right",
    "held": "stay, since rows of others refer to them",
    "gone": "are gone, or were written by other means",
    "refused": "stay, since the database refuses what they were",
    "unresolved": "rejected records of other files are not resolved any more",
}


def cancel(job_id: str, state: Path) -> int:
    """The ``cancel`` command. Returns its exit code.

    Raises StackError when the stack does not answer, or says that the job has ended otherwise.
    """
    return 0 if _asked(job_id, "cancel", state)["state"] == "CANCELLED" else 1


def start(job_id: str, state: Path) -> int:
    """The ``start`` command. Returns its exit code.

    Raises StackError when the stack does not answer, or says that the job waits for nothing.
    """
    return EXIT_CODES.get(_asked(job_id, "start", state)["state"], 1)


def _asked(job_id: str, what: str, state: Path) -> Job:
    """The job once it has ended, after it was asked to do this."""
    with asking(state) as (client, _):
        job = client.post(f"/v1/jobs/{job_id}/{what}", {})
        with meter() as shown:
            job = follow(job, client, shown)
    print(summary(job))
    return job


def undo(job_id: str, state: Path, *, yes: bool) -> int:
    """The ``undo`` command. Returns its exit code.

    Raises StackError when the stack does not answer, or the job cannot be undone.
    """
    path = f"/v1/jobs/{job_id}"
    with asking(state) as (client, _):
        plan = client.get(f"{path}/undo")
        if plan["reason"]:
            raise StackError(f"the job cannot be undone: {plan['reason']['message']}")
        if not yes:
            print(
                "\n".join(
                    [*_told({**plan["rows"], "unresolved": plan["unresolved"]}), "  nothing is done without --yes"]
                )
            )
            return 0
        job = client.post(f"{path}/undo", {"token": plan["token"]})
        while not job["undone"]["finished_at"]:
            time.sleep(_LOOK_EVERY)
            job = client.get(path)
    if job["undone"]["reason"]:
        raise StackError(f"nothing was undone: {job['undone']['reason']['message']}")
    print("\n".join(["undone", *_told(job["undone"]["counts"])]))
    return 0


def _told(counts: dict[str, Any]) -> list[str]:
    return [f"  {counts[fate]:>9,} {what}" for fate, what in _FATES.items() if counts[fate]] or ["  no row at all"]

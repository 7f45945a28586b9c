"""Asks the running stack to do again what failed of a job, and follows the job that does it."""

from pathlib import Path

from infra.local.client import asking
from infra.local.load import follow
from infra.local.progress import EXIT_CODES, meter, summary


def run(job_id: str, what: str | None, state: Path) -> int:
    """The ``redrive`` command. Returns its exit code.

    Raises StackError when the stack does not answer, or says that there is nothing to do again.
    """
    with asking(state) as (client, _):
        job = client.post(f"/v1/jobs/{job_id}/redrive", {"what": what} if what else {})
        with meter() as shown:
            job = follow(job, client, shown)
    print(summary(job))
    return EXIT_CODES.get(job["state"], 1)

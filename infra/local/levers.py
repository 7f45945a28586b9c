"""Asks the running stack to do something about a job, and follows it."""

from pathlib import Path

from infra.local.client import ApiClient, ApiError
from infra.local.errors import StackError
from infra.local.load import follow
from infra.local.progress import EXIT_CODES, Job, meter, summary
from infra.local.state import Local


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
    local = Local.read(state)
    client = ApiClient(local.api_url, local.api_key)
    try:
        job = client.post(f"/v1/jobs/{job_id}/{what}", {})
        with meter() as shown:
            job = follow(job, client, shown)
    except ApiError as problem:
        raise StackError(f"the API: {problem}") from None
    print(summary(job))
    return job

"""Asks the running stack to do again what failed of a job, and follows the job that does it."""

from pathlib import Path

from infra.local.client import ApiClient, ApiError
from infra.local.errors import StackError
from infra.local.load import follow
from infra.local.progress import EXIT_CODES, meter, summary
from infra.local.state import Local


def run(job_id: str, what: str | None, state: Path) -> int:
    """The ``redrive`` command. Returns its exit code.

    Raises StackError when the stack does not answer, or says that there is nothing to do again.
    """
    local = Local.read(state)
    client = ApiClient(local.api_url, local.api_key)
    try:
        job = client.post(f"/v1/jobs/{job_id}/redrive", {"what": what} if what else {})
        with meter() as shown:
            job = follow(job, client, shown)
    except ApiError as problem:
        raise StackError(f"the API: {problem}") from None
    print(summary(job))
    return EXIT_CODES.get(job["state"], 1)

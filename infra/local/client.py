"""The client of the API, for the commands of dev.py: the one that people install."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dropload_client.api import TIMEOUT_SECONDS, ApiClient, ApiError
from infra.local.errors import StackError
from infra.local.processes import log_of, tail
from infra.local.state import Local

__all__ = ["API", "TIMEOUT_SECONDS", "ApiClient", "ApiError", "asking"]

API = "api"
"""The name of the process that serves it."""


@contextmanager
def asking(state: Path) -> Iterator[tuple[ApiClient, Local]]:
    """A patient client of the stack that runs on this state, and how else to use that stack.

    Raises StackError when none is ready, and in place of every ApiError: with the end of the API's log where it gave
    no answer.
    """
    local = Local.read(state)
    try:
        yield ApiClient(local.api_url, local.api_key, patient=True), local
    except ApiError as problem:
        log = log_of(state, API)
        more = "" if problem.status else f"\nThe end of {log}:\n{tail(log)}"
        raise StackError(f"the API: {problem}{more}") from None

"""Asks the running stack why a file is not loaded."""

from pathlib import Path

from dropload_client.whereabouts import LOADED, said
from infra.local.client import ApiClient, ApiError
from infra.local.errors import StackError
from infra.local.state import Local


def run(key: str, state: Path) -> int:
    """The ``why`` command. Returns its exit code: 0 where the file is loaded, 1 where it is not.

    Raises StackError when the stack does not answer.
    """
    local = Local.read(state)
    key = key.removeprefix(f"s3://{local.bucket}/")
    try:
        found = ApiClient(local.api_url, local.api_key).get("/v1/objects", key=key)
    except ApiError as problem:
        raise StackError(f"the API: {problem}") from None
    print("\n".join(said(found)))
    return 0 if found["code"] in LOADED else 1

"""Asks the running stack why a file is not loaded."""

from pathlib import Path

from dropload_client.whereabouts import LOADED, said
from infra.local.client import asking


def run(key: str, state: Path) -> int:
    """The ``why`` command. Returns its exit code: 0 where the file is loaded, 1 where it is not.

    Raises StackError when the stack does not answer.
    """
    with asking(state) as (client, local):
        found = client.get("/v1/objects", key=key.removeprefix(f"s3://{local.bucket}/"))
    print("\n".join(said(found)))
    return 0 if found["code"] in LOADED else 1

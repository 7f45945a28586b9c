"""Asks the running stack to erase a person's records, and says what it did."""

import time
from collections.abc import Mapping
from pathlib import Path

from infra.local.client import asking

_LOOK_EVERY = 1.0
_WAIT = 60.0  # seconds; files of jobs that are under way take longer


def run(dataset: str, key: Mapping[str, str], state: Path) -> int:
    """The ``erase`` command. Returns its exit code.

    Raises StackError when the stack does not answer, or refuses.
    """
    with asking(state) as (client, _):
        erasure = client.post(f"/v1/datasets/{dataset}/erasures", {"key": dict(key)})
        until = time.monotonic() + _WAIT
        while not erasure["finished_at"] and time.monotonic() < until:
            time.sleep(_LOOK_EVERY)
            erasure = client.get(erasure["links"]["self"])
    print("erased:")
    for what, count in erasure["erased"].items():
        print(f"  {count:>9,} {what.replace('_', ' ')}")
    if not erasure["finished_at"]:
        print(f"  {erasure['error_files_left']} error files are still to be written anew: erasure {erasure['id']}")
    held = erasure["may_hold"]
    for name in [*(file["key"] for file in held["input"]), *held["staging"], *held["output"]]:
        print(f"may hold the records yet: {name}")
    if held["open_jobs"]:
        print(f"{held['open_jobs']} files are being loaded, and may bring the records back: erase again after them")
    return 0

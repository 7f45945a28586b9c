"""Has the running stack write a dataset out, follows that, and downloads the files."""

import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from infra.local.client import TIMEOUT_SECONDS, ApiClient, ApiError
from infra.local.errors import StackError
from infra.local.state import Local

ENDED = ("COMPLETED", "FAILED", "CANCELLED")
LOOK_EVERY_SECONDS = 0.25
LINE_EVERY_SECONDS = 2.0
_CHUNK = 1 << 20

Export = dict[str, Any]
"""An export as the API shows it."""


@dataclass(frozen=True)
class Wanted:
    """What was asked for; None for the API's default."""

    format: str
    filters: Mapping[str, str]
    max_part_bytes: int | None
    with_id: bool

    def as_json(self) -> dict[str, Any]:
        """The request's body."""
        limit = {} if self.max_part_bytes is None else {"max_part_bytes": self.max_part_bytes}
        return {"format": self.format, "filters": dict(self.filters), "with_id": self.with_id, **limit}


def run(dataset: str, wanted: Wanted, out: Path | None, state: Path) -> int:
    """The ``export`` command. Returns its exit code.

    Raises StackError when the stack does not answer or refuses, and when a file cannot be had as it was written.
    """
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StackError(f"{out} is not empty: files of another export would stand beside these; choose a new folder")
    local = Local.read(state)
    client = ApiClient(local.api_url, local.api_key)
    try:
        export = _ended(client, client.post(f"/v1/datasets/{dataset}/exports", wanted.as_json()))
    except ApiError as problem:
        raise StackError(f"the API: {problem}") from None
    print(_summary(export, local.bucket))
    if export["state"] != "COMPLETED":
        return 1
    if out is not None:
        for part in [*export["parts"], export["manifest"]]:
            print(f"  {_download(part, out)}", flush=True)
    return 0


def _ended(client: ApiClient, export: Export) -> Export:
    """The export when it has ended; its progress is shown meanwhile."""
    started = time.monotonic()
    due = started + LINE_EVERY_SECONDS
    while export["state"] not in ENDED:
        time.sleep(LOOK_EVERY_SECONDS)
        export = client.get(export["links"]["self"])
        if time.monotonic() >= due:
            rows = "?" if export["rows"] is None else f"{export['rows']:,}"
            done = f"{export['rows_done']:,} of {rows} rows, {decimal(export['bytes'])}"
            print(f"{time.monotonic() - started:6.1f} s  {export['state']}: {done}", flush=True)
            due += LINE_EVERY_SECONDS
    return export


def _summary(export: Export, bucket: str) -> str:
    """How an export ended, and where its files are."""
    if export["state"] != "COMPLETED":
        why = f" because {export['reason']['message']}" if export["reason"] else ""
        return f"{export['state']}{why}\n  export {export['id']}"
    lines = [f"COMPLETED: {export['rows']:,} rows, {decimal(export['bytes'])}, as of {export['snapshot_at']}"]
    lines += [f"  s3://{bucket}/{part['key']}  {part['rows']:,} rows" for part in export["parts"]]
    return "\n".join([*lines, f"  s3://{bucket}/{export['manifest']['key']}"])


def _download(part: Mapping[str, Any], folder: Path) -> Path:
    """Get a file by its link and return where it lies; one that is not what the books say is not left there."""
    path = folder / str(part["key"]).rpartition("/")[2]
    unfinished = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(part["url"], timeout=TIMEOUT_SECONDS) as answer, unfinished.open("wb") as file:
            while chunk := answer.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
        if part.get("sha256") not in (None, digest.hexdigest()):
            unfinished.unlink()
            raise StackError(f"{part['key']} came with other bytes than were written (sha256)")
        unfinished.replace(path)
    except urllib.error.HTTPError as refused:
        refused.close()
        raise StackError(f"cannot download {part['key']}: {refused.code}") from None
    except OSError as problem:
        raise StackError(f"cannot download {part['key']}: {problem}") from None
    return path

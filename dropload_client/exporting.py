"""Has a dataset written out as files, and follows that."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dropload_client.api import ApiClient
from dropload_client.report import LINE_EVERY_SECONDS, decimal

EXPORT_ENDED = ("COMPLETED", "FAILED", "CANCELLED")
_LOOK_EVERY_SECONDS = 0.25

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


def ended_export(client: ApiClient, export: Export, say: Callable[[str], None]) -> Export:
    """The export when it has ended; ``say`` is told its progress meanwhile. Raises ApiError."""
    started = time.monotonic()
    due = started + LINE_EVERY_SECONDS
    while export["state"] not in EXPORT_ENDED:
        time.sleep(_LOOK_EVERY_SECONDS)
        export = client.get(export["links"]["self"])
        if time.monotonic() >= due:
            rows = "?" if export["rows"] is None else f"{export['rows']:,}"
            done = f"{export['rows_done']:,} of {rows} rows, {decimal(export['bytes'])}"
            say(f"{time.monotonic() - started:6.1f} s  {export['state']}: {done}")
            due += LINE_EVERY_SECONDS
    return export


def export_summary(export: Export, bucket: str | None = None) -> str:
    """How an export ended, and where its files are."""
    if export["state"] != "COMPLETED":
        why = f" because {export['reason']['message']}" if export["reason"] else ""
        return f"{export['state']}{why}\n  export {export['id']}"
    where = "" if bucket is None else f"s3://{bucket}/"
    lines = [f"COMPLETED: {export['rows']:,} rows, {decimal(export['bytes'])}, as of {export['snapshot_at']}"]
    lines += [f"  {where}{part['key']}  {part['rows']:,} rows" for part in export["parts"]]
    return "\n".join([*lines, f"  {where}{export['manifest']['key']}"])

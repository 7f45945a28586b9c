"""Has the running stack write a dataset out, follows that, and downloads the files."""

from functools import partial
from pathlib import Path

from dropload_client.downloading import download_part
from dropload_client.exporting import Wanted, ended_export, export_summary
from infra.local.client import ApiError, asking
from infra.local.errors import StackError

__all__ = ["Wanted", "run"]


def run(dataset: str, wanted: Wanted, out: Path | None, state: Path) -> int:
    """The ``export`` command. Returns its exit code.

    Raises StackError when the stack does not answer or refuses, and when a file cannot be had as it was written.
    """
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StackError(f"{out} is not empty: files of another export would stand beside these; choose a new folder")
    with asking(state) as (client, local):
        export = client.post(f"/v1/datasets/{dataset}/exports", wanted.as_json())
        export = ended_export(client, export, partial(print, flush=True))
    print(export_summary(export, local.bucket))
    if export["state"] != "COMPLETED":
        return 1
    if out is not None:
        try:
            for part in [*export["parts"], export["manifest"]]:
                print(f"  {download_part(part, out)}", flush=True)
        except ApiError as problem:
            raise StackError(str(problem)) from None
    return 0

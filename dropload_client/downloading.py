"""Gets files by links that expire; half a file is never left under a file's name."""

import hashlib
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dropload_client.api import TIMEOUT_SECONDS, ApiError

_CHUNK = 1 << 20


def download(url: str, path: Path, sha256: str | None = None) -> Path:
    """Get a file and return where it lies.

    Raises ApiError where it cannot be had, or has other bytes than it should have.
    """
    unfinished = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer, unfinished.open("wb") as file:
            left = answer.length
            while chunk := answer.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
                left = None if left is None else left - len(chunk)
        if left or sha256 not in (None, digest.hexdigest()):
            unfinished.unlink()
            raise ApiError(f"{path.name} came with other bytes than were written (sha256)")
        unfinished.replace(path)
    except urllib.error.HTTPError as refused:
        refused.close()
        raise ApiError(f"cannot download {path.name}: {refused.code}") from None
    except OSError as problem:
        raise ApiError(f"cannot download {path.name}: {problem}") from None
    return path


def print_file(url: str) -> None:
    """Write a file to standard output. Raises ApiError where it cannot be had."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            while chunk := answer.read(_CHUNK):
                sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise ApiError(f"cannot download the file: {problem}") from None


def download_part(part: Mapping[str, Any], folder: Path) -> Path:
    """Get a file of an export into a folder. Raises ApiError."""
    return download(part["url"], folder / str(part["key"]).rpartition("/")[2], part.get("sha256"))

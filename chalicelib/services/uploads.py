"""Uploads: leave to put one file into the input folder, straight into S3."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.access import Caller
from chalicelib.core.attempts import MAX_ATTEMPTS
from chalicelib.core.metadata import AGAIN, SHA256, VALIDATE_ONLY
from chalicelib.core.targets import MOST_UPLOAD, upload_key
from chalicelib.errors import RequestRefused
from chalicelib.services.clock import utc_now
from chalicelib.services.fetch_ports import FetchLedger, InputStore
from chalicelib.services.ports import Datasets
from chalicelib.services.visible import visible

_META = "x-amz-meta-"


class Uploads:
    """S3 itself holds the uploader to the key, the size, the checksum and the time that were granted."""

    def __init__(
        self,
        *,
        fetches: FetchLedger,
        inputs: InputStore,
        datasets: Datasets,
        seconds: int,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._fetches = fetches
        self._inputs = inputs
        self._datasets = datasets
        self._seconds = seconds
        self._clock = clock

    def grant(
        self,
        caller: Caller,
        name: str,
        filename: str,
        size: int,
        *,
        sha256: str | None,
        validate_only: bool,
        again: bool,
        max_attempts: int | None,
    ) -> dict[str, Any]:
        """Grant an upload: the form to be posted, and by when. ``max_attempts`` (1 to 20) is how often it is tried.

        Whether the file has been loaded can be told by its checksum (hex) only; without one, its job will tell.

        Raises:
            RequestRefused: 404, there is no such dataset for them; 400, no file may have this name; 413, it is larger
                than the dataset or S3 takes; 409, it has been loaded or is about to be, by ``job``.
        """
        dataset = visible(self._datasets, caller, name)
        try:
            key = upload_key(name, filename)
        except ValueError as why:
            raise RequestRefused(400, "bad-filename", f"filename: {why}") from None
        _refuse_large(size, dataset.max_file_bytes)
        if sha256 is not None and not validate_only and not again:
            earlier = self._fetches.same_file(key, sha256, size)
            if earlier is not None:
                message = (
                    f"this file has been loaded or is about to be, by job {earlier}; ask for it again to repeat that"
                )
                raise RequestRefused(409, "loaded-before", message, job=str(earlier))
        fields = _fields(sha256, validate_only=validate_only, again=again, max_attempts=max_attempts)
        expires = self._clock() + timedelta(seconds=self._seconds)
        form = self._inputs.grant(key, size, self._seconds, fields)
        return {
            "method": "POST",
            "url": form["url"],
            "fields": form["fields"],
            "key": key,
            "expires_at": expires.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }


def _fields(sha256: str | None, *, validate_only: bool, again: bool, max_attempts: int | None) -> dict[str, str]:
    fields = {"success_action_status": "201"}
    if validate_only:
        fields[_META + VALIDATE_ONLY] = "true"
    if again:
        fields[_META + AGAIN] = "true"
    if max_attempts is not None:
        fields[_META + MAX_ATTEMPTS] = str(max_attempts)
    if sha256 is not None:
        fields[_META + SHA256] = sha256
        fields["x-amz-checksum-algorithm"] = "SHA256"
        fields["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(sha256)).decode()
    return fields


def _refuse_large(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise RequestRefused(413, "byte-count", f"the dataset takes files of at most {limit} bytes")
    if size > MOST_UPLOAD:
        message = (
            f"more than {MOST_UPLOAD} bytes cannot be uploaded at once: put the file into the bucket's input folder "
            "with a program for S3, which does that in parts, or have it fetched from a URL (POST /v1/jobs)"
        )
        raise RequestRefused(413, "too-large", message)

"""Uploads a file straight to S3, by a form that the API has made for it."""

import hashlib
import http.client
import re
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dropload_client.api import TIMEOUT_SECONDS, ApiError

_CHUNK = 1 << 18
_TRIES = 3


class Uploaded(NamedTuple):
    """The version that a file became; None where the bucket keeps no versions."""

    key: str
    version_id: str | None
    etag: str


def sha256_of(file: Path) -> str:
    """The digest of a file, in hex. Raises OSError."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def post_form(upload: Mapping[str, Any], file: Path, sent: Callable[[int, int], None]) -> Uploaded:
    """Post a file by what ``POST /v1/uploads`` answered, and again if the line breaks; ``sent`` is told how far it is.

    Raises ApiError when S3 refuses or cannot be reached, OSError when the file cannot be read.
    """
    for left in range(_TRIES - 1, -1, -1):
        try:
            return _post(upload, file, sent)
        except _Broken as problem:
            if not left:
                raise ApiError(f"the upload broke off: {problem}") from None
            time.sleep(1)
    raise AssertionError("the last try returns or raises")


class _Broken(Exception):
    """Worth another try."""


def _post(upload: Mapping[str, Any], file: Path, sent: Callable[[int, int], None]) -> Uploaded:
    boundary = secrets.token_hex(16)
    head = _head(upload["fields"], boundary)
    tail = f"\r\n--{boundary}--\r\n".encode()
    size = file.stat().st_size
    url = urlsplit(upload["url"])
    path = url.path or "/"
    connection = _connection(url.scheme, url.netloc)
    try:
        _connect(connection)
        with file.open("rb") as opened:

            def body() -> Iterator[bytes]:
                done = 0
                yield head
                while chunk := opened.read(_CHUNK):
                    yield chunk
                    done += len(chunk)
                    sent(done, size)
                yield tail

            headers = {
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "Content-Length": str(len(head) + size + len(tail)),
            }
            with suppress(BrokenPipeError, ConnectionResetError):  # S3 answers, and closes, once it knows it refuses
                connection.request("POST", path, body(), headers)
            answer = connection.getresponse()
            said = answer.read(100_000).decode(errors="replace")
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as problem:
        raise _Broken(f"{type(problem).__name__}: {problem}") from None
    finally:
        connection.close()
    if answer.status >= 500:
        raise _Broken(f"S3 answered {answer.status}")
    if answer.status >= 300:
        raise ApiError(f"S3 refused the upload: {answer.status} {_element(said, 'Code')}: {_element(said, 'Message')}")
    return Uploaded(upload["key"], answer.getheader("x-amz-version-id"), (answer.getheader("ETag") or "").strip('"'))


def _connection(scheme: str, authority: str) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(authority, timeout=TIMEOUT_SECONDS)
    return http.client.HTTPConnection(authority, timeout=TIMEOUT_SECONDS)


def _connect(connection: http.client.HTTPConnection) -> None:
    try:
        connection.connect()
    except OSError as problem:
        raise _Broken(f"{connection.host}: {problem}") from None


def _head(fields: Mapping[str, str], boundary: str) -> bytes:
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
    return "".join([*parts, file]).encode()


def _element(xml: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", xml)
    return found[1] if found else "?"

"""Posts the form of an upload as a browser does."""

import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any


def post(upload: Mapping[str, Any], data: bytes, **changes: str) -> tuple[int, Mapping[str, str], str]:
    """S3's status, headers (names in lower case) and body; ``changes`` are fields beside the form's, or instead."""
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {**upload["fields"], **changes}.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'.encode()
    body = b"".join([*parts, head, data, f"\r\n--{boundary}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(upload["url"], body, headers), timeout=30) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, {k.lower(): v for k, v in refused.headers.items()}, refused.read().decode()

"""AWS clients with time limits, and which of AWS's errors will pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from chalicelib.errors import FileRefused, Transient

# The SDK's own retries bridge a hiccup; whatever lasts longer is retried by the queue.
_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3})

_GONE = {"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"}
_CHANGED = {"PreconditionFailed", "412", "InvalidRange", "416"}


@cache
def client(service: str) -> Any:
    """One client a service and process. The emulator is reached through ``AWS_ENDPOINT_URL``."""
    connect: Any = boto3.client  # its stubs know services by literal names only
    config = _CONFIG.merge(Config(s3={"addressing_style": "path"})) if service == "s3" else _CONFIG
    return connect(service, config=config)


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Turns AWS's errors into ours.

    Raises:
        FileRefused: an object is gone, or is not the one that was asked for.
        Transient: anything else; ``what`` says what we were doing.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        if code in _GONE:
            raise FileRefused("source-gone", "the file was deleted before it was loaded") from None
        if code in _CHANGED:
            raise FileRefused(
                "source-changed", "the file was overwritten before it was loaded; its new version is a job of its own"
            ) from None
        raise Transient("aws-trouble", f"{what}: {code}") from None
    except (BotoCoreError, HTTPError, OSError) as error:
        raise Transient("aws-trouble", f"{what}: {type(error).__name__}") from None

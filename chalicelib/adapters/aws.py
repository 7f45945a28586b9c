"""AWS clients with time limits, and which of AWS's errors will pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from chalicelib.errors import Transient

# The SDK's own retries bridge a hiccup; whatever lasts longer is retried by the queue.
_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3})
_SPECIAL = {
    "s3": Config(s3={"addressing_style": "path"}, signature_version="s3v4"),  # for links, which else get version 2
    # A mail whose answer got lost must not be sent again behind our back.
    "ses": Config(read_timeout=20, retries={"mode": "standard", "total_max_attempts": 1}),
}


@cache
def client(service: str) -> Any:
    """One client a service and process. The emulator is reached through ``AWS_ENDPOINT_URL``."""
    connect: Any = boto3.client  # its stubs know services by literal names only
    return connect(service, config=_CONFIG.merge(_SPECIAL.get(service, Config())))


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Turns AWS's errors into ours.

    Raises:
        Transient: always; ``what`` says what we were doing.
    """
    try:
        yield
    except ClientError as error:
        raise Transient("aws-trouble", f"{what}: {error_code(error)}") from None
    except (BotoCoreError, HTTPError, OSError) as error:
        raise Transient("aws-trouble", f"{what}: {type(error).__name__}") from None


def error_code(error: ClientError) -> str:
    """AWS's word for what went wrong, or an HTTP status."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))

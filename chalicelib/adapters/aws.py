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
from chalicelib.services.deadline import seconds_left

# The SDK's own retries bridge a hiccup; whatever lasts longer is retried by the queue. All tries of one request, by how
# many seconds an invocation must have left for them.
_CONFIGS = {
    210: Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3}),
    60: Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2}),
    0: Config(connect_timeout=2, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 2}),
}
_SPECIAL = {
    "s3": Config(s3={"addressing_style": "path"}, signature_version="s3v4"),  # for links, which else get version 2
    # A mail whose answer got lost must not be sent again behind our back.
    "ses": Config(read_timeout=20, retries={"mode": "standard", "total_max_attempts": 1}),
}


def client(service: str) -> Any:
    """A client whose requests end before this invocation does. The emulator is reached through ``AWS_ENDPOINT_URL``."""
    left = seconds_left()
    return _client(service, next(seconds for seconds in _CONFIGS if left >= seconds))


@cache
def _client(service: str, seconds: int) -> Any:
    """One client a service and process, for each kind of patience."""
    connect: Any = boto3.client  # its stubs know services by literal names only
    return connect(service, config=_CONFIGS[seconds].merge(_SPECIAL.get(service, Config())))


def forget_clients() -> None:
    """From now on clients are made anew, by what the environment says then."""
    _client.cache_clear()


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

"""How often a job is tried that failed for a passing reason, and when again; its object's metadata carry both."""

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.errors import FileRefused

ATTEMPTS = "dropload-attempts"
"""The header ``x-amz-meta-dropload-attempts``: how often this was tried before, and failed for a passing reason."""
MAX_ATTEMPTS = "dropload-max-attempts"
MOST_ATTEMPTS = 20
"""What a dataset or an uploader may ask for, at most."""
_MOST_BEFORE = 1_000
_FIRST = 300  # seconds: what lasts for hours is bridged by the queue; this comes after
_LONGEST = 6 * 3600


class Attempts(NamedTuple):
    """What an object says: how often it was tried ``before``, and the ``most`` that its uploader wants, if any."""

    before: int = 0
    most: int | None = None


def attempts_of(metadata: Mapping[str, str]) -> Attempts:
    """What the metadata of an object say; names are in lower case.

    Raises:
        FileRefused: they say something else than a number within limits.
    """
    before = _number(metadata, ATTEMPTS, 0, _MOST_BEFORE)
    return Attempts(before or 0, _number(metadata, MAX_ATTEMPTS, 1, MOST_ATTEMPTS))


def attempts_metadata(attempts: Attempts) -> dict[str, str]:
    """What an object that we write says, so that what is made of it, or a copy, does not begin at nothing."""
    limit = {} if attempts.most is None else {MAX_ATTEMPTS: str(attempts.most)}
    return {ATTEMPTS: str(attempts.before), **limit}


def retry_seconds(attempts: int) -> int:
    """How long to wait after so many attempts (1 or more): twice as long each time, up to six hours."""
    doublings: int = min(attempts - 1, MOST_ATTEMPTS)
    return min(_FIRST << doublings, _LONGEST)


def _number(metadata: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    if name not in metadata:
        return None
    value = metadata[name].strip()
    if not (value.isascii() and value.isdigit() and len(value) <= 4 and least <= int(value) <= most):
        raise FileRefused("bad-metadata", f"x-amz-meta-{name} must be a whole number from {least} to {most}")
    return int(value)

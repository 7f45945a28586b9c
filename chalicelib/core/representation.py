"""A row as the API shows it: the object that a JSON Lines export has for it, with its id, and a tag of its content."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache

from chalicelib.core.lines import Encode, json_encoder
from chalicelib.core.schema import Dataset

_TAG_DIGITS = 32
MAX_ID = 2**63 - 1


@lru_cache(maxsize=64)
def record_encoder(dataset: Dataset) -> Encode:
    """Return the function from a row (its id first) to the object that stands for it, with a newline.

    It raises ExportRefused for a value that no file of the dataset can say.
    """
    return json_encoder(dataset, with_id=True)


def tag_of(record: bytes) -> str:
    """Return the strong ETag of a record as it is shown: another content has another one."""
    return f'"{hashlib.sha256(record).hexdigest()[:_TAG_DIGITS]}"'


def matches(if_match: str, tag: str) -> bool:
    """Tell whether an ``If-Match`` header names this tag (RFC 9110: weak tags match nothing, ``*`` anything)."""
    return if_match.strip() == "*" or tag in (one.strip() for one in if_match.split(","))


def cursor_after(id: int, dataset: str, filters: Mapping[str, str | None]) -> str:
    """Return what leads past a row, in a list with these filters only."""
    text = f"{id}.{_digest(dataset, filters)}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(cursor: str, dataset: str, filters: Mapping[str, str | None]) -> int:
    """Return the id that a cursor leads past.

    Raises:
        ValueError: it is none of ours, or one of a list with other filters.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars="-_", validate=True).decode("ascii")
    except ValueError:
        raise ValueError("not a cursor that we gave") from None
    id = text.partition(".")[0]
    known = id.isdigit() and len(id) < 20 and int(id) <= MAX_ID
    if not known or cursor_after(int(id), dataset, filters) != cursor:
        raise ValueError("not a cursor that we gave for these filters")
    return int(id)


def _digest(dataset: str, filters: Mapping[str, str | None]) -> str:
    said = json.dumps([dataset, sorted(filters.items())])
    return hashlib.sha256(said.encode()).hexdigest()[:16]

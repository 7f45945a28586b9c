"""What may be loaded, and the names under which files come to lie in the input folder."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote
from uuid import UUID

from chalicelib.core.addresses import Url, parse_url
from chalicelib.errors import UrlRefused

MOST_KEY = 1024  # bytes of UTF-8, S3's limit
MOST_UPLOAD = 5 * 1024**3  # bytes that S3 takes in one POST
FETCH = "fetch="
"""How the folder of a fetched file begins: ``input/<dataset>/fetch=<job>/<name>``."""

_SCHEME = "s3://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MOST_NAME = 100  # characters of the name that a fetched file gets
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class S3Target:
    """An object: its newest version."""

    bucket: str
    key: str

    @property
    def shown(self) -> str:
        """As it was asked for."""
        return f"{_SCHEME}{self.bucket}/{self.key}"


def parse_target(text: str) -> S3Target | Url:
    """What ``s3://bucket/key`` or ``https://host/path`` leads to; a key is as it is, without escapes.

    Raises:
        UrlRefused: it is neither. Nothing of it is repeated.
    """
    if not text.startswith(_SCHEME):
        return parse_url(text)
    bucket, _, key = text[len(_SCHEME) :].partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise UrlRefused("bad-url", "the bucket's name is none")
    if not key or key.endswith("/") or "\0" in key or not _fits(key):
        raise UrlRefused("bad-url", f"an object's key has 1 to {MOST_KEY} bytes, and does not end with /")
    return S3Target(bucket, key)


def upload_key(dataset: str, filename: str) -> str:
    """Where a file with this name is uploaded to.

    Raises:
        ValueError: no file may have this name; says why, without repeating it.
    """
    if not filename or filename.strip() != filename:
        raise ValueError("is empty, or begins or ends with a blank")
    if "/" in filename or "\\" in filename or filename in (".", ".."):
        raise ValueError("is a path; give the file's name alone")
    if any(unicodedata.category(char) in ("Cc", "Cs", "Cn", "Zl", "Zp") or char in _DIRECTIONS for char in filename):
        raise ValueError("has a character that no name may have, or that cannot be seen")
    if "$" in filename:  # ${filename} is S3's to replace in a form, and $ its escape in a policy
        raise ValueError("has a $, which S3 does not take here")
    key = f"input/{dataset}/{filename}"
    if not _fits(key):
        raise ValueError(f"is longer than the {MOST_KEY} bytes that S3 gives a key")
    return key


def fetched_key(dataset: str, job: UUID, target: S3Target | Url) -> str:
    """Where a file from elsewhere comes to lie: in a folder of its job's, with what is safe of its name."""
    path = target.key if isinstance(target, S3Target) else unquote(target.path.partition("?")[0], errors="replace")
    name = _UNSAFE.sub("_", path.rpartition("/")[2]).strip("._")[-_MOST_NAME:]
    return f"input/{dataset}/{FETCH}{job}/{name or 'file'}"


def folder_dataset(key: str) -> str | None:
    """The dataset whose folder of the bucket a key of ours lies in (``input/<dataset>/...``), if any."""
    parts = key.split("/", 2)
    return parts[1] if len(parts) == 3 else None


def _fits(key: str) -> bool:
    try:
        return len(key.encode()) <= MOST_KEY
    except UnicodeEncodeError:
        return False

"""What an uploader may ask for, in the metadata of an object."""

import re
from collections.abc import Mapping

from chalicelib.errors import FileRefused

VALIDATE_ONLY = "dropload-validate-only"
"""The name of the header ``x-amz-meta-dropload-validate-only``, as S3's clients show it."""
AGAIN = "dropload-again"
"""Whether a file is to be loaded that has been loaded before."""
SHA256 = "dropload-sha256"
"""What the file's bytes are said to be, in hex."""
_HEX = re.compile(r"[0-9a-f]{64}")


def asks_to_validate(metadata: Mapping[str, str]) -> bool:
    """Tell whether a file is only to be validated. Names are in lower case; the value is, in any case, true or false.

    Raises:
        FileRefused: it is something else. Whoever wrote it may have wanted that nothing is loaded.
    """
    return _says(metadata, VALIDATE_ONLY)


def asks_for_again(metadata: Mapping[str, str]) -> bool:
    """Tell whether a file is to be loaded even if its bytes have been. Raises as ``asks_to_validate``."""
    return _says(metadata, AGAIN)


def sha256_of(metadata: Mapping[str, str]) -> str | None:
    """Return the digest that the file is said to have, where that is one."""
    value = metadata.get(SHA256, "").strip().lower()
    return value if _HEX.fullmatch(value) else None


def _says(metadata: Mapping[str, str], name: str) -> bool:
    value = metadata.get(name, "false").strip().lower()
    if value not in ("true", "false"):
        raise FileRefused("bad-metadata", f"x-amz-meta-{name} must be true or false")
    return value == "true"

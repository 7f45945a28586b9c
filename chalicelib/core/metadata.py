"""What an uploader may ask for, in the metadata of an object."""

from collections.abc import Mapping

from chalicelib.errors import FileRefused

VALIDATE_ONLY = "dropload-validate-only"
"""The name of the header ``x-amz-meta-dropload-validate-only``, as S3's clients show it."""


def asks_to_validate(metadata: Mapping[str, str]) -> bool:
    """Tell whether a file is only to be validated. Names are in lower case; the value is, in any case, true or false.

    Raises:
        FileRefused: it is something else. Whoever wrote it may have wanted that nothing is loaded.
    """
    value = metadata.get(VALIDATE_ONLY, "false").strip().lower()
    if value not in ("true", "false"):
        raise FileRefused("bad-metadata", f"x-amz-meta-{VALIDATE_ONLY} must be true or false")
    return value == "true"

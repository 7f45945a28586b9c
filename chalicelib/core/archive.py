"""Where a loaded object goes that is to be kept."""

from uuid import UUID

_LONGEST = 1024  # bytes of UTF-8 that an S3 key may have


def archive_key(dataset: str, job: UUID, key: str) -> str:
    """Return ``archive/<dataset>/job=<id>/<what follows input/<dataset>/>``: no two jobs share a key.

    Of a name that would become too long the end is kept.
    """
    prefix = f"archive/{dataset}/job={job}/"
    name = key.removeprefix(f"input/{dataset}/").encode()
    return prefix + name[-(_LONGEST - len(prefix.encode())) :].decode(errors="ignore")

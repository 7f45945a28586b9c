"""What programs hear when a job has ended: one JSON message, without any cell's value."""

from collections.abc import Mapping
from typing import Any

from chalicelib.core.letter import error_file_key, job_url, page_url

CAUSES = 20
"""Told of in a message, the most frequent; the rest is in the status."""
_SAME = (
    *("dataset", "state", "reason", "object", "counts", "balanced", "duplicate_of", "parent", "validate_only"),
    *("created_at", "started_at", "finished_at"),
)


def job_ended(number: int, job: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    """The message about ``job`` (the API's job object); ``number`` tells one end of a job from a later one.

    The ``id`` is the same each time that the message is sent, so that whoever gets it twice can tell.
    """
    error_file = error_file_key(job)
    return {
        "type": "job.ended",
        "id": f"{job['id']}.{number}",
        "job": job["id"],
        **{name: job[name] for name in _SAME},
        "causes": list(job["causes"][:CAUSES]),
        "error_file": None if error_file is None else f"s3://{job['object']['bucket']}/{error_file}",
        "links": {"self": job_url(public_url, job["id"]), "page": page_url(public_url, job["id"])},
    }

"""What starting jobs, and fetching their files, needs from the world."""

from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.targets import S3Target
from chalicelib.services.ports import Job, StoredObject


@dataclass(frozen=True, slots=True)
class FetchJob:
    """A job whose object is to be fetched. ``source`` may hold secrets; ``attempts`` counts this one, too."""

    job: Job
    source: str = field(repr=False)
    attempts: int


class FetchLedger(Protocol):
    """The books of what is fetched. Every method is one transaction."""

    def open(
        self,
        id: UUID,
        dataset: str,
        bucket: str,
        key: str,
        *,
        source: str,
        shown: str,
        validate_only: bool,
        atomic: bool,
    ) -> None:
        """A PENDING job whose object will be the first to be announced under this key, which must be its own."""

    def begin(self, id: UUID, seconds: float) -> FetchJob | None:
        """Take it in hand for so long; None where somebody else has it, or it is not wanted any more."""

    def release(self, job: Job) -> None:
        """Let somebody else try."""

    def is_wanted(self, job: Job) -> bool:
        """Whether the job still waits for its object."""

    def forget(self, job: Job) -> None:
        """Forget the source, unless it may be asked again: the job waits for its object, or is to be tried again."""

    def job_of(self, stored: StoredObject, *, validate_only: bool) -> Job | None:
        """The newest job of exactly this version of this object, of this kind."""

    def same_file(self, key: str, sha256: str, size: int) -> UUID | None:
        """The job, if any, that a file with these bytes under this name would be a DUPLICATE of."""


class InputStore(Protocol):
    """S3, as far as files are brought into the input folder."""

    def grant(self, key: str, size: int, seconds: int, fields: dict[str, str]) -> dict[str, Any]:
        """``url`` and ``fields`` of a form by which anyone may put one object of this size there, for so long.

        It must have exactly these other ``fields``.
        """

    def find(self, key: str) -> StoredObject | None:
        """The newest version of an object of our bucket, if there is one."""

    def look(self, target: S3Target) -> StoredObject:
        """An object of any bucket. Raises FileRefused where it is not there, or not ours to read."""

    def copy(self, source: StoredObject, key: str) -> None:
        """Copy exactly this version to ``key`` in our bucket. Raises FileRefused where it is gone."""

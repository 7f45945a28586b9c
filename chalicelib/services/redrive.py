"""Redrive: do again what failed: batches that we could not load, records that were rejected, or a whole file."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from chalicelib.core.attempts import Attempts, attempts_metadata
from chalicelib.core.dataset import Dataset
from chalicelib.core.schema import OnConflict
from chalicelib.core.states import JobState, is_terminal
from chalicelib.errors import RequestRefused
from chalicelib.services.finalise import error_file_of, written
from chalicelib.services.patience import fails_for_now
from chalicelib.services.ports import Datasets, Job, ObjectStore, Queues, Reason, RejectedRecord

if TYPE_CHECKING:
    from chalicelib.services.split import Split

MOST_RECORDS = 300_000  # that one request can write into a file in its time
MOST_BYTES = 256 * 1024 * 1024


class What(StrEnum):
    """What is to be done again."""

    REJECTED = "rejected"
    FAILED = "failed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Rejected records that nobody has loaded since, and the bytes that they had in their file."""

    records: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """Batches that are pending again, and whether there will be no others."""

    batches: Sequence[int]
    split_done: bool


class HeldJob(Protocol):
    """A job that nobody else changes until the block ends.

    ``failed`` counts batches; ``rejected``, ``loaded`` (inserted or updated) and ``resolved`` count records.
    """

    job: Job
    reason: Reason | None
    rejected: int
    failed: int
    redrives: int
    loaded: int
    resolved: int
    undone: bool

    def was_stopped(self) -> bool:
        """Whether it was stopped, or batches of it were cancelled, which nothing brings back."""

    def repeated_by(self) -> UUID | None:
        """The later job that has loaded the same bytes under the same name, or is about to."""

    def same_bytes(self) -> UUID | None:
        """Another job, earlier or later, of which a job of these bytes under this name would be a duplicate now."""

    def dropped(self, keys: Sequence[str]) -> tuple[set[str], UUID | None]:
        """Which of these keys have jobs, and one of them or of the job's children that has not ended."""

    def lacks_its_whole(self) -> bool:
        """Whether its records belong to a file that was to replace the table, and is not what the table holds."""

    def unresolved(self) -> Unresolved: ...

    def rejections(self) -> Iterator[RejectedRecord]:
        """The unresolved ones in file order, streamed."""

    def count_redrive(self, redrives: int) -> None:
        """Remember how often rejected records were dropped again."""

    def again(self, id: UUID, *, atomic: bool, keeps: bool) -> None:
        """Open a job with this id that loads the same object, from nothing; this one is tried no more by itself."""

    def restart(self) -> Restarted:
        """Make failed batches pending and the job RUNNING, as if they had not been tried."""

    def begin_again(self) -> None:
        """Make the job PENDING, as if it had just been opened: nothing of it is in the table."""


class Redrives(Protocol):
    """The ledger, as far as this service needs it."""

    def holding(self, id: UUID) -> AbstractContextManager[HeldJob | None]:
        """A transaction that holds the job; None where there is no such job."""


class Redrive:
    """Everything is decided while the job is held: two who ask at once do not do anything twice."""

    def __init__(
        self,
        *,
        redrives: Redrives,
        objects: ObjectStore,
        queues: Queues,
        datasets: Datasets,
        split: "Split",
        new_id: Callable[[], UUID],
    ) -> None:
        self._new_id = new_id
        self._redrives = redrives
        self._objects = objects
        self._queues = queues
        self._datasets = datasets
        self._split = split

    def run(self, id: UUID, what: What | None = None) -> UUID:
        """Redrive a job: its failed batches if there are any, else its rejected records, unless it is said which.

        Returns the job that does it: the same one for batches, a child for records, a new one for the whole file.

        Raises:
            RequestRefused: 404, there is no such job; 409, it has nothing that can be done again.
        """
        with self._redrives.holding(id) as held:
            if held is None:
                raise RequestRefused(404, "not-found", f"there is no job {id}")
            if not is_terminal(held.job.state):
                raise _conflict("not-ended", f"the job is {held.job.state}: it has not ended yet")
            dataset = self._datasets.get(held.job.dataset)
            if dataset is None:
                raise _conflict("unknown-dataset", f"there is no dataset {held.job.dataset} any more")
            if held.job.validate_only:
                raise _conflict("validate-only", "the job was a validation only; drop the file to load it")
            if held.undone and what is not What.ALL:
                raise _conflict("undone", "the job was undone; load all of it again, or drop the file again")
            if what is None:
                what = What.FAILED if _failed_of_us(held) else What.REJECTED
            stopped = what is What.ALL and fails_for_now(held.reason)
            if what is What.ALL:
                new = self._again(held, dataset)
            elif what is What.REJECTED:
                new = self._drop(held, dataset).id
            else:
                restarted = self._restart(held)
        if what is not What.FAILED:
            self._queues.send_split(new)  # S3 announces a child, too; the first to come opens nothing twice
            if stopped:  # that was its end
                self._queues.send_notify()
                self._queues.send_webhooks()
            return new
        self._queues.send_batches(id, restarted.batches or [0])  # at least one, to finish the job
        if not restarted.split_done:
            self._queues.send_split(id)
        return id

    def _restart(self, held: HeldJob) -> Restarted:
        if held.job.state is not JobState.FAILED:
            raise _conflict("nothing-failed", f"the job is {held.job.state}: no batch of it failed")
        if not _failed_of_us(held):
            raise _conflict("file-at-fault", "the job failed for what is in its file, or before any of it was loaded")
        _refuse_without_a_rest(held.job)
        if held.was_stopped():
            raise _conflict("stopped", "the job was stopped before it had read the whole file; drop the file again")
        if (later := held.repeated_by()) is not None:
            raise _conflict("loaded-elsewhere", f"the same file was dropped again; job {later} loads it")
        return held.restart()

    def _again(self, held: HeldJob, dataset: Dataset) -> UUID:
        """Open a job that loads the whole file, where nothing would be in the table twice."""
        if held.job.state not in (JobState.FAILED, JobState.CANCELLED) and not held.undone:
            raise _conflict("nothing-failed", f"the job is {held.job.state}: its file was loaded")
        if held.reason is not None and held.reason.code == "bad-name":
            raise _conflict("file-at-fault", "the file's name cannot be told from others; drop it under another one")
        if (other := held.same_bytes()) is not None:
            raise _conflict("loaded-elsewhere", f"the same file is loaded by job {other}")
        keys = _keys_of(held, error_file_of(held.job, dataset).name)
        if (child := held.dropped(keys)[1]) is not None:
            raise _conflict("under-way", f"rejected records of it are being loaded by job {child}")
        settles = dataset.on_conflict in (OnConflict.UPDATE, OnConflict.IGNORE)
        if ((held.loaded and not held.undone) or held.resolved) and not settles:
            raise _conflict("partly-loaded", "some of the file's records are in the table; undo the job first")
        id = self._new_id()
        atomic = dataset.atomic and dataset.on_conflict is not OnConflict.REPLACE
        held.again(id, atomic=atomic, keeps=dataset.undo_days is not None)
        return id

    def _drop(self, held: HeldJob, dataset: Dataset) -> Job:
        """Drop what is still rejected into the input folder, where it is a correction file like any other.

        The file stands and its job is open before this is remembered: killed in between, the next one finds the job.
        """
        if held.job.state not in (JobState.COMPLETED_WITH_FAILURES, JobState.FAILED, JobState.CANCELLED):
            raise _conflict("nothing-rejected", f"the job is {held.job.state}: it has no rejected records")
        _refuse_without_a_rest(held.job)
        if held.lacks_its_whole():
            raise _conflict("parent-not-loaded", "the table does not hold the file that the records belong to")
        file = error_file_of(held.job, dataset)
        keys = _keys_of(held, file.name)
        there, open_job = held.dropped(keys)
        if open_job is not None:
            raise _conflict("under-way", f"the rejected records are being loaded by job {open_job}")
        unresolved = held.unresolved() if held.rejected else Unresolved(0, 0)
        if not unresolved.records:
            raise _conflict("nothing-rejected", "all of the job's records are loaded")
        if unresolved.records > MOST_RECORDS or unresolved.bytes > MOST_BYTES:
            raise _conflict(
                "too-many",
                f"more than {MOST_RECORDS} records or {MOST_BYTES} bytes are rejected: copy the error file to "
                f"input/{held.job.dataset}/job={held.job.id}/ instead",
            )
        number = held.redrives + (2 if keys[1] in there else 1)
        key = keys[number - held.redrives]
        attempts = Attempts(held.job.attempts, held.job.max_attempts)
        self._objects.write(key, written(file, held.rejections()), file.content_type, attempts_metadata(attempts))
        child = self._split.open(self._objects.stat(key), validate_only=False)
        self._split.limit(child, attempts)
        held.count_redrive(number)
        return child


def _keys_of(held: HeldJob, name: str) -> list[str]:
    """Where rejected records were dropped the last time, will be the next time, and are if that was not remembered."""
    folder = f"input/{held.job.dataset}/redrive/job={held.job.id}"
    return [f"{folder}/{held.redrives + n}-{name}" for n in range(3)]


def _failed_of_us(held: HeldJob) -> bool:
    """Whether a job failed halfway, for a reason that is not in its file."""
    ours = held.reason is not None and held.reason.kind != "file"
    return held.job.state is JobState.FAILED and ours and held.job.columns is not None


def _refuse_without_a_rest(job: Job) -> None:
    """Of a file that is taken whole or not at all, nothing is there that its failed part could be added to."""
    if job.state is not JobState.COMPLETED_WITH_FAILURES and (job.atomic or job.replaces):
        raise _conflict("nothing-loaded", "nothing of the file was loaded; drop it again")


def _conflict(code: str, message: str) -> RequestRefused:
    return RequestRefused(409, code, message)

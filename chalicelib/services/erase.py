"""Erase: a person's rows go, and so do their rejected records, in the ledger and in error files (docs/erasure.md)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.access import Caller
from chalicelib.core.attempts import attempts_metadata, attempts_of
from chalicelib.core.dataset import Dataset
from chalicelib.core.states import is_terminal
from chalicelib.errors import FileRefused, RequestRefused
from chalicelib.services.filters import convert
from chalicelib.services.finalise import error_file_of, results_folder, written
from chalicelib.services.ports import Datasets, Job, ObjectStore, Queues, RejectedRecord, Remaining
from chalicelib.services.visible import visible

_SPARE = 60.0  # seconds that must be left to write another error file


class OpenFile(Protocol):
    """An erasure, and a job whose error file is to be written anew; nobody else changes it until the block ends."""

    job: Job
    rejected: int

    def rejections(self) -> Iterator[RejectedRecord]:
        """What is left of the job's rejected records, in file order, streamed."""

    def done(self) -> None:
        """The file has been written."""


class Erasures(Protocol):
    """The ledger and the tables, as far as this service needs them."""

    def erase(self, id: UUID, dataset: Dataset, key: Mapping[str, str], stored: Mapping[str, str]) -> None:
        """Erase all that has these values, in one transaction; the values are kept nowhere.

        ``key`` has them as files do, ``stored`` as the table does.

        Raises RequestRefused with 409 where rows of other tables refer to the rows, or it takes too long.
        """

    def view(self, id: UUID) -> dict[str, Any] | None:
        """An erasure as the API shows it."""

    def next_file(self, id: UUID) -> AbstractContextManager[OpenFile | None]:
        """The next error file to be written; None where all are."""

    def lost(self) -> Sequence[UUID]:
        """Erasures that were sent a while ago, and are not finished. None is given twice within that time."""


class Versions(Protocol):
    """The bucket's memory."""

    def forget_older(self, key: str) -> None:
        """Delete all versions of an object of ours but the newest."""


class Erase:
    """All that must know the values is done at once; error files come from the ledger, which has them no more.

    ``prompt`` has webhooks told soon that rows are gone.
    """

    def __init__(
        self,
        *,
        erasures: Erasures,
        objects: ObjectStore,
        versions: Versions,
        queues: Queues,
        datasets: Datasets,
        new_id: Callable[[], UUID],
        prompt: Callable[[], None] = lambda: None,
    ) -> None:
        self._erasures = erasures
        self._objects = objects
        self._versions = versions
        self._queues = queues
        self._datasets = datasets
        self._new_id = new_id
        self._prompt = prompt

    def start(self, caller: Caller, name: str, key: Mapping[str, str]) -> dict[str, Any]:
        """Erase the records of a dataset that have these values; what was erased, and what is still to be.

        Raises:
            RequestRefused: 404, there is no such dataset; 400, it cannot be looked up by these fields, or by such
                values; 409, rows of other tables refer to the rows, or there is too much
                to be looked through.
        """
        dataset = visible(self._datasets, caller, name)
        stored = _stored(dataset, key)
        id = self._new_id()
        self._erasures.erase(id, dataset, key, stored)
        self._queues.send_erase(id)
        self._prompt()
        return self.get(caller, id)

    def get(self, caller: Caller, id: UUID) -> dict[str, Any]:
        """An erasure. Raises RequestRefused with 404 where there is none."""
        erasure = self._erasures.view(id)
        if erasure is None or not caller.sees(erasure["dataset"]):
            raise RequestRefused(404, "not-found", "there is no erasure with this id")
        return erasure

    def run(self, id: UUID, remaining: Remaining) -> None:
        """Write error files anew. Killed anywhere, the next one goes on; a file that is written twice is the same."""
        while remaining() > _SPARE:
            with self._erasures.next_file(id) as file:
                if file is None or not is_terminal(file.job.state):
                    return  # what is under way is looked at again by the sweep
                self._write(file)
                file.done()
        self._queues.send_erase(id)

    def sweep(self) -> int:
        """Send again what got lost, or waits for jobs to end; how many there were."""
        lost = self._erasures.lost()
        for id in lost:
            self._queues.send_erase(id)
        return len(lost)

    def _write(self, open_file: OpenFile) -> None:
        job = open_file.job
        file = error_file_of(job, self._datasets.get(job.dataset))
        key = results_folder(job, self._datasets) + file.name
        if not open_file.rejected:
            return
        said = self._said(key)
        if said is not None:
            self._objects.write(key, written(file, open_file.rejections()), file.content_type, said)
        self._versions.forget_older(key)

    def _said(self, key: str) -> Mapping[str, str] | None:
        """What the object says of attempts; None where it has expired, or somebody has deleted it."""
        try:
            return attempts_metadata(attempts_of(self._objects.metadata(self._objects.stat(key))))
        except FileRefused:
            return None


def _stored(dataset: Dataset, key: Mapping[str, str]) -> Mapping[str, str]:
    """The values as the table has them. Raises RequestRefused: 400."""
    allowed = {name for unique in dataset.unique_keys for name in unique} | set(dataset.filters)
    if not key or not key.keys() <= allowed:
        known = ", ".join(sorted(allowed)) or "none"
        raise RequestRefused(400, "bad-key", f"records are looked up by these fields: {known}")
    stored = convert(dataset, key, "bad-key", within="key.", empty=False)
    return {name: text for name, text in stored.items() if text is not None}

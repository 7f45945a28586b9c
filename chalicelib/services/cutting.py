"""Cutting: a job's data into batches, booked in the ledger first and sent after."""

from collections.abc import Callable, Iterator
from uuid import UUID

from chalicelib.config import MIB, Settings
from chalicelib.core.containers import JSONL
from chalicelib.core.corrections import longest_line
from chalicelib.core.cut import Cut, Cutter, Taper
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.ports import Datasets, Job, ObjectStore, Queues, Remaining
from chalicelib.services.reads import as_read, staging_key
from chalicelib.services.telemetry import current
from chalicelib.services.unpack import after

_HAND_ON = 60.0  # seconds to spare when the rest of a split is handed to the next invocation
_LEAST = 2 * MIB  # below this a batch's fixed costs outweigh that the workers end together
_GROUP = 10  # batches booked and sent together; also what one SQS request takes


class Cutting:
    """Cuts whatever data a job has, be they its object's own bytes or what was made of them (staged)."""

    def __init__(
        self, *, ledger: Ledger, objects: ObjectStore, queues: Queues, datasets: Datasets, settings: Settings
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._queues = queues
        self._datasets = datasets
        self._settings = settings

    def run(
        self,
        job: Job,
        chunks: Iterator[bytes],
        remaining: Remaining,
        hand_on: Callable[[UUID], None],
        *,
        chunks_from: int = 0,
    ) -> None:
        """Cut a job that has been started, from ``split_offset`` to the end or until ``remaining`` seconds are few.

        ``chunks`` are the data, in UTF-8: of a staged job from ``chunks_from``, most often from their very start,
        since what was unpacked can only be unpacked again from there; of any other from ``split_offset``. With time
        running out, ``hand_on`` is called to have the rest cut by another invocation.

        The bytes of a staged job's batches become objects of their own, which stand before their batch is booked.
        Whoever cuts the same data again, or a second time at the same moment, writes the same bytes to the same name.

        Raises:
            FileRefused: what ``chunks`` raise; the batches booked so far stay.
            Contended: another splitter is at work on this job.
        """
        if job.staged:
            chunks = after(chunks, job.split_offset - chunks_from)
        cutter = self._cutter(job)
        began = cutter.offset  # an invocation that has cut nothing goes on: handing on must make headway
        waiting: list[Cut] = []
        group = 1  # the first batch goes at once, so that loading starts while cutting goes on
        for chunk in chunks:
            waiting += self._staged(job, len(waiting), cutter, cutter.feed(chunk))
            if len(waiting) >= group:
                job = self._book(job, waiting, cutter)
                if job.split_done:
                    return  # stopped: too many records were rejected
                waiting, group = [], min(group * 2, _GROUP)
            if cutter.offset > began and remaining() < _HAND_ON:
                self._book(job, waiting, cutter)
                hand_on(job.id)
                return
        waiting += self._staged(job, len(waiting), cutter, cutter.finish())
        self._book(job, waiting, cutter, done=True)

    def _cutter(self, job: Job) -> Cutter:
        return Cutter(
            None if job.format == JSONL else as_read(self._datasets[job.dataset], job).dialect,
            start=job.split_offset,
            line=job.split_line,
            batch_bytes=job.batch_bytes,
            max_record_bytes=longest_line(job.labels, self._settings.max_record_bytes),
            # What was unpacked has no size before its end.
            taper=None if job.staged else Taper(job.object.size, self._settings.workers, _LEAST),
            keep=job.staged,
        )

    def _staged(self, job: Job, waiting: int, cutter: Cutter, cuts: list[Cut]) -> list[Cut]:
        """Write the bytes of a staged job's new cuts, which come after ``waiting`` ones that are not booked yet."""
        if job.staged:
            for number, (cut, data) in enumerate(zip(cuts, cutter.kept(), strict=True), job.batches + waiting):
                if not cut.oversize:
                    self._objects.write(staging_key(job, number), data, "application/octet-stream")
        return cuts

    def _book(self, job: Job, cuts: list[Cut], cutter: Cutter, *, done: bool = False) -> Job:
        planned = self._ledger.plan(job, cuts, cutter.offset, cutter.line, done=done, worked=current().book())
        self._queues.send_batches(job.id, range(job.batches, planned.batches))
        return planned

"""What the services need from the ledger: its transactions, each a promise of its own."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.attempts import Attempts
from chalicelib.core.claims import KeyFacts
from chalicelib.core.containers import Found
from chalicelib.core.corrections import Place
from chalicelib.core.cut import Cut
from chalicelib.core.dataset import Dataset
from chalicelib.core.header import Layout
from chalicelib.core.news import Event
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import Rejection
from chalicelib.core.schema import AfterLoad
from chalicelib.core.states import JobState
from chalicelib.services.ports import (
    Batch,
    Ending,
    Job,
    Judge,
    Placed,
    Reason,
    RejectedRecord,
    StoredObject,
    Terms,
    Untidy,
)
from chalicelib.services.telemetry import Worked


class LoadTransaction(Protocol):
    """One batch's transaction: rows, rejections and books commit together or not at all."""

    def place(self, dataset: Dataset, reader: Reader, parsed: Parsed) -> Placed:
        """Put the accepted rows into the dataset's table, or where its job has them wait."""

    def book(
        self,
        counts: Mapping[str, int],
        rejections: Collection[Rejection],
        judge: Judge,
        *,
        worked: Worked | None = None,
    ) -> bool:
        """End the batch as succeeded. True when it was the last that its job waited for.

        With the first reason that ``judge`` gives the job is stopped: no batch of it that has not begun ever will.
        """

    def resolve(self, lines: Sequence[int]) -> None:
        """Mark what stood on these lines of the parent's file as loaded after all. Called last, after ``book``."""


class Replay(Protocol):
    """All batches of a job, placed one after the other in the finaliser's transaction."""

    batches: Sequence[Batch]

    def lock_table(self, dataset: Dataset) -> None:
        """Wait until nobody else writes to the table, and let nobody until the transaction ends."""

    def place(self, batch: Batch, dataset: Dataset, reader: Reader, parsed: Parsed) -> Placed:
        """As in ``LoadTransaction``, in file order."""

    def refuse(self, batch: Batch, refused: Sequence[Rejection]) -> bool:
        """Note records that the table did not take. False when there is no room for more of them."""

    def resolve(self, lines: Sequence[int]) -> None:
        """As in ``LoadTransaction``, where what was placed stays."""

    def keep(self) -> None:
        """What was placed stays."""

    def book(self, counts: Mapping[int, Mapping[str, int]]) -> None:
        """Book these counts of batches, by number, and what was noted as refused, in place of what is booked."""


class Contested(Protocol):
    """A job's records that have lost a key to an earlier one, taken out of its shadow.

    ``batches``, in file order, are those that such records are in, or the earlier ones.
    """

    batches: Sequence[Batch]

    def refuse(self, batch: Batch, parsed: Parsed) -> None:
        """Book those of the next of the ``batches`` as rejected."""


class FinalTransaction(Protocol):
    """The one finaliser of a job, holding its row."""

    ending: Ending

    def replaying(self) -> AbstractContextManager[Replay]:
        """Place the job's records, or those that wait, in this block; unless they are kept, the table is as before.

        Books that are given in the block are written at its end, and ``ending`` has the counts of then. Raises
        Terminal when they are not of the records that were booked before.
        """

    def contested(self, dataset: Dataset) -> AbstractContextManager[Contested]:
        """Refuse, in this block, what the table's keys forbid of a job that replaces it; ``ending`` has the counts.

        Nothing has happened where the block raises FileRefused.
        """

    def has_gathered(self) -> bool:
        """Whether batches have booked records that wait, and are not in the dataset's table yet."""

    def merge(self, dataset: Dataset, seconds: float, *, alone: bool) -> bool:
        """Add all that waits to the table, and put the counts right; False where the database refused or was too slow.

        Raises Contended where other writers were in the way; alone, nobody would be.
        """

    def scatter(self) -> None:
        """Gather no more: what waits is to be placed batch by batch, from the file."""

    def drop_gathered(self) -> None:
        """Book what waits as ignored: its job was called off."""

    def unwanted(self) -> bool:
        """Whether the job has been called off by now. Who finds that, gives up, and the next one ends it CANCELLED."""

    def disown(self) -> None:
        """Book what waits as ignored, for as long as the job is not redriven."""

    def rejections(self) -> Iterator[RejectedRecord]:
        """Every rejected record in file order, streamed."""

    def receipt(self, worked: Worked | None = None) -> dict[str, Any]:
        """The manifest: counts, causes, ranges, timings, what it all took; books what the finaliser has ``worked``."""

    def outdone(self) -> bool:
        """Whether a later job has replaced the table. No other job replaces it before this transaction ends."""

    def discard(self) -> None:
        """Book the job's inserted records as ignored, since its shadow will not become the table."""

    def replace_table(self) -> Reason | None:
        """Make the shadow's rows the table's, for all who look after the commit; else why it cannot be done.

        Readers may have to wait from now on until the transaction ends.
        """

    def after_load(self, what: AfterLoad) -> None:
        """Note that the object of the job, and of its duplicates, is to be deleted or archived after the commit."""

    def tell(self, events: Sequence[Event]) -> None:
        """Put in what webhooks want to know of the job's end, which has been booked."""

    def count_attempt(self, retry_seconds: int | None) -> None:
        """The job has failed for a passing reason; after that time it is to be tried again, if at all."""

    def end(self, state: JobState, reason: Reason | None, audiences: Iterable[str]) -> None:
        """Make the job terminal and put a notice for each audience (and the topic, if any) into the outbox."""


class Ledger(Protocol):
    """The books. Every method is one transaction."""

    def open_job(
        self, id: UUID, stored: StoredObject, terms: Terms, *, sha256: str | None = None, again: bool = False
    ) -> Job:
        """The job of this version of this object: a new one, or the one that it has, or that waits for it (fetching).

        A new one is a DUPLICATE where its bytes have been loaded, unless they are to be ``again``.
        """

    def reopen(self, id: UUID, stored: StoredObject, terms: Terms) -> Job:
        """A new job of a version that has one, never a DUPLICATE."""

    def job(self, id: UUID) -> Job | None: ...

    def limit_attempts(self, job: Job, attempts: Attempts) -> None:
        """Remember what a job's object says of attempts. Quiet where the job has begun."""

    def open_unasked(self, job: Job) -> None:
        """Nobody could ask a job's object what its uploader wants; whoever begins it must. Quiet as above."""

    def ask(self, job: Job, attempts: Attempts, *, validate_only: bool) -> None:
        """Remember what was wanted of such a job."""

    def note_trouble(self, id: UUID, batch: int | None, reason: Reason) -> None:
        """Remember why work on a batch, or on a job's split, has failed: the last such reason of a job."""

    def trouble(self, id: UUID, batch: int | None) -> Reason | None:
        """That reason, if it is of this batch, or of the split."""

    def hold(self, job: Job, until: datetime) -> None:
        """Hold a job back. Quiet where it has begun, or somebody has said already from when on it may."""

    def start(
        self,
        job: Job,
        layout: Layout,
        found: Found,
        *,
        corrected: Sequence[Place] = (),
        replaces: bool = False,
        gathers: bool = False,
    ) -> Job:
        """Remember the header and what the file is: PENDING becomes RUNNING.

        The parent of a correction file is found by its key or by what its first records say of themselves.
        A job that ``gathers`` does so only where the dataset's table has no rules but those of its descriptor.
        Raises Contended when another splitter got there first, FileRefused where the file corrects one that was to
        replace the table, and the table does not hold that.
        """

    def plan(
        self, job: Job, cuts: Sequence[Cut], split_to: int, line: int, *, done: bool, worked: Worked | None = None
    ) -> Job:
        """Append batches and move the split on, and book what was ``worked`` for it.

        Raises Contended when another splitter got there first.
        A job that was stopped or called off comes back as it is, with ``split_done``.
        """

    def pending(self, job: Job) -> list[int]:
        """Numbers of the batches that nobody has begun."""

    def end_split(self, job: Job, reason: Reason | None) -> None:
        """No more batches come; with a reason, the job will end FAILED for it."""

    def begin(self, id: UUID, number: int) -> Batch | None:
        """Take a batch in hand, or None where it has ended or its job does not want it any more."""

    def claim(self, batch: Batch, facts: KeyFacts) -> None:
        """Tell other batches what keys this one has (``core.claims``), before it is loaded."""

    def loading(self, batch: Batch, facts: KeyFacts) -> AbstractContextManager[LoadTransaction | None]:
        """The batch's transaction, or None where it has been booked meanwhile, or is not wanted any more."""

    def worked(self, job: Job, worked: Worked, batch: int | None = None) -> None:
        """Book what was worked for a job, or for a batch of it, apart from what it did."""

    def fail(self, id: UUID, number: int, reason: Reason) -> bool:
        """End a batch as failed; its job will end FAILED for this reason. False where the batch has ended already."""

    def finalising(self, id: UUID) -> AbstractContextManager[FinalTransaction | None]:
        """The finaliser's transaction, or None where batches are missing or the job has ended."""

    def unsent(self, id: UUID) -> bool:
        """Whether the outbox holds a notice of this job that is still to be sent."""

    def untold(self, id: UUID) -> bool:
        """Whether webhooks are still to be told of this job."""

    def drop_left_over(self) -> int:
        """Drop the shadows and partials of jobs that have ended or are gone; their number. Jobs drop their own.

        Forget what late workers of such jobs have claimed.
        """

    def untidy(self, id: UUID) -> Untidy | None:
        """The job, if it has ended and its object is still to be deleted or archived."""

    def all_untidy(self) -> list[Untidy]:
        """Such jobs that ended a minute ago or more. A job is not given again before the same time has passed."""

    def tidied(self, job: Job) -> None:
        """The job's object has been put away."""

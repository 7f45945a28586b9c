"""Schedule: jobs that failed for a passing reason are tried again, and those that were held back are begun."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from chalicelib.core.states import JobState
from chalicelib.errors import RequestRefused, Transient
from chalicelib.services.clock import utc_now
from chalicelib.services.patience import TRANSIENT, fails_for_now
from chalicelib.services.ports import Datasets, Job, Queues, Reason, Remaining
from chalicelib.services.redrive import HeldJob, Redrives

log = logging.getLogger("dropload.schedule")

_ENOUGH = 60.0  # seconds that must be left to take on more


class Waiting(Protocol):
    """The ledger, as far as this service needs it. Every method is one transaction."""

    def retries(self) -> Sequence[UUID]:
        """Jobs that are to be tried again now; some of them, and none twice within a quarter of an hour."""

    def give_up(self, id: UUID, reason: Reason, *, tell: bool) -> None:
        """A job is not tried again after all; engineers are told if they are to be."""

    def held(self, now: datetime) -> Sequence[Job]:
        """Jobs that were held back until now at the latest; some of them, the earliest first."""

    def hold_on(self, job: Job, until: datetime) -> None:
        """Hold a job back for longer, unless somebody has released it."""

    def release(self, id: UUID, now: datetime) -> bool:
        """A job is to begin now, and no window is asked for it again. False where it is not PENDING."""


class Begun(NamedTuple):
    """Jobs that are tried again, those that were given up, and those whose window has opened."""

    retried: int
    exhausted: int
    opened: int


class Schedule:
    """What the sweep does by the clock; and what a person may do without waiting for it."""

    def __init__(
        self,
        *,
        waiting: Waiting,
        redrives: Redrives,
        queues: Queues,
        datasets: Datasets,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._waiting = waiting
        self._redrives = redrives
        self._queues = queues
        self._datasets = datasets
        self._clock = clock

    def run(self, remaining: Remaining) -> Begun:
        """Do what is due.

        Raises:
            Transient: some jobs could not be begun. They held up no other, and come again.
        """
        retried, exhausted, failed = self._retry(remaining)
        return Begun(retried, exhausted, self._open(remaining, failed))

    def start(self, id: UUID) -> None:
        """Begin a job that is held back now, whatever its dataset's window says.

        Raises:
            RequestRefused: 409, it has begun, or ended.
        """
        if not self._waiting.release(id, self._clock()):
            raise RequestRefused(409, "not-waiting", "the job has begun already, or has ended")
        self._queues.send_split(id)

    def _retry(self, remaining: Remaining) -> tuple[int, int, int]:
        retried = exhausted = failed = 0
        while remaining() > _ENOUGH and (due := self._waiting.retries()):
            for id in due:
                try:
                    refused = self._again(id)
                    retried, exhausted = retried + (refused is None), exhausted + (refused is not None)
                except Exception:
                    log.exception("job %s cannot be tried again", id)
                    failed += 1
        return retried, exhausted, failed

    def _again(self, id: UUID) -> Reason | None:
        """Try a job again; why not, where that cannot be: it is given up then."""
        restarted = None
        with self._redrives.holding(id) as held:
            if held is None or held.undone or held.job.state is not JobState.FAILED or not fails_for_now(held.reason):
                return None  # somebody was quicker
            refused = self._refusal(held)
            if refused is None and _from_the_start(held.job):
                held.begin_again()
            elif refused is None:
                restarted = held.restart()
        if refused is not None:
            self._waiting.give_up(id, refused, tell=refused.code != "loaded-elsewhere")
        elif restarted is not None:
            self._queues.send_batches(id, restarted.batches or [0])  # at least one, to finish the job
        if refused is None and (restarted is None or not restarted.split_done):
            self._queues.send_split(id)
        return refused

    def _refusal(self, held: HeldJob) -> Reason | None:
        if (later := held.repeated_by()) is not None:
            message = f"we could not load this; the same file was dropped again, and job {later} loads it"
            return Reason("loaded-elsewhere", message, TRANSIENT)
        if held.job.dataset not in self._datasets:
            return _given_up("its dataset is gone")
        if held.was_stopped():
            return _given_up("it was stopped before its whole file was read")
        return None

    def _open(self, remaining: Remaining, failed: int) -> int:
        opened = 0
        while remaining() > _ENOUGH and (held := self._waiting.held(self._clock())):
            for job in held:
                try:
                    opened += self._opened(job)
                except Exception:
                    log.exception("job %s cannot be begun", job.id)
                    failed += 1
            if failed:
                break  # the same ones would come again
        if failed:
            raise Transient("schedule-trouble", f"{failed} jobs whose time has come cannot be begun")
        return opened

    def _opened(self, job: Job) -> bool:
        """Whether a job was begun; held back again where its window has closed before anybody came by."""
        now = self._clock()
        dataset = self._datasets.get(job.dataset)
        window = None if dataset is None else dataset.load_window
        if window is not None and not window.is_open(now):
            self._waiting.hold_on(job, window.opens(now))
            return False
        self._waiting.release(job.id, now)
        self._queues.send_split(job.id)
        return True


def _from_the_start(job: Job) -> bool:
    """Whether nothing of a failed job is in its table: nothing was read yet, or it is loaded whole or not at all."""
    return job.columns is None or job.atomic or job.replaces or job.validate_only


def _given_up(why: str) -> Reason:
    message = f"we could not load this, and cannot try again, since {why}; our engineers have been told"
    return Reason("exhausted", message, TRANSIENT)

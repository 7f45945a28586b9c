"""Sweep: on a schedule, go on with what stands still, whatever message got lost."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from chalicelib.core.states import is_terminal
from chalicelib.errors import DroploadError, Transient
from chalicelib.services.bury import Bury
from chalicelib.services.clock import utc_now
from chalicelib.services.erase import Erase
from chalicelib.services.export_ports import ExportLedger
from chalicelib.services.finalise import Finalise
from chalicelib.services.forget import Forget
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.missed import Missed
from chalicelib.services.overview import Overview
from chalicelib.services.ports import Job, Queues, Remaining, unhurried
from chalicelib.services.schedule import Schedule
from chalicelib.services.sweep_ports import Sweeps
from chalicelib.services.telemetry import working
from chalicelib.services.tidy import Tidy
from chalicelib.services.undo import Undo
from chalicelib.services.watch import Watch

log = logging.getLogger("dropload.sweep")

_ENOUGH = 60.0  # seconds that must be left to take on more
_MOST_ATTEMPTS = 5  # as many as a message has: a batch that has ended so many workers is given up


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found, and what it did about it. All are numbers of things; all but ``objects`` stood still.

    ``objects`` were listed, and ``missed`` of them had no job. ``stuck`` jobs had no news for long: their splits were
    ``resumed``, their batches ``resent``, and some could be ``finished``. Batches were ``taken_back`` from dead
    workers, or ``given_up`` after too many of these. ``notices`` were due, ``exports`` and ``undos`` asked for again,
    files put away (``tidied``), and tables of ended jobs ``dropped``. Failed jobs were ``retried``, or found to be
    ``exhausted``; and jobs were ``opened`` whose load window had come.
    ``letters`` tell of a day, or of a file that did not come. Jobs and exports were ``forgotten``, being old.
    """

    objects: int = 0
    missed: int = 0
    stuck: int = 0
    resumed: int = 0
    resent: int = 0
    finished: int = 0
    taken_back: int = 0
    given_up: int = 0
    retried: int = 0
    exhausted: int = 0
    opened: int = 0
    notices: int = 0
    exports: int = 0
    undos: int = 0
    tidied: int = 0
    dropped: int = 0
    letters: int = 0
    forgotten: int = 0


class Sweep:
    """Every step may be repeated at will, and none holds up another: messages too many do no harm."""

    def __init__(
        self,
        *,
        sweeps: Sweeps,
        ledger: Ledger,
        queues: Queues,
        finalise: Finalise,
        bury: Bury,
        tidy: Tidy,
        exports: ExportLedger,
        missed: Missed,
        undo: Undo,
        erase: Erase,
        forget: Forget,
        schedule: Schedule,
        overview: Overview,
        watch: Watch,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._undo = undo
        self._erase = erase
        self._forget = forget
        self._watch = watch
        self._clock = clock
        self._overview = overview
        self._sweeps = sweeps
        self._ledger = ledger
        self._queues = queues
        self._finalise = finalise
        self._bury = bury
        self._tidy = tidy
        self._exports = exports
        self._missed = missed
        self._schedule = schedule

    def run(self, remaining: Remaining = unhurried) -> Swept:
        """Sweep once, for as long as there are seconds ``remaining``; what it found stands in one line of the log.

        Raises:
            Transient: a step failed, or a part of it. All others were done.
        """
        found: Counter[str] = Counter()
        failures = []
        steps: tuple[Callable[[Counter[str], Remaining], None], ...] = (
            self._by_the_clock,  # first: what must wait for longer is not stuck
            self._take_back,
            self._help_on,
            self._notices,
            self._tidy_up,
            self._go_on_exporting,
            self._go_on_undoing,
            self._drop_left_over,
            self._look_for_missed,
            self._write_letters,
            self._forget_the_old,
        )
        for step in steps:
            try:
                step(found, remaining)
            except Exception as error:
                log.exception("a step of the sweep failed: %s", step.__name__.strip("_"))
                failures.append(error.message if isinstance(error, DroploadError) else type(error).__name__)
        swept = Swept(**found)
        self._overview.swept({**asdict(swept), "failures": len(failures)})
        if failures:
            raise Transient("sweep-trouble", "; ".join(failures))
        return swept

    def _take_back(self, found: Counter[str], _: Remaining) -> None:
        for batch in self._sweeps.take_back():
            if batch.attempts < _MOST_ATTEMPTS:
                self._queues.send_batches(batch.job, [batch.number])
                found["taken_back"] += 1
            else:
                with working(job=batch.job, batch=batch.number):
                    self._bury.batch(batch.job, batch.number)
                found["given_up"] += 1

    def _help_on(self, found: Counter[str], remaining: Remaining) -> None:
        failed = 0
        while remaining() > _ENOUGH and (stuck := self._sweeps.stuck()):
            for job, batches in stuck:
                found["stuck"] += 1
                try:
                    with working(job=job.id, dataset=job.dataset):
                        self._help(job, batches, found)
                except Exception:
                    log.exception("job %s cannot be helped on", job.id)
                    failed += 1
        if failed:
            raise Transient("stuck", f"{failed} of {found['stuck']} jobs that stand still cannot be helped on")

    def _help(self, job: Job, batches: list[int], found: Counter[str]) -> None:
        self._queues.send_batches(job.id, batches)
        found["resent"] += len(batches)
        if not job.split_done:
            self._queues.send_split(job.id)
            found["resumed"] += 1
        self._finalise.run(job.id)
        ended = self._ledger.job(job.id)
        found["finished"] += ended is not None and is_terminal(ended.state)

    def _by_the_clock(self, found: Counter[str], remaining: Remaining) -> None:
        found["retried"], found["exhausted"], found["opened"] = self._schedule.run(remaining)

    def _notices(self, found: Counter[str], _: Remaining) -> None:
        found["notices"] = self._sweeps.due_notices()
        self._queues.send_notify()  # also where none is due: what is sent on a schedule of its own is sent there
        self._queues.send_webhooks()

    def _tidy_up(self, found: Counter[str], _: Remaining) -> None:
        found["tidied"] = self._tidy.sweep()

    def _go_on_exporting(self, found: Counter[str], _: Remaining) -> None:
        for export in self._exports.stuck():
            self._queues.send_export(export)
            found["exports"] += 1

    def _go_on_undoing(self, found: Counter[str], _: Remaining) -> None:
        found["undos"] = self._undo.sweep()
        self._erase.sweep()

    def _drop_left_over(self, found: Counter[str], _: Remaining) -> None:
        found["dropped"] = self._ledger.drop_left_over()
        self._exports.drop_leftovers()

    def _look_for_missed(self, found: Counter[str], remaining: Remaining) -> None:
        found["objects"], found["missed"] = self._missed.run(remaining)

    def _forget_the_old(self, found: Counter[str], remaining: Remaining) -> None:
        found["forgotten"] = self._forget.run(remaining)

    def _write_letters(self, found: Counter[str], _: Remaining) -> None:
        found["letters"] = self._watch.run(self._clock())
        if found["letters"]:
            self._queues.send_notify()

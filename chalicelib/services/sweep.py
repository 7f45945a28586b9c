"""Sweep: on a schedule, go on with what stands still, whatever message got lost."""

import logging

from chalicelib.errors import Transient
from chalicelib.services.export_ports import ExportLedger
from chalicelib.services.finalise import Finalise
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.ports import Job, Queues
from chalicelib.services.tidy import Tidy

log = logging.getLogger("dropload.sweep")


class Sweep:
    """Send again what was booked and never begun, resume splits, finish what has all its batches, retry notices.

    Put away what loaded files and ended jobs have left behind; and see that exports go on, and leave nothing behind.
    """

    def __init__(
        self, *, ledger: Ledger, queues: Queues, finalise: Finalise, tidy: Tidy, exports: ExportLedger
    ) -> None:
        self._ledger = ledger
        self._queues = queues
        self._finalise = finalise
        self._tidy = tidy
        self._exports = exports

    def run(self) -> int:
        """The number of jobs that stood still. Every step may be repeated at will: messages too many do no harm.

        Raises:
            Transient: some jobs could not be helped on, or some files not put away. They held up no other.
        """
        stuck = self._ledger.stuck()
        failed = 0
        for job, batches in stuck:
            try:
                self._help_on(job, batches)
            except Exception:
                log.exception("job %s cannot be helped on", job.id)
                failed += 1
        self._queues.send_notify()
        self._queues.send_webhooks()
        self._ledger.drop_left_over()
        self._tidy.sweep()
        for export in self._exports.stuck():
            self._queues.send_export(export)
        self._exports.drop_leftovers()
        if failed:
            raise Transient("sweep-trouble", f"{failed} of {len(stuck)} jobs that stand still cannot be helped on")
        return len(stuck)

    def _help_on(self, job: Job, batches: list[int]) -> None:
        self._queues.send_batches(job.id, batches)
        if not job.split_done:
            self._queues.send_split(job.id)
        self._finalise.run(job.id)

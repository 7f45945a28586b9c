"""Sweep: on a schedule, go on with what stands still, whatever message got lost."""

from chalicelib.services.finalise import Finalise
from chalicelib.services.ports import Ledger, Queues


class Sweep:
    """Send again what was booked and never begun, resume splits, finish what has all its batches, retry notices."""

    def __init__(self, *, ledger: Ledger, queues: Queues, finalise: Finalise) -> None:
        self._ledger = ledger
        self._queues = queues
        self._finalise = finalise

    def run(self) -> int:
        """The number of jobs that stood still. Every step may be repeated at will: messages too many do no harm."""
        stuck = self._ledger.stuck()
        for job, batches in stuck:
            self._queues.send_batches(job.id, batches)
            if not job.split_done:
                self._queues.send_split(job.id)
            self._finalise.run(job.id)
        self._queues.send_notify()
        return len(stuck)

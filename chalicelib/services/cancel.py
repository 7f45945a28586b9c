"""Cancel: a job is called off. Batches that were placed stay; no other begins, and the books are closed."""

from typing import Protocol
from uuid import UUID

from chalicelib.core.states import JobState, is_terminal
from chalicelib.errors import RequestRefused
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.ports import Queues


class Cancellations(Protocol):
    """The ledger, as far as this service needs it."""

    def cancel(self, id: UUID) -> JobState | None:
        """Call a job off, unless it has ended; its state then, None where there is no such job.

        One that has FAILED, and would be tried again, stays as it is and is not; that is as good as CANCELLED.
        It has ended by that: what there is to tell of it is put in, in the same transaction.
        """


class Cancel:
    """Whoever is at work on the job finds out, and ends it; so does whoever is sent for that here."""

    def __init__(self, *, cancellations: Cancellations, ledger: Ledger, queues: Queues) -> None:
        self._cancellations = cancellations
        self._ledger = ledger
        self._queues = queues

    def run(self, id: UUID) -> None:
        """Call a job off; once more is as good as once.

        Raises:
            RequestRefused: 404, there is no such job; 409, it has ended otherwise.
        """
        state = self._cancellations.cancel(id)
        if state is None:
            raise RequestRefused(404, "not-found", f"there is no job {id}")
        if state is JobState.CANCELLED:
            if self._ledger.unsent(id):
                self._queues.send_notify()
            if self._ledger.untold(id):
                self._queues.send_webhooks()
            return
        if is_terminal(state):
            raise RequestRefused(409, "ended", f"the job is {state}: it has ended already")
        self._queues.send_batches(id, [0])  # which is not loaded, so that all there is to do is to finish the job

"""Bury: a message that failed too often ends in its ledger, so that no poison leaves a job open."""

import logging
from uuid import UUID

from chalicelib.errors import Transient
from chalicelib.services.finalise import Finalise
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.ports import Reason, StoredObject
from chalicelib.services.split import Split
from chalicelib.services.trouble import reason_of

log = logging.getLogger("dropload.bury")

_GAVE_UP = Reason(
    "exhausted", "we tried several times and could not load this; our engineers have been told", "transient"
)


class Bury:
    """Book as failed what the queues gave up on, and finish its job."""

    def __init__(self, *, ledger: Ledger, split: Split, finalise: Finalise) -> None:
        self._ledger = ledger
        self._split = split
        self._finalise = finalise

    def announced(self, stored: StoredObject) -> None:
        """An object whose announcement could not be handled."""
        try:
            job = self._split.booked(stored)
        except Transient:  # no rights to it, say: its failure must be booked all the same
            job = self._split.open_unasked(stored)
        if job is not None:
            self.job(job.id)

    def job(self, id: UUID) -> None:
        """A job whose split could not be finished. Batches that it has are loaded all the same.

        Where the split was finished all the same, only a message was late: the sweep sends what is missing.
        """
        job = self._ledger.job(id)
        if job is None:
            return
        if not job.split_done:
            self._ledger.end_split(job, self._ledger.trouble(id, None) or _GAVE_UP)
        self._finish(id, None)

    def batch(self, id: UUID, number: int) -> None:
        """A batch that could not be loaded."""
        why = self._ledger.trouble(id, number) or _GAVE_UP
        failed = self._ledger.fail(id, number, why)
        # A batch that had been loaded was sent to have its job finished.
        self._finish(id, None if failed else why)

    def _finish(self, id: UUID, gave_up: Reason | None) -> None:
        """Finish a job if it has all its batches. Where that fails for good, it ends all the same."""
        try:
            self._finalise.run(id, gave_up=gave_up)
        except Transient:
            raise
        except Exception as error:
            log.exception("job %s cannot be finished", id)
            self._finalise.abandon(id, reason_of(error))

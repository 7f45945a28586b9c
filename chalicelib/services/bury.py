"""Bury: a message that failed too often ends in its ledger, so that no poison leaves a job open."""

from uuid import UUID

from chalicelib.errors import Transient
from chalicelib.services.finalise import Finalise
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.ports import Reason, StoredObject
from chalicelib.services.split import Split

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
            self._ledger.end_split(job, _GAVE_UP)
        self._finalise.run(id)

    def batch(self, id: UUID, number: int) -> None:
        """A batch that could not be loaded."""
        failed = self._ledger.fail(id, number, _GAVE_UP)
        # A batch that had been loaded was sent to have its job finished.
        self._finalise.run(id, gave_up=None if failed else _GAVE_UP)

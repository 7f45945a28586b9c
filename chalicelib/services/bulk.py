"""Bulk: what is loaded beside the table meets its keys when all of it is there, before anything else is judged."""

from chalicelib.core.dataset import Dataset
from chalicelib.errors import FileRefused
from chalicelib.services.attention import give_up_if_unwanted
from chalicelib.services.ledger_ports import FinalTransaction
from chalicelib.services.limits import over_limit
from chalicelib.services.ports import Ending, Reason
from chalicelib.services.reads import Reads


class Bulk:
    """Once a job, in its finaliser's transaction: killed anywhere, it was never there."""

    def __init__(self, *, reads: Reads) -> None:
        self._reads = reads

    def run(self, final: FinalTransaction) -> Reason | None:
        """Reject records that have a key of an earlier one; why the job fails, where that cannot be done.

        Raises:
            Terminal: a fault of ours, as in ``Load``.
        """
        try:
            with final.contested(self._reads.dataset(final.ending.job)) as contested:
                for batch in contested.batches:
                    give_up_if_unwanted(final)
                    contested.refuse(batch, self._reads.read(batch).parsed)
        except FileRefused as refused:
            return Reason(refused.code, refused.message, "file")
        return None


def awaits_keys(ending: Ending, dataset: Dataset | None) -> bool:
    """Whether a job has rows beside the table that may yet take its place, once its keys have been looked at."""
    counts = ending.counts
    if not ending.job.replaces or ending.cancelling or ending.reason is not None or not counts["inserted"]:
        return False
    if dataset is None:
        return True
    hopeless = dataset.atomic and counts["rejected"]
    return not hopeless and over_limit(dataset, counts["read"], counts["rejected"], whole=True) is None

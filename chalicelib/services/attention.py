"""Attention: who works on a job for long looks up now and then whether it is still wanted."""

from chalicelib.errors import Contended
from chalicelib.services.ledger_ports import FinalTransaction


def give_up_if_unwanted(final: FinalTransaction) -> None:
    """Take back what this finaliser has done where its job has been called off; the next one ends it CANCELLED.

    Raises:
        Contended: it has been called off since this transaction began.
    """
    if not final.ending.cancelling and final.unwanted():
        raise Contended("called-off", f"job {final.ending.job.id} was called off")

"""Trouble: a failure that will not pass by itself is remembered for whoever gives its message up.

The queue tries a message again whatever it failed of, since what looks like a fault of ours may be half a deployment.
Who takes it out of the dead letters has only the message, and finds here why.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from chalicelib.errors import DroploadError, Transient, class_of
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.ports import Reason


@contextmanager
def noting(ledger: Ledger, id: UUID, batch: int | None = None) -> Iterator[None]:
    """Work on a job, or on a batch of it, in this block; what it raises goes on as it is."""
    try:
        yield
    except Exception as error:
        if class_of(error) != "transient":
            with suppress(Transient):
                ledger.note_trouble(id, batch, reason_of(error))
        raise


def reason_of(error: Exception) -> Reason:
    """An error as a job's reason. Of the errors of others only the type: their messages may quote a value."""
    if isinstance(error, DroploadError):
        return Reason(error.code, error.message, class_of(error))
    return Reason("internal-error", f"something went wrong on our side ({type(error).__name__})", "terminal")

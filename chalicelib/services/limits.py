"""Limits: why a job must stop, as the ledger keeps it."""

from chalicelib.core.limits import too_many
from chalicelib.core.schema import Dataset
from chalicelib.services.ports import Reason


def over_limit(dataset: Dataset, read: int, rejected: int, *, whole: bool) -> Reason | None:
    """The reason of a job of which so many records were rejected; see ``core.limits.too_many``."""
    message = too_many(dataset, read, rejected, whole=whole)
    return None if message is None else Reason("too-many-errors", message, "file")

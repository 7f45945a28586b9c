"""Receipts: what a job took and cost."""

from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.access import Caller
from chalicelib.errors import RequestRefused


class ReceiptView(Protocol):
    """The ledger, as far as this service needs it."""

    def receipt(self, id: UUID) -> tuple[str, dict[str, Any]] | None:
        """The dataset of a job, and its receipt as of now; None where there is no such job."""


class Receipts:
    """What is asked for seldom, and so is no part of what the API shows of a job."""

    def __init__(self, *, view: ReceiptView) -> None:
        self._view = view

    def get(self, caller: Caller, id: UUID) -> dict[str, Any]:
        """A job's receipt; while it has not ended, so far.

        Raises:
            RequestRefused: 404, there is no such job for them.
        """
        found = self._view.receipt(id)
        if found is None or not caller.sees(found[0]):
            raise RequestRefused(404, "not-found", f"there is no job {id}")
        return {"job": str(id), **found[1]}

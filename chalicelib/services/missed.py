"""Missed: objects that were dropped and never announced get their jobs."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.errors import Transient
from chalicelib.services.clock import utc_now
from chalicelib.services.ports import Queues, Remaining
from chalicelib.services.split import Split
from chalicelib.services.sweep_ports import Listed, Listing, Sweeps

log = logging.getLogger("dropload.missed")

_LEFT_TO_ITS_EVENT = timedelta(seconds=60)
_ENOUGH = 60.0  # seconds that must be left to look at another page, or to begin another object
_PAGES = 200  # looked at in one invocation, at most


class Looked(NamedTuple):
    """How many objects were looked at, and how many of them were begun."""

    objects: int
    begun: int


class Missed:
    """Lists ``input/`` against the ledger, a page of keys at a time; the ledger remembers where it left off.

    So any number of objects is looked at over some invocations, each in bounded time and memory. One round ends at the
    listing's end; no invocation begins a second one.
    """

    def __init__(
        self,
        *,
        sweeps: Sweeps,
        listing: Listing,
        queues: Queues,
        split: Split,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._sweeps = sweeps
        self._listing = listing
        self._queues = queues
        self._split = split
        self._clock = clock

    def run(self, remaining: Remaining) -> Looked:
        """Begin what was missed. An object is begun as by its event: its job is booked, then its split is asked for.

        Raises:
            Transient: some objects could not be begun. They held up no other, and the next round looks at them again.
        """
        objects = begun = failed = 0
        after: str | None = self._sweeps.place()
        for _ in range(_PAGES):
            if after is None or remaining() < _ENOUGH:
                break
            page = self._listing.page(after)
            missed = self._sweeps.missed([each for each in page.objects if self._is_ours(each)])
            for each in missed:
                if remaining() < _ENOUGH:
                    return _told(objects, begun, failed)  # what has its job by now is not missed the next time
                outcome = self._begin(each)
                begun, failed = begun + (outcome is True), failed + (outcome is None)
            objects += len(page.objects)
            after = page.after
            self._sweeps.keep_place(after or "")
        return _told(objects, begun, failed)

    def _is_ours(self, listed: Listed) -> bool:
        """Whether it is no folder marker of the console's, and its event has had its time."""
        is_marker = listed.stored.key.endswith("/") and listed.stored.size == 0
        return not is_marker and listed.modified < self._clock() - _LEFT_TO_ITS_EVENT

    def _begin(self, listed: Listed) -> bool | None:
        """None where that was not possible."""
        try:
            job = self._split.booked(listed.stored)
            if job is not None:
                self._queues.send_split(job.id)
        except Exception:
            log.exception("an object that was missed cannot be begun", extra={"fields": {"key": listed.stored.key}})
            return None
        return True


def _told(objects: int, begun: int, failed: int) -> Looked:
    if failed:
        raise Transient("missed-trouble", f"{failed} of {begun + failed} objects that were missed cannot be begun")
    return Looked(objects, begun)

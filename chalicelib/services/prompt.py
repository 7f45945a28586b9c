"""Prompt: webhooks are told of what the API writes within seconds, and writing costs next to nothing by that."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.errors import Transient
from chalicelib.services.clock import utc_now
from chalicelib.services.ports import Queues
from chalicelib.services.webhook_ports import Outgoing

log = logging.getLogger("dropload.prompt")

_SOON = 1  # second: one message for all who write within it


class Prompt:
    """To be called after the commit. What no message comes for, the sweep finds."""

    def __init__(self, *, outgoing: Outgoing, queues: Queues, clock: Callable[[], datetime] = utc_now) -> None:
        self._outgoing = outgoing
        self._queues = queues
        self._clock = clock

    def __call__(self) -> None:
        """Have somebody look, if anybody wants to know, and nobody has asked for that already."""
        now = self._clock()
        try:
            if self._outgoing.wake_for_records(now, now + timedelta(seconds=_SOON)):
                self._queues.send_webhooks(delay=_SOON)
        except Transient:
            log.warning("webhooks are told later of what was written", exc_info=True)

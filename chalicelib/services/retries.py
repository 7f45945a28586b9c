"""Retries: a message that failed comes back soon, and later each time."""

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.services.ports import Delivery, Queues

_FIRST = 30  # seconds
_FACTOR = 6
_LONGEST = 5400


class Retries:
    """The queue is the one that retries; this only tells it when.

    Left to itself it would wait for its visibility timeout, which is made for messages still being worked on: an hour
    and a half. After half a minute, three, eighteen and ninety the fifth failure sends a message to the dead letters.
    """

    def __init__(self, *, queues: Queues) -> None:
        self._queues = queues

    @contextmanager
    def of(self, delivery: Delivery) -> Iterator[None]:
        """Handle one delivery in this block; whatever it raises goes on to the runtime, which keeps the message."""
        try:
            yield
        except Exception:
            self._queues.hide(delivery, min(_FIRST * _FACTOR ** (delivery.receives - 1), _LONGEST))
            raise

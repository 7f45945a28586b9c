"""Retries: a message that failed comes back soon, and later each time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import random

from chalicelib.services.ports import Delivery, Queues

_FIRST = 30  # seconds
_FACTOR = 6
_LONGEST = 5400
_SPREAD = 0.25


class Retries:
    """The queue is the one that retries; this only tells it when.

    Left to itself it would wait for its visibility timeout, which is made for messages still being worked on: an hour
    and a half. After half a minute, three, eighteen and ninety the fifth failure sends a message to the dead letters.
    Each wait is up to a quarter longer, so that what failed all at once does not come back all at once.
    """

    def __init__(self, *, queues: Queues, chance: Callable[[], float] = random, first: float = _FIRST) -> None:
        """``chance`` gives numbers from 0 to 1, ``first`` is the first wait in seconds."""
        self._queues = queues
        self._chance = chance
        self._first = first

    @contextmanager
    def of(self, delivery: Delivery) -> Iterator[None]:
        """Handle one delivery in this block; whatever it raises goes on to the runtime, which keeps the message."""
        try:
            yield
        except Exception:
            wait = min(self._first * _FACTOR ** (delivery.receives - 1), _LONGEST)
            self._queues.hide(delivery, round(wait * (1 + _SPREAD * self._chance())))
            raise

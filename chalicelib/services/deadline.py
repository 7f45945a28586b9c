"""Deadline: when the invocation ends that we are in, for whoever waits for an answer from somewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chalicelib.services.ports import Remaining, unhurried

_remaining: ContextVar[Remaining] = ContextVar("dropload_remaining", default=unhurried)


@contextmanager
def within(remaining: Remaining | None) -> Iterator[None]:
    """In this block nobody waits for longer than these seconds; None where nothing ends it. Not in its threads."""
    token = _remaining.set(remaining or unhurried)
    try:
        yield
    finally:
        _remaining.reset(token)


def seconds_left() -> float:
    """How long anything may still take that is begun now; infinity where nothing ends us."""
    return max(_remaining.get()(), 0.0)

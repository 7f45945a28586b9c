"""Telemetry: what is going on, for whoever reads the logs and the metrics; and how long it took.

Nothing here knows where that goes: see ``Meter``. No name, field or value of it ever is a cell's value or a secret.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, Protocol

from chalicelib.services.metrics import Metric

FIELDS = "fields_of_work"
"""The attribute of an exception that tells what was worked on when it was raised, for whoever logs it further out."""
Clock = Callable[[], float]


class Worked(NamedTuple):
    """Milliseconds that a function has worked; ``first`` says that none of this work was booked before."""

    what: str
    ms: int
    first: bool


class Work:
    """One thing being worked on: the fields of all that is logged meanwhile, and its seconds by phase.

    ``what`` is the function that does it (split, load, convert ...), whichever process that runs in.
    """

    def __init__(self, what: str | None, fields: Mapping[str, object], clock: Clock) -> None:
        self.what = what
        self.fields = dict(fields)
        self.phases: dict[str, float] = {}
        self._named: set[str] = set()
        self._clock = clock
        self._booked = self._lapped = clock()

    def book(self, what: str | None = None) -> "Worked":
        """What was worked since this was last asked for, or since the work began: each millisecond is booked once.

        ``what`` is another name for it than its function's.
        """
        spent = max(round(1000 * (self._clock() - self._booked)), 0)
        self._booked += spent / 1000  # so that what is rounded away comes up the next time
        what = what or self.what or "other"
        first = what not in self._named
        self._named.add(what)
        return Worked(what, spent, first)

    def lap(self, phase: str | None) -> None:
        """What has passed since the last lap was this phase, or none that is measured."""
        now = self._clock()
        if phase is not None:
            self.phases[phase] = self.phases.get(phase, 0.0) + now - self._lapped
        self._lapped = now


_current: ContextVar[Work | None] = ContextVar("dropload_work", default=None)


@contextmanager
def working(what: str | None = None, *, clock: Clock = time.monotonic, **fields: object) -> Iterator[Work]:
    """In this block, log lines have these fields too, and time is measured anew."""
    outer = _current.get()
    inherited = outer.fields if outer is not None else {}
    what = what or (outer.what if outer is not None else None)
    named = {} if what is None else {"function": what}
    work = Work(what, {**inherited, **named, **fields}, clock)
    token = _current.set(work)
    try:
        yield work
    except Exception as error:
        if not hasattr(error, FIELDS):
            setattr(error, FIELDS, work.fields)
        raise
    finally:
        _current.reset(token)


def current() -> Work:
    """The innermost work; one of its own where there is none."""
    return _current.get() or Work(None, {}, time.monotonic)


def note(**fields: object) -> None:
    """From now on, log lines of the current work have these fields."""
    work = _current.get()
    if work is not None:
        work.fields.update(fields)


class Meter(Protocol):
    """Where events go that are counted: one log line each, with the fields of the current work."""

    def report(
        self, event: str, metrics: Mapping[Metric, float], *, dataset: str | None = None, **fields: object
    ) -> None:
        """Something has happened, with these metrics, of this dataset; ``fields`` are for the log line only."""


class Silent:
    """A meter that nobody reads."""

    def report(
        self, event: str, metrics: Mapping[Metric, float], *, dataset: str | None = None, **fields: object
    ) -> None:
        return


SILENT = Silent()

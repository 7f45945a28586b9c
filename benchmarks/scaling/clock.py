"""A discrete-event simulation in small: processes are generators that yield what they wait for."""

import heapq
from collections import deque
from collections.abc import Callable, Generator

Resume = Callable[[], None]
Wait = Callable[[Resume], None]
"""Something to wait for: called with what is to be done once it has come."""
Process = Generator[Wait, None, None]


class Clock:
    """Simulated seconds. What is due at the same moment happens in the order in which it was asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Resume]] = []
        self._asked = 0

    def after(self, seconds: float, call: Resume) -> None:
        """Call something later; never within this call, so that nobody's state changes under him."""
        self._asked += 1
        heapq.heappush(self._due, (self.now + seconds, self._asked, call))

    def sleep(self, seconds: float) -> Wait:
        return lambda resume: self.after(seconds, resume)

    def start(self, process: Process) -> None:
        self.after(0.0, lambda: self._step(process))

    def run(self) -> None:
        """Until nothing is due any more."""
        while self._due:
            self.now, _, call = heapq.heappop(self._due)
            call()

    def _step(self, process: Process) -> None:
        wait = next(process, None)
        if wait is not None:
            wait(lambda: self._step(process))


class Line:
    """One server and a queue, first come, first served: a lock, a device. Counts the seconds that it is ``busy``."""

    def __init__(self, clock: Clock) -> None:
        self.busy = 0.0
        self._clock = clock
        self._free_at = 0.0

    def serve(self, seconds: float) -> Wait:
        def wait(resume: Resume) -> None:
            self._free_at = max(self._free_at, self._clock.now) + seconds
            self.busy += seconds
            self._clock.after(self._free_at - self._clock.now, resume)

        return wait


class Seats:
    """So many at once; the others wait in a queue."""

    def __init__(self, clock: Clock, seats: int) -> None:
        self._clock = clock
        self._free = seats
        self._waiting: deque[Resume] = deque()

    def take(self) -> Wait:
        def wait(resume: Resume) -> None:
            if self._free:
                self._free -= 1
                self._clock.after(0.0, resume)
            else:
                self._waiting.append(resume)

        return wait

    def give_back(self) -> None:
        if self._waiting:
            self._clock.after(0.0, self._waiting.popleft())
        else:
            self._free += 1


class Event:
    """Comes once; who waits for it afterwards goes on at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._came = False
        self._waiting: list[Resume] = []

    def come(self) -> None:
        self._came = True
        for resume in self._waiting:
            self._clock.after(0.0, resume)

    def wait(self, resume: Resume) -> None:
        if self._came:
            self._clock.after(0.0, resume)
        else:
            self._waiting.append(resume)


class Cores:
    """``count`` cores that all work under way shares alike, as an operating system does.

    With ``contention``, each further one at work at the same time slows all (latches); with ``crowding``, so does work
    beyond the number of cores (whoever holds a latch may not be running).
    """

    def __init__(self, clock: Clock, count: float, contention: float = 0.0, crowding: float = 0.0) -> None:
        self.busy = 0.0
        self._clock = clock
        self._count = count
        self._contention = contention
        self._crowding = crowding
        self._given = 0.0  # seconds of work that each one under way has had since the beginning
        self._since = 0.0
        self._asked = 0
        self._ends: list[tuple[float, int, Resume]] = []  # by what will have been given then

    def work(self, seconds: float) -> Wait:
        def wait(resume: Resume) -> None:
            self._advance()
            self._asked += 1
            self.busy += seconds
            heapq.heappush(self._ends, (self._given + seconds, self._asked, resume))
            self._plan()

        return wait

    def _rate(self) -> float:
        return speed(len(self._ends), self._count, self._contention, self._crowding) / len(self._ends)

    def _advance(self) -> None:
        if self._ends:
            self._given += (self._clock.now - self._since) * self._rate()
        self._since = self._clock.now

    def _plan(self) -> None:
        asked = self._asked
        if self._ends:
            self._clock.after(max(0.0, self._ends[0][0] - self._given) / self._rate(), lambda: self._end(asked))

    def _end(self, asked: int) -> None:
        if asked != self._asked:
            return  # planned before somebody came or went
        self._advance()
        self._asked += 1
        self._given, _, resume = heapq.heappop(self._ends)
        self._clock.after(0.0, resume)
        self._plan()


def speed(working: int, count: float, contention: float, crowding: float) -> float:
    """Core seconds a second that so many at once get out of ``count`` cores; never more than ``count``."""
    at_once = min(float(working), count)
    slowed = 1 + contention * max(0.0, at_once - 1)
    return at_once / slowed / (1 + crowding * max(0.0, working / count - 1))


def together(*waits: Wait) -> Wait:
    """All of them at once, until the last."""

    def wait(resume: Resume) -> None:
        left = len(waits)

        def one() -> None:
            nonlocal left
            left -= 1
            if not left:
                resume()

        for each in waits:
            each(one)

    return wait

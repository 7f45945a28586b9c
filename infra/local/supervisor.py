"""Keeps a stack up until it is asked to stop: in the terminal, or detached and stopped by ``dev.py down``.

``python -m infra.local.supervisor STATE PORT`` is the detached one.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from infra.local.errors import StackError
from infra.local.paths import ROOT
from infra.local.processes import recorded, spawn, tail, write_record
from infra.local.stack import Running, running
from infra.local.state import Local, hold, is_held, is_ready

NAME = "supervisor"
LOOK_EVERY_SECONDS = 0.5
STOP_TIMEOUT_SECONDS = 90
CLOCK_GRAIN_SECONDS = 0.02
"""File times may lag behind the clock by a kernel tick."""
GAVE_UP = "gave up: "


class Stop(BaseException):
    """Somebody asked us to stop."""


@contextmanager
def supervised(state: Path, port: int, *, fresh: bool, say: Callable[[str], None]) -> Iterator[Running]:
    """A running stack; SIGINT and SIGTERM end the context, and then everything stops in order, undisturbed.

    Raises StackError as ``running`` does.
    """

    def stop(_signal: int, _frame: object) -> None:
        _on_signals(signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        raise Stop

    with hold(state):
        record = state / "run" / f"{NAME}.json"
        write_record(record, os.getpid())
        _on_signals(stop)
        try:
            with running(state, port, fresh=fresh, say=say) as stack:
                try:
                    yield stack
                finally:
                    _on_signals(signal.SIG_IGN)
                    say("stopping")
        except Stop:
            say("stopped; the state stays")
        finally:
            record.unlink(missing_ok=True)


def keep_up(stack: Running) -> None:
    """Never return: raise Stop when asked to, StackError when a process of the stack has ended."""
    while True:
        stack.check()
        time.sleep(LOOK_EVERY_SECONDS)


def start_detached(state: Path, port: int, *, fresh: bool) -> Local:
    """Start a supervisor in the background and return when its stack is ready.

    Raises StackError with what the supervisor said when it gave up.
    """
    command = [sys.executable, "-m", "infra.local.supervisor", str(state), str(port), *(["fresh"] if fresh else [])]
    started = time.time() - CLOCK_GRAIN_SECONDS
    supervisor = spawn(state, NAME, command, environment=os.environ, working_folder=ROOT)
    while not is_ready(state, since=started):
        if supervisor.process.poll() is not None:
            raise StackError(tail(supervisor.log).removeprefix(GAVE_UP))
        time.sleep(0.05)
    return Local.read(state)


def down(state: Path) -> int:
    """Stop the stack that runs on this state. Returns the exit code: 0, also if there was none."""
    if not is_held(state):
        print(f"no stack is running on {state}")
        return 0
    process = recorded(state / "run" / f"{NAME}.json")
    if process is None:
        raise StackError(f"something holds {state}, but it does not say which process it is; try again in a moment")
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except psutil.TimeoutExpired:
        raise StackError(
            f"process {process.pid} did not stop within {STOP_TIMEOUT_SECONDS} seconds; see {state / 'log'}"
        ) from None
    print("stopped; the state stays")
    return 0


def _on_signals(action: Callable[[int, object], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, action)


def main(arguments: list[str]) -> int:
    """The detached supervisor. Returns its exit code."""
    state, port, *rest = arguments
    try:
        with supervised(
            Path(state), int(port), fresh=rest == ["fresh"], say=lambda what: print(what, flush=True)
        ) as stack:
            keep_up(stack)
    except StackError as problem:
        print(f"{GAVE_UP}{problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

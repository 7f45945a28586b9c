"""Child processes that outlive a crash of their parent, and can then be found and stopped.

Each child runs in a session of its own, so that Ctrl-C reaches only the parent, which stops the children in order.
Its pid and start time stand in ``<state>/run/<name>.json`` while it runs: a pid alone may have passed to a stranger.
"""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.local.errors import StackError
from infra.local.files import write_private

LOG_TAIL_LINES = 20
KILL_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Account:
    """An operating system account to run a process as."""

    uid: int
    gid: int
    name: str


@dataclass(frozen=True)
class Child:
    """A process that we started: ``process`` is ours to wait for, ``log`` has what it says."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    record: Path

    def check(self) -> None:
        """Raise StackError with the end of the log if the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise StackError(f"{self.name} ended with code {code}. The end of {self.log}:\n{tail(self.log)}")

    def stop(self, with_signal: signal.Signals, timeout: float) -> None:
        """Ask the process to end, wait up to ``timeout`` seconds, then kill what is left of its session."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
        _kill_group(self.process.pid)
        self.process.wait(KILL_TIMEOUT_SECONDS)
        self.record.unlink(missing_ok=True)


def spawn(
    state: Path,
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    account: Account | None = None,
    working_folder: Path | None = None,
) -> Child:
    """Start ``command`` with its output in ``<state>/log/<name>.log`` and its record in ``<state>/run``.

    The log of the run before stays beside it.
    """
    log = log_of(state, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.rename(log.with_suffix(".log.1"))
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=working_folder or "/",
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    record = _record(state, name)
    write_record(record, process.pid)
    return Child(name, process, log, record)


def write_record(record: Path, pid: int) -> None:
    """Note which process ``pid`` is, so that ``recorded`` finds it and no later owner of the same pid."""
    with suppress(psutil.NoSuchProcess):  # it ended at once: whoever started it will see that
        write_private(record, json.dumps({"pid": pid, "created": psutil.Process(pid).create_time()}))


def recorded(record: Path) -> psutil.Process | None:
    """The running process that ``record`` names, or None."""
    try:
        noted = json.loads(record.read_text())
        process = psutil.Process(noted["pid"])
        # Start times are whole clock ticks (10 ms), but psutil derives them from a boot time that may be adjusted.
        same = abs(process.create_time() - noted["created"]) < 1.0
    except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
        return None
    return process if same and process.status() != psutil.STATUS_ZOMBIE else None


def stop_orphan(state: Path, name: str, with_signal: signal.Signals, timeout: float) -> None:
    """Stop the process ``name`` that an earlier run of this state left behind, if there is one."""
    record = _record(state, name)
    process = recorded(record)
    if process is not None:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(with_signal)
        with suppress(psutil.TimeoutExpired):
            process.wait(timeout)
        _kill_group(process.pid)
        with suppress(psutil.TimeoutExpired):
            process.wait(KILL_TIMEOUT_SECONDS)
    record.unlink(missing_ok=True)


def log_of(state: Path, name: str) -> Path:
    """Where the process ``name`` writes what it says."""
    return state / "log" / f"{name}.log"


def tail(log: Path, lines: int = LOG_TAIL_LINES) -> str:
    """The last ``lines`` lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"


def free_port(preferred: int | None = None) -> int:
    """A TCP port of 127.0.0.1 that nobody listens on: the preferred one if it is free, else any."""
    if preferred is not None and not listening(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def listening(port: int) -> bool:
    """Whether the port of 127.0.0.1 cannot be bound, because someone listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # sockets in TIME_WAIT do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _record(state: Path, name: str) -> Path:
    return state / "run" / f"{name}.json"


def _kill_group(leader: int) -> None:
    """Kill what is left of the session that ``leader`` led: it may have started children."""
    with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        os.killpg(leader, signal.SIGKILL)

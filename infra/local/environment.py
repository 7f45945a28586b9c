"""Makes ``.venv`` from the pinned requirements and runs the command line in it.

Imports the standard library only: it runs before anything is installed. The environment is ready when its stamp
names these very requirements and this very Python; the stamp is written last, so an install that was interrupted
is done again, and a lock lets two commands start at once.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from infra.local import cli, installers
from infra.local.paths import ROOT, VENV

REQUIREMENT_FILES = ("requirements.txt", "requirements-convert.txt", "requirements-dev.txt")
PYTHON = VENV / "bin" / "python"
LOG_TAIL_LINES = 15
_COMMAND_LINE = (
    "import sys; sys.path[0] = sys.argv.pop(1); from infra.local import cli; sys.exit(cli.main(sys.argv[1:]))"
)


class SetupError(Exception):
    """The environment could not be made; the message says what to do."""


def main(argv: list[str]) -> int:
    """Check ``argv``, make sure that the environment exists, and become ``infra.local.cli`` inside it.

    Usage errors and ``--help`` end here, before anything is installed. Returns an exit code only on failure.
    """
    if cli.parse(argv).command == "demo-file":
        return cli.main(argv)  # it needs nothing, and takes long enough for large files
    try:
        ensure()
    except SetupError as failure:
        print(f"dev.py: {failure}", file=sys.stderr)
        return 1
    # Not by -m, which would need the working folder to be ROOT: paths in argv are relative to the caller's.
    return os.execv(PYTHON, [str(PYTHON), "-c", _COMMAND_LINE, str(ROOT), *argv])  # noqa: S606 (no shell is wanted)


def ensure() -> None:
    """Make or renew ``.venv`` unless it already is what the requirements ask for.

    Raises SetupError when no way of installing worked.
    """
    wanted = fingerprint()
    with _locked(VENV.with_name(".venv.lock")):
        stamp = VENV / "dropload-stamp"
        if stamp.is_file() and stamp.read_text() == wanted and PYTHON.exists():
            return
        shutil.rmtree(VENV, ignore_errors=True)
        venv.EnvBuilder(with_pip=False, symlinks=True).create(VENV)
        _install()
        stamp.write_text(wanted)


def fingerprint() -> str:
    """A digest of the requirement files and of the Python that the environment is made with."""
    digest = hashlib.sha256(f"{sys.version} {os.path.realpath(sys.executable)} {VENV}".encode())
    for name in REQUIREMENT_FILES:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released by the system when we die, whatever the cause
        yield


def _install() -> None:
    log_path = VENV / "install.log"
    with log_path.open("w") as log, _elapsed("making the environment in .venv"):
        requirements = str(ROOT / "requirements-dev.txt")
        done = any(_run([*command, "-r", requirements], log) for command in installers.found(PYTHON, log))
    if not done:
        tail = "\n".join(log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        raise SetupError(
            f"could not install the requirements. The end of {log_path}:\n\n{tail}\n\n"
            "It needs a package index that can be reached (the default one, PIP_INDEX_URL, or pip's configuration) and "
            "one of: this Python's ensurepip (on Debian and Ubuntu: apt install python3-venv), pip, uv or virtualenv."
        )


def _run(command: list[str], log: TextIO) -> bool:
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT).returncode == 0


@contextmanager
def _elapsed(what: str) -> Iterator[None]:
    """Say on stderr that ``what`` is going on: with the seconds on a terminal, once elsewhere."""
    started = time.monotonic()
    finished = threading.Event()

    def tick() -> None:
        while not finished.wait(0.5):
            print(f"\r{what}: {time.monotonic() - started:.0f} s", end="", file=sys.stderr, flush=True)

    if not sys.stderr.isatty():
        print(f"{what} ...", file=sys.stderr, flush=True)
        yield
        return
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        finished.set()
        ticker.join()
        print(f"\r{what}: {time.monotonic() - started:.0f} s", file=sys.stderr)

"""What benchmarks need besides dropload's own environment: one for Django and matplotlib, and pgloader from Debian."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.contenders.base import NotRunError
from benchmarks.stage import run, say
from infra.local import installers
from infra.local.paths import ROOT

ENVIRONMENT = ROOT / ".venv-bench"
PYTHON = ENVIRONMENT / "bin" / "python"
REQUIREMENTS = ROOT / "requirements-bench.txt"
PGLOADER = "pgloader=3.6.9-1"
_DEBIAN = (PGLOADER, "libsybdb5")
_APT_SECONDS = 300


def environment() -> Path:
    """The Python of ``.venv-bench``, made first if it is not there. Raises NotRunError where it cannot be made."""
    wanted = hashlib.sha256(f"{sys.version}{REQUIREMENTS.read_text()}".encode()).hexdigest()
    stamp = ENVIRONMENT / "dropload-stamp"
    if stamp.is_file() and stamp.read_text() == wanted and PYTHON.exists():
        return PYTHON
    say("making the environment in .venv-bench")
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    venv.EnvBuilder(with_pip=False, symlinks=True).create(ENVIRONMENT)
    log_path = ENVIRONMENT / "install.log"
    with log_path.open("w") as log:
        for command in installers.found(PYTHON, log):
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            done = subprocess.run([*command, "-r", str(REQUIREMENTS)], stdout=log, stderr=subprocess.STDOUT)
            if done.returncode == 0:
                stamp.write_text(wanted)
                return PYTHON
    raise NotRunError(f"requirements-bench.txt cannot be installed: {_last_line(log_path.read_text(errors='replace'))}")


def pgloader() -> tuple[str, dict[str, str]]:
    """The program, and the environment that it runs in: the one on PATH, else Debian's package, unpacked beside
    ``.venv-bench`` without any right. Raises NotRunError where there is neither."""
    if found := shutil.which("pgloader"):
        return found, dict(os.environ)
    root = ROOT / ".venv-bench-pgloader"
    program = root / "usr/bin/pgloader"
    if not program.exists():
        _unpack(root)
    libraries = ":".join(str(folder.parent) for folder in (root / "usr/lib").rglob("libsybdb.so.5"))
    return str(program), {**os.environ, "LD_LIBRARY_PATH": libraries}


def _unpack(root: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise NotRunError("pgloader is not on PATH, and this is no Debian to get it from")
    say("getting pgloader from Debian")
    unfinished = root.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    done = run(["apt-get", "download", *_DEBIAN], cwd=unfinished, timeout=_APT_SECONDS)
    packages = sorted(unfinished.glob("*.deb"))
    if done.returncode or not packages:
        raise NotRunError(f"apt-get download {' '.join(_DEBIAN)}: {_last_line(done.stderr)}")
    for package in packages:
        subprocess.run(["dpkg", "-x", package, unfinished], check=True)
        package.unlink()
    unfinished.rename(root)


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it said nothing")[:300]

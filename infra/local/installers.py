"""Finds something that can install packages into an environment that has no pip of its own.

Distributions ship Python without ensurepip, without pip, or with both; some machines have only uv. The ways are
tried from the most to the least usual; the last one fetches pip itself from the index that pip's configuration names.
Imports the standard library only.
"""

import configparser
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from infra.local.paths import ROOT

FETCH_TIMEOUT_SECONDS = 60
INSTALL = ("install", "--disable-pip-version-check", "--no-compile")
"""What is imported gets compiled then; compiling everything would take a quarter of the time."""


def found(python: Path, log: TextIO) -> Iterator[list[str]]:
    """Commands that install into the environment of ``python`` once ``-r file`` is appended, the best first.

    More than one, since what is there may yet be too old for this Python. What each said goes to ``log``.
    """
    for way in (_ensurepip, _pip_of_this_python, _pip_on_path, _uv, _virtualenv, _pip_wheel_on_disk, _fetched_pip):
        command = way(python, log)
        if command is not None:
            yield command


def _ensurepip(python: Path, log: TextIO) -> list[str] | None:
    return _own_pip(python) if _works([str(python), "-m", "ensurepip", "--default-pip"], log) else None


def _pip_of_this_python(python: Path, log: TextIO) -> list[str] | None:
    return _outside_pip([sys.executable, "-m", "pip"], python, log)


def _pip_on_path(python: Path, log: TextIO) -> list[str] | None:
    tried = (_outside_pip([pip], python, log) for pip in map(shutil.which, ("pip3", "pip")) if pip)
    return next((command for command in tried if command), None)


def _uv(python: Path, log: TextIO) -> list[str] | None:
    uv = shutil.which("uv")
    if uv and _works([uv, "--version"], log):
        return [uv, "pip", "install", "--python", str(python)]
    return None


def _virtualenv(python: Path, log: TextIO) -> list[str] | None:
    virtualenv = shutil.which("virtualenv")
    environment = str(python.parent.parent)
    if virtualenv and _works([virtualenv, "--python", sys.executable, environment], log):
        return _own_pip(python)
    return None


def _pip_wheel_on_disk(python: Path, log: TextIO) -> list[str] | None:
    """A pip wheel that the distribution keeps for virtual environments, or that pip's configuration points to."""
    folders = ["/usr/share/python-wheels", *_configured("PIP_FIND_LINKS", "find-links")]
    for folder in folders:
        for wheel in sorted(Path(folder).glob("pip-*-py3-none-any.whl"), reverse=True):
            command = [str(python), str(wheel / "pip")]  # a wheel is a zip file, which Python can run
            if _works([*command, "--version"], log):
                return [*command, *INSTALL]
    return None


def _fetched_pip(python: Path, log: TextIO) -> list[str] | None:
    for index in _configured("PIP_INDEX_URL", "index-url") + _configured("PIP_EXTRA_INDEX_URL", "extra-index-url"):
        try:
            wheel = _fetch_pip_wheel(index, python.parent.parent)
        except (OSError, ValueError) as problem:
            log.write(f"fetching pip from the configured index: {problem}\n")
            continue
        return [str(python), str(wheel / "pip"), *INSTALL]
    return None


def _own_pip(python: Path) -> list[str]:
    return [str(python), "-m", "pip", *INSTALL]


def _outside_pip(pip: list[str], python: Path, log: TextIO) -> list[str] | None:
    """A pip that lives elsewhere: since 22.3 it can be pointed at another environment."""
    aimed = [*pip, "--python", str(python)]
    return [*aimed, *INSTALL] if _works([*aimed, "--version"], log) else None


def _works(command: list[str], log: TextIO) -> bool:
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    except OSError as problem:
        log.write(f"{problem}\n")
        return False
    return done.returncode == 0


def _configured(variable: str, option: str) -> list[str]:
    """What pip would read: from the environment, then from its configuration files."""
    parser = configparser.RawConfigParser()
    parser.read(_pip_configuration_files(), encoding="utf-8")
    values = [os.environ.get(variable, ""), *(parser.get(part, option, fallback="") for part in ("install", "global"))]
    return [each.strip("'\"") for value in values for each in value.split()]


def _pip_configuration_files() -> list[str]:
    home = Path.home()
    named = os.environ.get("PIP_CONFIG_FILE")
    configured = os.environ.get("XDG_CONFIG_HOME") or home / ".config"
    places = ["/etc/pip.conf", home / ".pip" / "pip.conf", Path(configured) / "pip" / "pip.conf"]
    return [str(place) for place in (*places, *([named] if named else []))]


def _fetch_pip_wheel(index: str, folder: Path) -> Path:
    """Download the pinned pip's wheel from a PEP 503 ``index`` into ``folder``.

    Raises OSError when the index cannot be reached, ValueError when it has no such wheel or a damaged one.
    """
    page_url = index.rstrip("/") + "/pip/"
    if page_url.startswith("file:"):
        page_url += "index.html"
    name = f"pip-{_pinned_pip()}-py3-none-any.whl"
    link = re.search(rf'href="([^"]*{re.escape(name)}[^"]*)"', _get(page_url).decode())
    if link is None:
        raise ValueError(f"no {name} there")
    url, _, digest = urllib.parse.urljoin(page_url, link[1]).partition("#sha256=")
    content = _get(url)
    if digest and hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"{name} does not have the digest that its index names")
    wheel = folder / name
    wheel.write_bytes(content)
    return wheel


def _pinned_pip() -> str:
    pin = re.search(r"^pip==(\S+)$", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    if pin is None:
        raise ValueError("requirements-dev.txt pins no pip")
    return pin[1]


def _get(url: str) -> bytes:
    trust = ssl.create_default_context(cafile=os.environ.get("PIP_CERT"))
    with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_SECONDS, context=trust) as answer:
        content: bytes = answer.read()
    return content

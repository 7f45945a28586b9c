"""Runs dev.py's commands as a person does: as processes, seen from outside."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from infra.local.paths import ROOT
from infra.local.processes import tail

TIMEOUT_SECONDS = 120


def dev(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with more in its environment."""
    command = [sys.executable, "-m", "infra.local.cli", *map(str, arguments)]
    more = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=more, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start a command; its output can be read from ``stdout``."""
    command = [sys.executable, "-m", "infra.local.cli", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def print_logs(state: Path) -> None:
    """Print what the processes of a stack said last, for whoever has to find out why a test failed."""
    for log in sorted((state / "log").glob("*.log")):
        sys.stdout.write(f"\n== the end of {log.name}\n{tail(log)}\n")


def processes(state: Path) -> dict[str, int]:
    """The pids of a running stack, by name, supervisor included."""
    return {file.stem: json.loads(file.read_text())["pid"] for file in (state / "run").glob("*.json")}


def kill(*pids: int) -> None:
    """Kill without a chance to clean up, and wait until they are gone."""
    victims = [psutil.Process(pid) for pid in pids]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    psutil.wait_procs(victims, timeout=10)

"""What the figures were measured on."""

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.stage import Stage
from infra.local.paths import ROOT

_SHOWN = (
    *("shared_buffers", "max_wal_size", "fsync", "synchronous_commit", "full_page_writes", "wal_level"),
    *("checkpoint_timeout", "work_mem", "maintenance_work_mem", "max_parallel_maintenance_workers", "autovacuum"),
)


def described(stage: Stage) -> dict[str, Any]:
    """Machine, kernel, versions, PostgreSQL's settings that matter and all that are not its defaults, commit, date."""
    version = stage.execute("select version()", url=stage.server_url)[0][0]
    changed = stage.execute(
        "select name, current_setting(name) from pg_settings where source = 'command line' or name = any("
        f"array[{', '.join(repr(name) for name in _SHOWN)}]) order by name",
        url=stage.server_url,
    )
    hidden = ("port", "listen_addresses", "unix_socket_directories", "data_directory", "config_file")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": _git("describe", "--always", "--dirty"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "kernel": platform.release(),
        "system": platform.system(),
        "python": platform.python_version(),
        "postgresql": version.partition(" on ")[0],
        "settings": {name: value for name, value in changed if name not in hidden},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"

"""The command can be installed from the repository by pip, into a Python that has nothing else."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from infra.local.paths import ROOT


def test_pip_installs_the_command_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(ROOT / "pyproject.toml", source)
    for name in ("dropload_client", "chalicelib", "infra", "app.py"):  # pip builds where the source is
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    venv.create(tmp_path / "venv", with_pip=True)
    bin = tmp_path / "venv" / "bin"
    installed = subprocess.run(
        [bin / "python", "-m", "pip", "install", "--quiet", source], capture_output=True, text=True, timeout=300
    )
    assert installed.returncode == 0, installed.stderr
    shown = subprocess.run([bin / "dropload", "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert {"login", "upload", "fetch", "jobs", "job", "rejected", "redrive", "cancel", "export", "why"} <= set(
        shown.stdout.split()
    )
    listed = subprocess.run([bin / "python", "-m", "pip", "list", "--format=json"], capture_output=True, text=True)
    assert {each["name"] for each in json.loads(listed.stdout)} - {"pip", "setuptools", "wheel"} == {"dropload"}
    site = next((tmp_path / "venv").glob(f"lib/python{sys.version_info[0]}.*/site-packages"))
    assert [name for name in ("chalicelib", "infra", "tests", "app.py") if (site / name).exists()] == []

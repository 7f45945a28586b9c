"""`chalice package` with our template: app.py, chalicelib and infra/template.yaml become a zip and a SAM template.

It works on a copy of the project, so that nothing else of the working tree gets into the package and nothing is
written into the tree.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalice.package import YAMLTemplateSerializer

from infra.local.errors import StackError
from infra.local.paths import ROOT

STAGE = "prod"
SOURCES = ("app.py", "chalicelib", ".chalice/config.json", "infra/policies", "infra/template.yaml")
"""What a package is made of, besides the dependencies."""
_IGNORED = shutil.ignore_patterns("__pycache__", "*.py[cod]")


@dataclass(frozen=True)
class Package:
    """A package on disk: ``template`` refers to ``code`` and ``layer`` by relative paths (``./deployment.zip``)."""

    folder: Path

    @property
    def template(self) -> Path:
        """The SAM template, as JSON."""
        return self.folder / "sam.json"

    @property
    def code(self) -> Path:
        """The code of all functions."""
        return self.folder / "deployment.zip"

    @property
    def layer(self) -> Path:
        """What the layer ConvertLayer holds; not there where the functions' Python has it anyway."""
        return self.folder / "layer.zip"


def copy_project(target: Path) -> None:
    """Copy what a package is made of to the empty folder ``target``, without dependencies."""
    for name in SOURCES:
        source, copy = ROOT / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=_IGNORED)
        else:
            shutil.copy2(source, copy)
    (target / "requirements.txt").touch()  # dependencies, if any, come from the folder vendor


def make_package(project: Path, out: Path) -> Package:
    """Run `chalice package` on a copy of the project and return what it wrote to ``out``.

    Raises StackError when it fails or warns.
    """
    # As JSON, for what chalice writes as YAML has aliases, which CloudFormation refuses.
    merged = project / "template.json"
    merged.write_text(json.dumps(read_template()))
    chalice = [str(Path(sys.executable).parent / "chalice"), "package", "--stage", STAGE]
    done = subprocess.run(
        [*chalice, "--merge-template", str(merged), str(out)],
        cwd=project,
        env=_environment(),
        capture_output=True,
        text=True,
    )
    if done.returncode != 0 or "WARNING" in done.stdout + done.stderr or "Could not install" in done.stdout:
        raise StackError(f"`chalice package` failed:\n{done.stdout}{done.stderr}")
    return Package(out)


def read_template() -> dict[str, Any]:
    """``infra/template.yaml`` with its short intrinsics (``!Ref``) in their long form."""
    path = ROOT / "infra" / "template.yaml"
    template: dict[str, Any] = YAMLTemplateSerializer().load_template(path.read_text(), path.name)
    return template


def _environment() -> Mapping[str, str]:
    # Chalice wants a region to be configured, and imports app.py, which must not need any setting to be imported.
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DROPLOAD_", "DATABASE_"))
    }
    return {**kept, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1"}

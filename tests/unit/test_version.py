import tomllib

from chalicelib import __version__
from infra.local.paths import ROOT


def test_manifests_name_the_projects_version() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__

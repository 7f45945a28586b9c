"""The linters and the tests."""

import subprocess
import sys

from infra.local.paths import ROOT, VENV

LINTERS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
)


def lint() -> int:
    """Run every linter, even after one of them complained. Returns 0 if all are content."""
    failed = []
    for linter in LINTERS:
        print(f"$ {' '.join(linter)}", flush=True)
        if subprocess.run([VENV / "bin" / linter[0], *linter[1:]], cwd=ROOT).returncode:
            failed.append(linter[0])
    if failed:
        print(f"complaints from: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def test(arguments: list[str]) -> int:
    """Run pytest with these arguments (none: all tests, three files at a time). Returns its exit code."""
    # In the order of collection, which tests/conftest.py begins with the long ones.
    # Three on two cores: a fourth made it no faster.
    chosen = arguments or ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
    return subprocess.run([sys.executable, "-m", "pytest", *chosen], cwd=ROOT).returncode

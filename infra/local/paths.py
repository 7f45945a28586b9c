"""Where things lie in the repository."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The root of the repository."""

VENV = ROOT / ".venv"
"""The environment that dev.py makes for itself."""

DEFAULT_STATE = ROOT / ".dropload"
"""Where the local stack keeps its state unless told otherwise."""

"""Where the third-party cases are; a test that needs them skips where they are absent."""

from pathlib import Path

import pytest

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"


def cases(name: str, pattern: str) -> pytest.MarkDecorator:
    """Run a test once for each file of a corpus, as its argument ``path``; skip it where the corpus is absent."""
    absent = pytest.param(None, marks=pytest.mark.skip(f"the third-party corpus {name} is not beside the repository"))
    return pytest.mark.parametrize(
        "path", sorted((CORPORA / name).glob(pattern)) or [absent], ids=lambda path: path.stem if path else "-"
    )

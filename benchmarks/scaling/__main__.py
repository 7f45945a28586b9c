"""Write docs/scaling.md and docs/scaling.svg: ``python -m benchmarks.scaling [--inputs FILE] [--out FOLDER]``."""

import argparse
import sys
from pathlib import Path

from benchmarks.scaling.inputs import INPUTS, read_figures
from benchmarks.scaling.report import page

DOCS = Path(__file__).parent.parent.parent / "docs"


def main(argv: list[str]) -> int:
    """Returns an exit code: 2 where the inputs are wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument(
        "--inputs", type=Path, default=INPUTS, metavar="FILE", help="(default: benchmarks/scaling.json)"
    )
    parser.add_argument("--out", type=Path, default=DOCS, metavar="FOLDER", help="(default: docs)")
    arguments = parser.parse_args(argv)
    try:
        figures = read_figures(arguments.inputs)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"scaling: {error}", file=sys.stderr)
        return 2
    text, plot = page(figures)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "scaling.md").write_text(text)
    (arguments.out / "scaling.svg").write_text(plot)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

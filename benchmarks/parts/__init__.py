"""What is measured, a part a function: each gets the bench and returns what becomes its JSON file."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contenders.base import Contender
from benchmarks.stage import Stage
from benchmarks.truth import Truths


@dataclass(frozen=True)
class Bench:
    """The stage, what tables must hold, and the options as ``options.settle`` left them."""

    stage: Stage
    truths: Truths
    options: argparse.Namespace

    @property
    def files(self) -> Path:
        """Where generated files lie."""
        return self.stage.folder / "files"

    def chosen(self, contenders: list[Contender]) -> list[Contender]:
        """Those that ``--contenders`` wants, and the first, to which the others are compared."""
        words = self.options.contenders
        return [
            contender
            for number, contender in enumerate(contenders)
            if not words or not number or any(word in contender.name for word in words)
        ]

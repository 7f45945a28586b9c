"""Writes the records of a demo file in order, and keeps its books: line and record numbers, counts, the truth."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import BinaryIO, TextIO

from infra.local.demo_kinds import Deck, Kind

_REMEMBERED = 1000


@dataclass(slots=True)
class DemoSummary:
    """What a demo file holds: ``rows`` records in ``bytes`` bytes; ``odd`` counts them by kind."""

    rows: int = 0
    bytes: int = 0
    rejected: int = 0
    odd: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Earlier:
    """An accepted record that a duplicate may copy from: its cells as they were clean, and its number in the file."""

    text: str
    record: int

    @property
    def cells(self) -> list[bytes]:
        return _cells(self.text)


def _cells(text: str) -> list[bytes]:
    return text.rstrip("\n").encode().split(b",")


class Writer:
    """Writes records one after the other and knows the line and the number of each."""

    def __init__(self, out: BinaryIO, truth: TextIO | None, kinds: Mapping[str, Kind], rng: Random) -> None:
        self._out = out
        self._truth = truth
        self._kinds = kinds
        self._rng = rng
        self._deck = Deck(kinds, rng)
        self._earlier: list[_Earlier] = []
        self._line = 1
        self.summary = DemoSummary()

    def header(self, header: bytes) -> None:
        self._write(header)

    def clean(self, texts: Sequence[str]) -> None:
        if texts:
            place = self._rng.randrange(len(texts))
            self._remember(_Earlier(texts[place], self.summary.rows + 1 + place))
            self._write("".join(texts).encode())
            self.summary.rows += len(texts)

    def odd(self, text: str, *, last: bool) -> None:
        name = self._deck.deal(self.summary.bytes, copies=bool(self._earlier), last=last)
        if name is None:
            self.clean([text])
            return
        kind = self._kinds[name]
        earlier = self._rng.choice(self._earlier) if kind.copies else None
        record = kind.spoil(_cells(text), earlier.cells if earlier else ())
        self.summary.rows += 1
        self.summary.odd[name] += 1
        self.summary.rejected += kind.code is not None
        if self._truth:
            told = {
                "line": self._line + record.startswith(b"\n"),
                "record": self.summary.rows,
                "kind": name,
                "valid": kind.code is None,
                "column": kind.column,
                "code": kind.code,
                "duplicate_of": earlier.record if earlier else None,
            }
            self._truth.write(json.dumps(told) + "\n")
        if kind.code is None and not kind.copies:
            self._remember(_Earlier(text, self.summary.rows))
        self._write(record)

    def _remember(self, earlier: _Earlier) -> None:
        if len(self._earlier) < _REMEMBERED:
            self._earlier.append(earlier)
        else:
            self._earlier[self._rng.randrange(_REMEMBERED)] = earlier

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self.summary.bytes += len(data)
        self._line += data.count(b"\n")

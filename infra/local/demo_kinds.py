"""The odd records of demo files: what a kind is, and the deck that deals the kinds out evenly."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

MAX_RECORD_BYTES = 1 << 20
"""The record cap that demo files assume (the system's default): how far an unclosed quote could reach."""

FAR = 8 * MAX_RECORD_BYTES
"""Keeps bulky kinds, and those that silence others, a small part of a file."""

Cells = Sequence[bytes]
Spoil = Callable[[Cells, Cells], bytes]
"""From a clean record's cells, and those of an earlier accepted record, to the odd record with its line end."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way in which a record may be odd, and what must become of it.

    ``code`` is the rejection code and ``column`` the column it names; a record without a code is odd but valid,
    a code without a column speaks of the whole record.
    """

    spoil: Spoil
    code: str | None = None
    column: str | None = None
    copies: bool = False
    """Repeats a value of an earlier accepted record, so one must exist."""
    quotes: bool = False
    """Holds a quote character: it would close a quote that an earlier record left open."""
    swallows: bool = False
    """Opens a quote that nothing closes: what follows must be free of quotes for a whole record cap."""
    spacing: int = 0
    """The least distance in bytes between two of this kind, for those that would otherwise fill the file."""


def join(cells: Cells, end: bytes = b"\n") -> bytes:
    """The cells as one record, unquoted."""
    return b",".join(cells) + end


def changed(column: int, change: Callable[[bytes], bytes]) -> Spoil:
    """A record in which one cell is changed and all else is clean."""

    def spoil(cells: Cells, _earlier: Cells) -> bytes:
        return join([*cells[:column], change(cells[column]), *cells[column + 1 :]])

    return spoil


def replaced(column: int, value: bytes) -> Spoil:
    """A record in which one cell holds ``value``."""
    return changed(column, lambda _cell: value)


def copied(column: int) -> Spoil:
    """A record in which one cell is an earlier record's."""
    return lambda cells, earlier: join([*cells[:column], earlier[column], *cells[column + 1 :]])


def broken_records(text: int) -> Mapping[str, Kind]:
    """Records that are broken as a whole, whatever the dataset; ``text`` is a column that holds any text."""
    return {
        "too_few_fields": Kind(lambda cells, _: join(cells[:-1]), "missing-cell"),
        "too_many_fields": Kind(lambda cells, _: join([*cells, b"extra"]), "extra-cell"),
        "text_after_quote": Kind(changed(text, lambda cell: quoted(cell) + b" Jr"), "row-error", quotes=True),
        "unclosed_quote": Kind(
            changed(text, lambda cell: b'"' + cell), "row-error", quotes=True, swallows=True, spacing=FAR
        ),
        "lone_carriage_return": Kind(changed(text, lambda cell: cell + b"\rJr"), "row-error"),
        "nul_byte": Kind(changed(text, lambda cell: cell + b"\0"), "encoding-error"),
        "invalid_utf8": Kind(replaced(text, b"Jos\xe9"), "encoding-error"),
    }


def quoted_records(text: int) -> Mapping[str, Kind]:
    """Records that only look wrong, whatever the dataset, and must load with exactly these values."""
    return {
        "quoted_newline": Kind(changed(text, lambda cell: quoted(cell + b"\nand more")), quotes=True),
        "quoted_crlf": Kind(changed(text, lambda cell: quoted(cell + b"\r\nand more")), quotes=True),
        "doubled_quotes": Kind(changed(text, lambda cell: quoted(cell + b' ""so, called""')), quotes=True),
        "all_quoted": Kind(lambda cells, _: join([quoted(cell) for cell in cells]), quotes=True),
        "stray_quote": Kind(replaced(text, b'5" pipe'), quotes=True),
        "end_of_data_mark": Kind(replaced(text, b"\\.")),
        "backslash": Kind(changed(text, lambda cell: cell + b"\\N\\t")),
        "crlf": Kind(lambda cells, _: join(cells, b"\r\n")),
        "blank_line": Kind(lambda cells, _: b"\n" + join(cells)),
    }


def quoted(cell: bytes) -> bytes:
    """The cell between quotes."""
    return b'"' + cell + b'"'


class Deck:
    """Deals kinds in shuffled rounds, so that every kind comes up as often as the others.

    A kind that may not stand at this place of the file (too close to the last of its kind, or within reach of an
    open quote) is passed over until it may.
    """

    def __init__(self, kinds: Mapping[str, Kind], rng: Random) -> None:
        self._kinds = kinds
        self._rng = rng
        self._round: list[str] = []
        self._ready_at = {name: kind.spacing if kind.swallows else 0 for name, kind in kinds.items()}
        self._quiet_until = 0

    def deal(self, offset: int, *, copies: bool, last: bool) -> str | None:
        """The kind of the record that starts at byte ``offset``, or None where none may stand.

        ``copies`` says that there is an earlier record to copy from; the ``last`` record of a file leaves a quote
        open if it may, since nothing follows that the quote could swallow.
        """
        if last:
            for name, kind in self._kinds.items():
                if kind.swallows and offset >= self._quiet_until:
                    return name
        for _ in range(2):
            for place in range(len(self._round) - 1, -1, -1):
                name = self._round[place]
                if self._may_stand(name, offset, copies):
                    del self._round[place]
                    self._take(name, offset)
                    return name
            self._round = list(self._kinds)
            self._rng.shuffle(self._round)
        return None

    def _may_stand(self, name: str, offset: int, copies: bool) -> bool:
        kind = self._kinds[name]
        return (
            offset >= self._ready_at[name]
            and (copies or not kind.copies)
            and (offset >= self._quiet_until or not kind.quotes)
        )

    def _take(self, name: str, offset: int) -> None:
        kind = self._kinds[name]
        self._ready_at[name] = offset + kind.spacing
        if kind.swallows:
            self._quiet_until = offset + MAX_RECORD_BYTES

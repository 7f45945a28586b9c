"""Demo records of the ``plays`` dataset: clean ones by the thousand, and every kind of odd one."""

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from struct import unpack
from types import MappingProxyType
from typing import ClassVar

from infra.local.demo_kinds import Kind, broken_records, changed, copied, quoted_records, replaced

SONG, DATE, PLAYS = range(3)

_FIRST_WORDS = "Blue Midnight Wild Golden Last Summer Électrique 夜 Broken Lonely Silver Über Paper Neon Slow Dear"
_LAST_WORDS = "Train River Heart Dancer Road Señorita Rain Café Moon Letter Fire Girl Waltz Radio Ghost Ocean"

# 16 of each, so that half a random byte picks one.
_FIRST_WORD = tuple(_FIRST_WORDS.split())
_LAST_WORD = tuple(_LAST_WORDS.split())
_DAYS = tuple(str(date(2026, 1, 1) + timedelta(days=day)) for day in range(64))
_VERSIONS = 64

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "bad_plays": Kind(replaced(PLAYS, b"many"), "type-error", "plays"),
        "fraction_of_a_play": Kind(changed(PLAYS, lambda cell: cell + b".5"), "type-error", "plays"),
        "negative_plays": Kind(changed(PLAYS, lambda cell: b"-1" + cell), "constraint-error", "plays"),
        "plays_overflow": Kind(replaced(PLAYS, b"9" * 20), "type-error", "plays"),
        "missing_plays": Kind(replaced(PLAYS, b""), "constraint-error", "plays"),
        "no_such_day": Kind(replaced(DATE, b"2026-02-30"), "type-error", "date"),
        "us_date": Kind(replaced(DATE, b"01/31/2026"), "type-error", "date"),
        "missing_date": Kind(replaced(DATE, b""), "constraint-error", "date"),
        "missing_song": Kind(replaced(SONG, b""), "constraint-error", "song"),
        "overlong_song": Kind(replaced(SONG, b"La" * 251), "constraint-error", "song"),
        **broken_records(SONG),
        # Records that only look wrong, and must be added with exactly these values.
        "same_song": Kind(copied(SONG), copies=True),
        "no_plays": Kind(replaced(PLAYS, b"0")),
        "leading_plus": Kind(changed(PLAYS, lambda cell: b"+" + cell)),
        "leading_zeros": Kind(changed(PLAYS, lambda cell: b"000" + cell)),
        "leap_day": Kind(replaced(DATE, b"2024-02-29")),
        **quoted_records(SONG),
    }
)


class Plays:
    """Makes counts of plays; songs and days come again and again, within a file and across files of any seed."""

    header: ClassVar[bytes] = b"song,date,plays\n"
    kinds: ClassVar[Mapping[str, Kind]] = KINDS
    most_rows: ClassVar[int] = 1 << 62

    def __init__(self, seed: int) -> None:
        self._rng = Random(f"plays {seed}")

    def rows(self, start: int, count: int) -> list[str]:
        """The next ``count`` records, each a line without quotes."""
        return [
            f"{_FIRST_WORD[song & 15]} {_LAST_WORD[song >> 4 & 15]} {version % _VERSIONS},{_DAYS[day % 64]},{plays}\n"
            for song, version, day, plays in zip(
                self._rng.randbytes(count),
                self._rng.randbytes(count),
                self._rng.randbytes(count),
                unpack(f"<{count}H", self._rng.randbytes(2 * count)),
                strict=True,
            )
        ]

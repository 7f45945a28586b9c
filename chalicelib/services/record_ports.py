"""What single records need from the world, and the plain records that pass between them and it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chalicelib.core.dataset import Dataset
from chalicelib.core.lines import Row
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import RecordError
from chalicelib.services.idempotency import Asked
from chalicelib.services.ports import Placed

Guard = Callable[[Row], None]
"""Looks at a row that nobody else can change now, and raises RequestRefused where it is not the one that was meant."""


@dataclass(frozen=True, slots=True)
class RowPage:
    """Rows, their ids first, in the order of ids; ``more`` if others follow."""

    rows: list[Row]
    more: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of accepted records, by their row numbers in what was read.

    ``ids`` has the row of the table that each one is now, made or changed or found, unless it was refused; ``created``
    are those that made theirs. ``first`` is the first one's row as it is now.
    """

    placed: Placed
    ids: Mapping[int, int]
    created: frozenset[int]
    first: Row | None


@dataclass(frozen=True, slots=True)
class Changed:
    """A row as it is now, or why it stays as it was."""

    row: Row
    errors: tuple[RecordError, ...] = ()


class RecordStore(Protocol):
    """The rows of datasets' tables, each method one transaction. Whatever it changes, it books as an event there.

    All but reading may raise Contended (try again at once) and Transient: the row or the table is in use.
    """

    def page(self, dataset: Dataset, filters: Mapping[str, str | None], after: int, limit: int) -> RowPage:
        """Rows with ids greater than ``after``: at most ``limit``, and fewer where they are large.

        Filters are values as the rules convert them, None for null.
        """

    def get(self, dataset: Dataset, id: int) -> Row | None:
        """One row, its id first."""

    def store(self, dataset: Dataset, reader: Reader, parsed: Parsed, asked: Asked | None = None) -> Stored:
        """Place records by the dataset's policy, as those of a file that comes after all files so far.

        In the same transaction ``asked`` is booked as done; Transient where somebody else serves it.
        """

    def change(self, dataset: Dataset, id: int, values: Mapping[str, str | None], guard: Guard) -> Changed | None:
        """Give fields of a row these values, if ``guard`` lets it be; None where there is no such row."""

    def remove(self, dataset: Dataset, id: int, guard: Guard) -> Changed | None:
        """Delete a row, if ``guard`` lets it be; what it was. None where there is no such row."""

    def remove_all(self, dataset: Dataset) -> int | RecordError:
        """Delete all rows; how many there were, or why they stay."""

"""The words of a dataset: what a descriptor says, once it has been found to be right."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Bound: TypeAlias = int | Decimal | date | datetime | time
"""A ``minimum`` or ``maximum`` as a logical value of its field's type (a ``datetime`` always carries its offset)."""


class FieldType(StrEnum):
    """The Table Schema field types that can be loaded."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    ANY = "any"


class OnConflict(StrEnum):
    """What happens to a record whose unique key is taken already; for ``APPEND`` there is no key."""

    REJECT = "reject"
    IGNORE = "ignore"
    UPDATE = "update"
    SUM = "sum"
    APPEND = "append"


class ExtraColumns(StrEnum):
    """What happens to a file that has columns which the dataset does not declare."""

    IGNORE = "ignore"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. ``delimiter`` and ``quote_char`` are one ASCII character each."""

    delimiter: str = ","
    quote_char: str = '"'
    header: bool = True
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a field's values must keep to. Lengths are in characters; ``enum`` holds values as they are written."""

    required: bool = False
    unique: bool = False
    min_length: int | None = None
    max_length: int | None = None
    minimum: Bound | None = None
    maximum: Bound | None = None
    pattern: str | None = None
    enum: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One declared column. ``true_values`` and ``false_values`` matter to booleans only.

    A ``measure`` is a number that is added to what the table has (``OnConflict.SUM``).
    """

    name: str
    type: FieldType
    format: str = "default"
    constraints: Constraints = Constraints()
    missing_values: tuple[str, ...] = ("",)
    true_values: tuple[str, ...] = ("true", "True", "TRUE", "1")
    false_values: tuple[str, ...] = ("false", "False", "FALSE", "0")
    measure: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """A declared kind of record and its table.

    ``unique_keys`` gathers the primary key, the unique keys and the unique fields: each a tuple of field names, in the
    order of the descriptor, none twice. ``filters`` and ``sensitive`` name fields; ``owners`` are email addresses.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    dialect: Dialect = Dialect()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    on_conflict: OnConflict = OnConflict.REJECT
    extra_columns: ExtraColumns = ExtraColumns.IGNORE
    filters: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    max_file_bytes: int | None = None

    @property
    def match_key(self) -> tuple[str, ...]:
        """The key that tells which row a record updates or adds to; empty where the dataset has no key."""
        return self.unique_keys[0] if self.unique_keys else ()

    def field(self, name: str) -> Field:
        """Return the field of this name; ``KeyError`` where there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

"""The words of a dataset: what a descriptor says, once it has been found to be right."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from chalicelib.core.duration import Duration
from chalicelib.core.expected import Expected
from chalicelib.core.window import Window

Bound: TypeAlias = int | Decimal | date | datetime | time | Duration
"""A bound as a logical value of its field's type: a ``datetime`` has its offset, a ``yearmonth`` is its first day."""


class FieldType(StrEnum):
    """The Table Schema field types that can be loaded."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    YEAR = "year"
    YEARMONTH = "yearmonth"
    DURATION = "duration"
    OBJECT = "object"
    ARRAY = "array"
    GEOPOINT = "geopoint"
    ANY = "any"


class OnConflict(StrEnum):
    """What happens to a record whose unique key is taken already; for ``APPEND`` there is no key.

    ``REPLACE`` takes each file as the new whole, in which a key that is taken is rejected as with ``REJECT``.
    """

    REJECT = "reject"
    IGNORE = "ignore"
    UPDATE = "update"
    SUM = "sum"
    APPEND = "append"
    REPLACE = "replace"


class ExtraColumns(StrEnum):
    """What happens to a file that has columns which the dataset does not declare."""

    IGNORE = "ignore"
    REJECT = "reject"


class AfterLoad(StrEnum):
    """What happens to an object under ``input/`` once its job has ended well."""

    KEEP = "keep"
    DELETE = "delete"
    ARCHIVE = "archive"


class Tell(StrEnum):
    """What a dataset's owners are told by mail: of files with failures, of each day's whole, of both, or nothing."""

    ALL = "all"
    FAILURES = "failures"
    DIGEST = "digest"
    NONE = "none"


class HeaderMatch(StrEnum):
    """How the labels of a header are compared with fields' names: ``relaxed`` is trimmed and in any case."""

    EXACT = "exact"
    RELAXED = "relaxed"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. All characters are one ASCII character each; ``escape`` and ``comment`` may be "" (none).

    ``header_rows`` are the records that make the header, from 1, ascending; their cells are joined by ``header_join``.
    With ``returns`` a carriage return alone ends a line, too.
    """

    delimiter: str = ","
    quote_char: str = '"'
    header: bool = True
    encoding: str = "utf-8"
    double_quote: bool = True
    escape: str = ""
    comment: str = ""
    skip_initial_space: bool = False
    header_rows: tuple[int, ...] = (1,)
    header_join: str = " "
    returns: bool = False


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a field's values must keep to; ``enum`` holds values as they are written.

    Lengths are in characters, for an array in elements, for an object in members.
    """

    required: bool = False
    unique: bool = False
    min_length: int | None = None
    max_length: int | None = None
    minimum: Bound | None = None
    maximum: Bound | None = None
    exclusive_minimum: Bound | None = None
    exclusive_maximum: Bound | None = None
    pattern: str | None = None
    enum: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One declared column.

    ``true_values`` and ``false_values`` matter to booleans only, ``group_char`` ("" for none), ``decimal_char`` and
    ``bare_number`` to numbers. A ``measure`` is a number that is added to what the table has (``OnConflict.SUM``).
    """

    name: str
    type: FieldType
    format: str = "default"
    constraints: Constraints = Constraints()
    missing_values: tuple[str, ...] = ("",)
    true_values: tuple[str, ...] = ("true", "True", "TRUE", "1")
    false_values: tuple[str, ...] = ("false", "False", "FALSE", "0")
    group_char: str = ""
    decimal_char: str = "."
    bare_number: bool = True
    measure: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Fields whose values, unless one of them is null, must be those of ``keys`` in a row of ``dataset``, in order."""

    fields: tuple[str, ...]
    dataset: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A declared kind of record and its table.

    ``unique_keys`` gathers the primary key, the unique keys and the unique fields: each a tuple of field names, in the
    order of the descriptor, none twice. ``filters`` and ``sensitive`` name fields; ``owners`` are email addresses.
    ``aliases`` are pairs: another label of a column, and its field. With ``detect_delimiter`` each file tells its own.
    ``format`` (csv, jsonl) is that of files whose names do not tell theirs.
    With ``undo_days`` what a job changes is kept for so long, so that the job can be undone (policies update and sum).
    ``max_error_rate`` is a share of the records read, from 0 to 1. An ``atomic`` dataset takes a whole file or nothing.
    Files begin to be loaded in the ``load_window`` only, and are tried ``max_attempts`` times if not for good.
    ``notify`` says what its owners are told, ``expected`` by when files must come.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    dialect: Dialect = Dialect()
    detect_delimiter: bool = False
    unique_keys: tuple[tuple[str, ...], ...] = ()
    on_conflict: OnConflict = OnConflict.REJECT
    extra_columns: ExtraColumns = ExtraColumns.IGNORE
    filters: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    max_file_bytes: int | None = None
    header_match: HeaderMatch = HeaderMatch.EXACT
    aliases: tuple[tuple[str, str], ...] = ()
    max_errors: int | None = None
    max_error_rate: float | None = None
    atomic: bool = False
    after_load: AfterLoad = AfterLoad.KEEP
    format: str = "csv"
    foreign_keys: tuple[ForeignKey, ...] = ()
    load_window: Window | None = None
    max_attempts: int | None = None
    undo_days: int | None = None
    notify: Tell = Tell.ALL
    expected: Expected | None = None

    def delimited_by(self, delimiter: str | None) -> "Dataset":
        """Return the dataset for files with this delimiter; as it is for ``None``."""
        return self if delimiter is None else replace(self, dialect=replace(self.dialect, delimiter=delimiter))

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

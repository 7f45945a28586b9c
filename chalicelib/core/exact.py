"""One record, decided by the exact rules alone: its values, or all that is wrong with it."""

from collections.abc import Sequence
from functools import lru_cache

from chalicelib.core.records import grammar_of
from chalicelib.core.rejection import Errors, RecordError
from chalicelib.core.schema import Dataset
from chalicelib.core.values import compile_check, compile_faults

Values = tuple[str | None, ...]

NOT_UTF8 = (RecordError(None, "encoding-error", "not valid UTF-8"),)
_NUL = (RecordError(None, "encoding-error", "holds a NUL byte, which no text has"),)
_LONE_RETURN = (RecordError(None, "row-error", "holds a carriage return that is no part of a line end and not quoted"),)
_LONE_ESCAPE = (RecordError(None, "row-error", "ends with an escape character, which has nothing to escape"),)
_BROKEN_QUOTES = (RecordError(None, "row-error", "text follows the closing quote of a field"),)


class RecordRules:
    """The rules for whole records of one dataset, in files of one order of columns."""

    def __init__(self, dataset: Dataset, columns: Sequence[str], max_record_bytes: int) -> None:
        declared = {field.name: field for field in dataset.fields}
        self.checks = [compile_check(declared[name]) if name in declared else None for name in columns]
        self.unclosed = (
            RecordError(
                None,
                "row-error",
                f"a quote opens a field and is not closed, or the record does not end, within {max_record_bytes} bytes",
            ),
        )
        self.faults = [compile_faults(declared[name]) if name in declared else _no_faults for name in columns]
        """Of each column, what is wrong with a cell; nothing where it is not declared."""
        self._split = grammar_of(dataset.dialect).split
        self._quote = dataset.dialect.quote_char
        self._delimiter = dataset.dialect.delimiter.encode()

    def decide(self, raw: bytes) -> tuple[Values, Sequence[RecordError]]:
        """Return the declared columns' values of a whole record (without its line end), or its errors.

        The values count only if there are no errors.
        """
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return (), NOT_UTF8
        if "\0" in text:
            return (), _NUL
        cells = self._split(text)
        if cells is None:
            if self._quote in text:
                return (), _BROKEN_QUOTES
            return (), _LONE_RETURN if "\r" in text else _LONE_ESCAPE
        checks = self.checks
        if len(cells) != len(checks):
            return (), _wrong_count(len(checks), len(cells))
        errors: list[RecordError] = []
        values = [check(cell, errors) for check, cell in zip(checks, cells, strict=True) if check is not None]
        return tuple(values), errors

    def errors_of_count(self, record: bytes) -> Errors:
        """Return what is wrong with the number of fields of a record that has no quotes and no escapes, if anything."""
        found = record.count(self._delimiter) + 1
        return () if found == len(self.checks) else _wrong_count(len(self.checks), found)


def _no_faults(_text: str) -> Errors:
    return ()


@lru_cache(maxsize=256)
def _wrong_count(expected: int, found: int) -> tuple[RecordError]:
    code = "missing-cell" if found < expected else "extra-cell"
    return (RecordError(None, code, f"{expected} fields expected, {found} found"),)

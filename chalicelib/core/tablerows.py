"""Rejected rows of a workbook or a Parquet file as records of rejected.csv, which people mend where they made them.

Such a record reads as the same values as its row did, so that it is rejected again for the same reasons until someone
mends it. A row that CSV has no way to say is left to the escaped form of its JSON.
"""

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.core.jsontext import Number, members_of, texts_of, unfit
from chalicelib.core.labels import resolve
from chalicelib.core.numbers import is_plain
from chalicelib.core.parsers import NUMBERS
from chalicelib.core.render import record_of
from chalicelib.core.schema import Dataset, Field, FieldType

_NESTABLE = (FieldType.OBJECT, FieldType.ARRAY, FieldType.GEOPOINT, FieldType.ANY)


def row_writer(columns: Sequence[str], dataset: Dataset) -> Callable[[bytes], bytes | None]:
    """Return what makes a CSV record of a row's line of JSON, or ``None`` where CSV cannot say the same.

    ``columns`` are the job's: the labels of the declared columns, in the table's order.
    """
    fields = {field.name: field for field in dataset.fields}
    by_column = [fields[name] for name in resolve(columns, dataset)]

    def write(line: bytes) -> bytes | None:
        try:
            text = line.decode()
            members = members_of(text)
        except ValueError:
            return None
        if tuple(name for name, _ in members) != tuple(columns):
            return None  # a cell without a label
        cells: list[str] = []
        for (name, value), field in zip(members, by_column, strict=True):
            nested = dict(texts_of(text))[name] if isinstance(value, dict | list | tuple) else None
            cell = _cell(value, field, nested)
            if cell is None:
                return None
            cells.append(cell)
        return record_of(cells, dataset.dialect)

    return write


def _cell(value: Any, field: Field, nested: str | None) -> str | None:
    if value is None:
        return _missing(field)
    if isinstance(value, bool):
        return _truth(value, field)
    if isinstance(value, Number):
        return _number(value, field)
    if isinstance(value, str):
        return None if unfit(value) else value
    return nested if field.type in _NESTABLE else None


def _missing(field: Field) -> str | None:
    if "" in field.missing_values:
        return ""
    return field.missing_values[0] if field.missing_values else None


def _truth(value: bool, field: Field) -> str:
    if field.type is FieldType.BOOLEAN:
        values = field.true_values if value else field.false_values
        if values:
            return values[0]
    return "true" if value else "false"


def _number(value: str, field: Field) -> str | None:
    if field.type not in NUMBERS or is_plain(field) or "." not in value:
        return str(value)
    if field.type is FieldType.NUMBER:
        return value.replace(".", field.decimal_char)
    return None if field.group_char == "." else str(value)

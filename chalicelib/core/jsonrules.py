"""The exact rules for one JSON object: its values, or all that is wrong with it.

A string stands for itself as a CSV cell would; a number for its own spelling, so that nothing is rounded, nor read as a
field's ``groupChar`` or ``decimalChar`` would have it; ``true`` and ``false`` for a boolean's values; ``null`` and a
member that is not there for null; and an object or array, where the field's type can hold it, for its own text.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from chalicelib.core.exact import NOT_UTF8, Values
from chalicelib.core.jsonfast import Shape, compile_shape
from chalicelib.core.jsontext import Number, members_of, texts_of, unfit
from chalicelib.core.labels import resolve
from chalicelib.core.parsers import NUMBERS
from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import Dataset, ExtraColumns, Field, FieldType, HeaderMatch
from chalicelib.core.values import Check, compile_check, required_error

Names = tuple[str, ...]

_NESTABLE = (FieldType.OBJECT, FieldType.ARRAY, FieldType.GEOPOINT, FieldType.ANY)
_SHOWN, _NAME = 5, 60  # names that a message lists, and characters of each
_LABELS = 10_000  # labels whose field is remembered
_SHAPES = 32  # shapes whose expressions are remembered


class _Column(NamedTuple):
    name: str
    check: Check
    number: Check
    required: RecordError | None
    true: str
    false: str
    nestable: bool
    nested: RecordError
    no_text: RecordError


class ObjectRules:
    """The rules for whole records of one dataset, as JSON objects."""

    def __init__(self, dataset: Dataset, fields: Sequence[Field]) -> None:
        self._columns = [_column(field) for field in fields]
        self._fields = {field.name: field for field in fields}
        self._shapes: dict[Names, Shape | None] = {}
        self._rejects_others = dataset.extra_columns is ExtraColumns.REJECT
        by_name = dataset.header_match is HeaderMatch.EXACT and not dataset.aliases
        self._name: Callable[[str], str] | None = None if by_name else _resolver(dataset)

    def decide(self, raw: bytes) -> tuple[Values, Sequence[RecordError], Names]:
        """Return the columns' values of a record, or its errors, and the names of its members.

        Values and names count only if there are no errors.
        """
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return (), NOT_UTF8, ()
        try:
            pairs = members_of(text)
        except ValueError as problem:
            return (), (RecordError(None, "row-error", str(problem)),), ()
        name = self._name
        members = dict(pairs) if name is None else {name(label): value for label, value in pairs}
        if len(members) != len(pairs):
            return (), (_doubled(label if name is None else name(label) for label, _ in pairs),), ()
        errors: list[RecordError] = []
        if self._rejects_others and not self._fields.keys() >= members.keys():
            others = [label for label, _ in pairs if (label if name is None else name(label)) not in self._fields]
            errors.append(RecordError(None, "extra-cell", f"has members that the dataset does not: {_listed(others)}"))
        return self._values(text, members, errors), errors, tuple(label for label, _ in pairs)

    def shape(self, names: Names) -> Shape | None:
        """Return the shape of records with members of these names, compiled once."""
        if names not in self._shapes:
            if len(self._shapes) >= _SHAPES:
                return None
            fields = [self._fields.get(name if self._name is None else self._name(name)) for name in names]
            self._shapes[names] = compile_shape(names, fields, list(self._fields.values()))
        return self._shapes[names]

    def _values(self, text: str, members: dict[str, Any], errors: list[RecordError]) -> Values:
        escaped = "\\u" in text
        texts: dict[str, str] | None = None
        values: list[str | None] = []
        for column in self._columns:
            value: Any = members.get(column.name)
            kind = type(value)
            if kind is str:
                if escaped and unfit(value):
                    errors.append(column.no_text)
                else:
                    values.append(column.check(value, errors))
            elif value is None:
                if column.required:
                    errors.append(column.required)
                values.append(None)
            elif kind is Number:
                values.append(column.number(value, errors))
            elif kind is bool:
                values.append(column.check(column.true if value else column.false, errors))
            elif column.nestable:
                texts = texts or self._texts(text)
                values.append(column.check(texts[column.name], errors))
            else:
                errors.append(column.nested)
        return tuple(values)

    def _texts(self, text: str) -> dict[str, str]:
        texts = dict(texts_of(text))
        return texts if self._name is None else {self._name(label): value for label, value in texts.items()}


def _column(field: Field) -> _Column:
    check = compile_check(field)
    plain = replace(field, group_char="", decimal_char=".", bare_number=True) if field.type in NUMBERS else field
    boolean = field.type is FieldType.BOOLEAN
    return _Column(
        name=field.name,
        check=check,
        number=check if plain == field else compile_check(plain),
        required=required_error(field),
        true=field.true_values[0] if boolean and field.true_values else "true",
        false=field.false_values[0] if boolean and field.false_values else "false",
        nestable=field.type in _NESTABLE,
        nested=RecordError(field.name, "type-error", f"an object or array, which no {field.type} is"),
        no_text=RecordError(field.name, "encoding-error", "holds a NUL or half of a character, which no text has"),
    )


def _resolver(dataset: Dataset) -> Callable[[str], str]:
    @lru_cache(maxsize=_LABELS)
    def name(label: str) -> str:
        return resolve((label,), dataset)[0]

    return name


def _doubled(names: Iterable[str]) -> RecordError:
    twice = [name for name, times in Counter(names).items() if times > 1]
    return RecordError(None, "row-error", f"names a member more than once: {_listed(twice)}")


def _listed(names: Sequence[str]) -> str:
    """Names as a message may show them: few, short, and printable, for they may be anything."""
    clean = ["".join(char if char.isprintable() else "?" for char in name) for name in dict.fromkeys(names)]
    shown = ", ".join(name if len(name) <= _NAME else name[: _NAME - 3] + "..." for name in clean[:_SHOWN])
    return shown if len(clean) <= _SHOWN else f"{shown} and {len(clean) - _SHOWN} more"

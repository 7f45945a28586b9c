"""A dataset as a descriptor says it: what is in force, defaults left out."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from chalicelib.core.schema import Bound, Constraints, Dataset, Field, FieldType


def describe(dataset: Dataset) -> dict[str, Any]:
    """Return a Data Resource with a Table Schema, and what dropload does with it; JSON's own types only."""
    schema: dict[str, Any] = {"fields": [_field(field) for field in dataset.fields]}
    if dataset.unique_keys:
        schema["uniqueKeys"] = [list(key) for key in dataset.unique_keys]
    if dataset.foreign_keys:
        schema["foreignKeys"] = [
            {"fields": list(link.fields), "reference": {"resource": link.dataset, "fields": list(link.keys)}}
            for link in dataset.foreign_keys
        ]
    measures = [field.name for field in dataset.fields if field.measure]
    settings = {
        "on_conflict": str(dataset.on_conflict),
        "measures": measures,
        "extra_columns": str(dataset.extra_columns),
        "filters": list(dataset.filters),
        "sensitive": list(dataset.sensitive),
        "owners": list(dataset.owners),
        "max_file_bytes": dataset.max_file_bytes,
        "max_errors": dataset.max_errors,
        "max_error_rate": dataset.max_error_rate,
        "atomic": dataset.atomic,
        "after_load": str(dataset.after_load),
    }
    return {
        "name": dataset.name,
        "title": dataset.title,
        "format": dataset.format,
        "schema": schema,
        "dropload": {name: value for name, value in settings.items() if value not in (None, [], False)},
    }


def _field(field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {"name": field.name, "type": str(field.type)}
    if field.format != "default":
        described["format"] = field.format
    if field.missing_values != ("",):
        described["missingValues"] = list(field.missing_values)
    if field.type is FieldType.BOOLEAN:
        described |= {"trueValues": list(field.true_values), "falseValues": list(field.false_values)}
    constraints = _constraints(field.constraints)
    return {**described, "constraints": constraints} if constraints else described


def _constraints(constraints: Constraints) -> dict[str, Any]:
    said: Mapping[str, Any] = {
        "required": constraints.required or None,
        "unique": constraints.unique or None,
        "minLength": constraints.min_length,
        "maxLength": constraints.max_length,
        "minimum": _bound(constraints.minimum),
        "maximum": _bound(constraints.maximum),
        "exclusiveMinimum": _bound(constraints.exclusive_minimum),
        "exclusiveMaximum": _bound(constraints.exclusive_maximum),
        "pattern": constraints.pattern,
        "enum": None if constraints.enum is None else list(constraints.enum),
    }
    return {name: value for name, value in said.items() if value is not None}


def _bound(value: Bound | None) -> int | str | None:
    """A bound: whole numbers as such, all others as text, so that nothing is rounded."""
    if value is None or isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, date | time) else str(value)

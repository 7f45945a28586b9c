"""Arrow's arrays as JSON, value by value."""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.core.native import (
    NULL,
    float_text,
    iso_duration,
    iso_time,
    number_text,
    quoted,
    temporal,
    truth_text,
    unsayable,
)
from chalicelib.core.schema import Field
from chalicelib.errors import FileRefused

MOST_TEXT = 64 << 20
"""Characters of text that columns are decoded to at once."""

_MOST_DEPTH = 32
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}

Texts = list[str]
Convert = Callable[[Any], Texts]
"""Takes an Arrow array, returns the JSON of each value; raises TooMuch where that would be more than ``MOST_TEXT``."""


class TooMuch(Exception):
    """So many rows are too much to be held at once."""


def converter(kind: Any, field: Field | None, label: str, depth: int = 0) -> Convert:
    """What makes JSON of arrays of this type.

    Raises:
        FileRefused: there is no such thing; the message names the column.
    """
    if depth > _MOST_DEPTH:
        raise FileRefused("unsupported-type", f"the column {label[:60]} is nested deeper than {_MOST_DEPTH} levels")
    is_ = pa.types
    if is_.is_dictionary(kind):
        return _dictionary(converter(kind.value_type, field, label, depth))
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.uuid":
            return lambda array: [NULL if value is None else f'"{value}"' for value in array.to_pylist()]
        return _storage(converter(kind.storage_type, field, label, depth))
    if is_.is_string(kind) or is_.is_large_string(kind) or is_.is_string_view(kind):
        return _strings
    if is_.is_binary(kind) or is_.is_large_binary(kind) or is_.is_fixed_size_binary(kind) or is_.is_binary_view(kind):
        return _binary
    if is_.is_float64(kind):
        return _plain(number_text, float_text, lambda array: array.to_pylist())
    if is_.is_floating(kind):
        return _short_floats
    if is_.is_integer(kind) or is_.is_decimal(kind):
        return _plain(number_text)
    if is_.is_boolean(kind):
        return _plain(truth_text, lambda value: value, lambda array: array.to_pylist())
    if is_.is_timestamp(kind) or is_.is_date(kind) or is_.is_time(kind):
        return _temporal(kind, field)
    if is_.is_duration(kind):
        scale = _NANOSECONDS[kind.unit]
        return _plain(
            quoted, lambda value: iso_duration(value * scale), lambda array: array.cast(pa.int64()).to_pylist()
        )
    if is_.is_null(kind):
        return lambda array: [NULL] * len(array)
    if is_.is_list(kind) or is_.is_large_list(kind) or is_.is_fixed_size_list(kind):
        return _list(converter(kind.value_type, None, label, depth + 1))
    if is_.is_map(kind):
        key = converter(kind.key_type, None, label, depth + 1)
        return _map(key, converter(kind.item_type, None, label, depth + 1))
    if is_.is_struct(kind):
        parts = [kind.field(place) for place in range(kind.num_fields)]
        return _struct([part.name for part in parts], [converter(part.type, None, label, depth + 1) for part in parts])
    raise FileRefused("unsupported-type", f"the column {label[:60]} is of a type that cannot be loaded: {kind}")


def _as_text(array: Any) -> Any:
    return array.cast(pa.string()).to_pylist()


def _plain(
    write: Callable[[Any], str],
    text: Callable[[Any], Any] = lambda value: value,
    values: Callable[[Any], Any] = _as_text,
) -> Convert:
    return lambda array: [NULL if value is None else write(text(value)) for value in values(array)]


def _short_floats(array: Any) -> Texts:
    """Fractions in as few digits as their type needs to tell them apart, whole numbers exactly."""
    return [
        NULL if value is None else number_text(text if isfinite(value) and value % 1 else float_text(value))
        for value, text in zip(array.to_pylist(), _as_text(array), strict=True)
    ]


def _strings(array: Any) -> Texts:
    try:
        return [NULL if value is None else quoted(value) for value in array.to_pylist()]
    except UnicodeDecodeError:  # Parquet's readers and writers believe each other
        return _binary(array.cast(pa.large_binary()))


def _binary(array: Any) -> Texts:
    """Bytes that are text. Others go on as they are, and make the record's line an encoding error."""
    return [NULL if value is None else quoted(value.decode("utf-8", "surrogateescape")) for value in array.to_pylist()]


def _temporal(kind: Any, field: Field | None) -> Convert:
    write = temporal(field)

    def convert(array: Any) -> Texts:
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            array = array.cast(pa.timestamp(kind.unit, "UTC"))  # the same instants; Z is all that they need
        return [
            NULL if text is None else write(iso_time(text)) if text[0] != "<" else unsayable("out of range", field)
            for text in array.cast(pa.string()).to_pylist()
        ]

    return convert


def _dictionary(convert: Convert) -> Convert:
    def decoded(array: Any) -> Texts:
        if pa.types.is_nested(array.type.value_type):
            return convert(array.dictionary_decode())
        if not pa.types.is_primitive(array.type.value_type):
            lengths = pc.binary_length(array.dictionary.cast(pa.large_binary()))
            longest = pc.max(lengths).as_py() or 0
            if longest * len(array) > MOST_TEXT and (pc.sum(lengths.take(array.indices)).as_py() or 0) > MOST_TEXT:
                raise TooMuch
        return convert(array.dictionary_decode())

    return decoded


def _storage(convert: Convert) -> Convert:
    return lambda array: convert(array.storage)


def _list(convert: Convert) -> Convert:
    def lists(array: Any) -> Texts:
        if pa.types.is_fixed_size_list(array.type):
            array = array.cast(pa.list_(array.type.value_type))
        offsets = array.offsets.to_pylist()
        texts = convert(array.values.slice(offsets[0], offsets[-1] - offsets[0]))
        base = offsets[0]
        spans = zip(offsets, offsets[1:], array.is_valid().to_pylist(), strict=False)
        return [f"[{', '.join(texts[start - base : end - base])}]" if there else NULL for start, end, there in spans]

    return lists


def _map(key: Convert, item: Convert) -> Convert:
    def maps(array: Any) -> Texts:
        offsets = array.offsets.to_pylist()
        base, count = offsets[0], offsets[-1] - offsets[0]
        keys, items = key(array.keys.slice(base, count)), item(array.items.slice(base, count))
        # JSON's members have texts for names; other keys become the text of their JSON.
        names = [name if name.startswith('"') else quoted(name) for name in keys]
        members = [f"{name}: {text}" for name, text in zip(names, items, strict=True)]
        spans = zip(offsets, offsets[1:], array.is_valid().to_pylist(), strict=False)
        return [
            f"{{{', '.join(members[start - base : end - base])}}}" if there else NULL for start, end, there in spans
        ]

    return maps


def _struct(names: Sequence[str], converts: Sequence[Convert]) -> Convert:
    pattern = "{" + ", ".join(f"{quoted(name).replace('%', '%%')}: %s" for name in names) + "}"

    def structs(array: Any) -> Texts:
        parts = [convert(part) for convert, part in zip(converts, array.flatten(), strict=True)]
        rows = zip(*parts, strict=True) if parts else [()] * len(array)
        return [pattern % row if there else NULL for row, there in zip(rows, array.is_valid().to_pylist(), strict=True)]

    return structs

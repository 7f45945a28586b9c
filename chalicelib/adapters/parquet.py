"""Parquet, row group by row group, as JSON Lines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from chalicelib.adapters.ranged import RangedFile
from chalicelib.core.members import Member, line_template, members, positional
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
from chalicelib.core.schema import Dataset, Field
from chalicelib.errors import FileRefused

MOST_COLUMN_BYTES = 512 << 20  # of one column in one row group, unpacked: its dictionary is held as a whole
MOST_GROUP_BYTES = 2 << 30  # of all columns that are read
MOST_VALUES = 20_000_000  # of one column of lists in one row group
_MOST_FOOTER_BYTES = 64 << 20
_MOST_DEPTH = 32
_ROWS = 8_192  # decoded at once
_MOST_TEXT = 64 << 20  # bytes of text decoded at once in one column; then fewer rows are
_BUFFERS = 64 << 20  # for reading, shared by all columns
_LEAST_BUFFER, _MOST_BUFFER = 1 << 16, 1 << 22
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}

Texts = list[str]
Convert = Callable[[Any], Texts]
"""Takes an Arrow array, returns the JSON of each value."""


class ParquetTable:
    """See ``services.ports.Table``. Rows are numbered from 1; there is no header that would take up one."""

    def __init__(self, file: RangedFile, dataset: Dataset) -> None:
        _check_footer(file)
        with self._reading():
            metadata = pq.read_metadata(file)
            schema = metadata.schema.to_arrow_schema()
        labels = schema.names
        self._members = members(labels, dataset) if dataset.dialect.header else _by_position(labels, dataset)
        self.columns = tuple(member.label for member in self._members)
        self._converts = [
            _converter(schema.field(member.position).type, member.field, member.label) for member in self._members
        ]
        wanted = set(self.columns)
        leaves = [metadata.schema.column(place).path for place in range(metadata.num_columns)]
        read = [place for place, path in enumerate(leaves) if path in wanted or path.partition(".")[0] in wanted]
        self._groups = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        _check_groups(metadata, read, leaves)
        # As dictionaries, texts that repeat are held once: a few bytes in the file cannot become gigabytes here.
        texts = [leaves[place] for place in read if metadata.schema.column(place).physical_type == "BYTE_ARRAY"]
        with self._reading():
            self._file = pq.ParquetFile(
                file,
                metadata=metadata,
                read_dictionary=texts,
                pre_buffer=False,
                buffer_size=min(max(_BUFFERS // max(len(read), 1), _LEAST_BUFFER), _MOST_BUFFER),
                page_checksum_verification=True,
            )

    def lines(self, first: int) -> Iterator[bytes]:
        skip = first - 1
        template = line_template(self._members).__mod__
        for group, rows in enumerate(self._groups):
            if skip >= rows:
                skip -= rows
                continue
            for batch in self._batches(group):
                if skip >= batch.num_rows:
                    skip -= batch.num_rows
                    continue
                for columns in self._texts(batch.slice(skip)):
                    # One row of a million characters is no reason to hold thousands of them.
                    step = max(_MOST_TEXT // (1 + sum(max(map(len, texts)) for texts in columns)), 1)
                    for start in range(0, len(columns[0]), step):
                        rows_of_texts = zip(*(texts[start : start + step] for texts in columns), strict=True)
                        yield "".join(map(template, rows_of_texts)).encode("utf-8", "surrogateescape")
                skip = 0

    def _batches(self, group: int) -> Iterator[Any]:
        with self._reading():
            batches = self._file.iter_batches(
                batch_size=_ROWS, row_groups=[group], columns=list(self.columns), use_threads=False
            )
        while True:
            with self._reading():
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _texts(self, batch: Any) -> Iterator[list[Texts]]:
        """The JSON of each column's values, for as many rows at once as can be held."""
        try:
            with self._reading():
                texts = [
                    convert(batch.column(batch.schema.get_field_index(member.label)))
                    for member, convert in zip(self._members, self._converts, strict=True)
                ]
        except _TooMuch:
            if batch.num_rows == 1:
                raise FileRefused("too-large", f"a value has more than {_MOST_TEXT} bytes") from None
            half = batch.num_rows // 2
            yield from self._texts(batch.slice(0, half))
            yield from self._texts(batch.slice(half))
            return
        yield texts

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Raises FileRefused where Arrow cannot read the file. What the store raises, Arrow passes on as it is."""
        try:
            yield
        except (pa.ArrowException, OSError, ValueError) as error:
            if "encrypt" in str(error).lower():
                raise FileRefused("archive-encrypted", "the Parquet file is encrypted, and we have no key") from None
            raise FileRefused(
                "archive-damaged", "the Parquet file is damaged, was not transferred in full, or is of an unknown kind"
            ) from None


class _TooMuch(Exception):
    """So many rows are too much to be held at once."""


def _by_position(labels: Sequence[str], dataset: Dataset) -> tuple[Member, ...]:
    """Columns of Parquet always have names; a dataset without a header takes them as they come."""
    return tuple(
        Member(member.position, label, member.field) for member, label in zip(positional(dataset), labels, strict=False)
    )


def _check_footer(file: RangedFile) -> None:
    file.seek(max(file.size - 8, 0))
    end = file.read(8)
    if end.endswith(b"PARE"):
        raise FileRefused("archive-encrypted", "the Parquet file is encrypted, and we have no key")
    if len(end) < 8 or not end.endswith(b"PAR1"):
        raise FileRefused("archive-truncated", "the Parquet file has no end: it was not transferred in full")
    if int.from_bytes(end[:4], "little") > _MOST_FOOTER_BYTES:
        raise FileRefused("too-large", f"the Parquet file's footer has more than {_MOST_FOOTER_BYTES >> 20} MiB")


def _check_groups(metadata: Any, read: Sequence[int], leaves: Sequence[str]) -> None:
    for group in range(metadata.num_row_groups):
        chunks = [metadata.row_group(group).column(place) for place in read]
        sizes = [chunk.total_uncompressed_size for chunk in chunks]
        if max(sizes, default=0) > MOST_COLUMN_BYTES or sum(sizes) > MOST_GROUP_BYTES:
            raise FileRefused(
                "too-large",
                f"row group {group + 1} has {sum(sizes) >> 20} MiB, its largest column {max(sizes) >> 20}; at most "
                f"{MOST_GROUP_BYTES >> 20} and {MOST_COLUMN_BYTES >> 20} can be read: write smaller row groups",
            )
        if any(chunk.num_values > MOST_VALUES and "." in leaves[at] for at, chunk in zip(read, chunks, strict=True)):
            raise FileRefused("too-large", f"row group {group + 1} has more than {MOST_VALUES} values in lists")


def _converter(kind: Any, field: Field | None, label: str, depth: int = 0) -> Convert:
    """What makes JSON of arrays of this type.

    Raises:
        FileRefused: there is no such thing; the message names the column.
    """
    if depth > _MOST_DEPTH:
        raise FileRefused("unsupported-type", f"the column {label[:60]} is nested deeper than {_MOST_DEPTH} levels")
    is_ = pa.types
    if is_.is_dictionary(kind):
        return _dictionary(_converter(kind.value_type, field, label, depth))
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.uuid":
            return lambda array: [NULL if value is None else f'"{value}"' for value in array.to_pylist()]
        return _storage(_converter(kind.storage_type, field, label, depth))
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
        return _list(_converter(kind.value_type, None, label, depth + 1))
    if is_.is_map(kind):
        key = _converter(kind.key_type, None, label, depth + 1)
        return _map(key, _converter(kind.item_type, None, label, depth + 1))
    if is_.is_struct(kind):
        parts = [kind.field(place) for place in range(kind.num_fields)]
        return _struct([part.name for part in parts], [_converter(part.type, None, label, depth + 1) for part in parts])
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
            if longest * len(array) > _MOST_TEXT and (pc.sum(lengths.take(array.indices)).as_py() or 0) > _MOST_TEXT:
                raise _TooMuch
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

"""Parquet, row group by row group, as JSON Lines."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from chalicelib.adapters.arrow import MOST_TEXT, Texts, TooMuch, converter
from chalicelib.adapters.ranged import RangedFile
from chalicelib.core.members import Member, line_template, members, positional, refuse_correction
from chalicelib.core.schema import Dataset
from chalicelib.errors import FileRefused

MOST_COLUMN_BYTES = 256 << 20  # of one column in one row group, unpacked: its dictionary is held as a whole
MOST_GROUP_BYTES = 1 << 30  # of all columns that are read
MOST_VALUES = 20_000_000  # of one column of lists in one row group
_MOST_FOOTER_BYTES = 64 << 20
_ROWS, _BATCH_BYTES = 8_192, 64 << 20  # decoded at once, as far as a row group's rows are alike
_BUFFERS = 64 << 20  # for reading, shared by all columns
_LEAST_BUFFER, _MOST_BUFFER = 1 << 16, 1 << 22


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
            converter(schema.field(member.position).type, member.field, member.label) for member in self._members
        ]
        wanted = set(self.columns)
        leaves = [metadata.schema.column(place).path for place in range(metadata.num_columns)]
        read = [place for place, path in enumerate(leaves) if path in wanted or path.partition(".")[0] in wanted]
        self._groups = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._sizes = _check_groups(metadata, read, leaves)
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
                    step = max(MOST_TEXT // (1 + sum(max(map(len, texts)) for texts in columns)), 1)
                    for start in range(0, len(columns[0]), step):
                        rows_of_texts = zip(*(texts[start : start + step] for texts in columns), strict=True)
                        yield "".join(map(template, rows_of_texts)).encode("utf-8", "surrogateescape")
                skip = 0

    def _batches(self, group: int) -> Iterator[Any]:
        with self._reading():
            batches = self._file.iter_batches(
                batch_size=max(min(_ROWS, _BATCH_BYTES * self._groups[group] // max(self._sizes[group], 1)), 1),
                row_groups=[group],
                columns=list(self.columns),
                use_threads=False,
            )
        while True:
            with self._reading():
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _texts(self, batch: Any) -> Iterator[list[Texts]]:
        """The JSON of each column's values, for as many rows at once as can be held."""
        texts = self._at_once(batch)
        if texts is not None:
            yield texts
            return
        if batch.num_rows == 1:
            raise FileRefused("too-large", f"a row has a value of more than {MOST_TEXT >> 20} Mi characters")
        half = batch.num_rows // 2
        yield from self._texts(batch.slice(0, half))
        yield from self._texts(batch.slice(half))

    def _at_once(self, batch: Any) -> list[Texts] | None:
        """The JSON of each column's values; None where these are too much to be held, unless it is one row."""
        texts: list[Texts] = []
        size = 0
        for member, convert in zip(self._members, self._converts, strict=True):
            try:
                with self._reading():
                    texts.append(convert(batch.column(batch.schema.get_field_index(member.label))))
            except TooMuch:
                return None
            size += sum(map(len, texts[-1]))
            if size > MOST_TEXT and batch.num_rows > 1:
                return None
        return texts

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


def _by_position(labels: Sequence[str], dataset: Dataset) -> tuple[Member, ...]:
    """Columns of Parquet always have names; a dataset without a header takes them as they come."""
    refuse_correction(labels)
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


def _check_groups(metadata: Any, read: Sequence[int], leaves: Sequence[str]) -> list[int]:
    """The bytes of each row group's columns that are read, unpacked."""
    found = []
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
        found.append(sum(sizes))
    return found

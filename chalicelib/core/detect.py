"""Which delimiter a file has, where its dataset declares none."""

from chalicelib.core.corrections import is_correction
from chalicelib.core.labels import resolve
from chalicelib.core.rows import first_row, header_rows
from chalicelib.core.schema import Dataset
from chalicelib.errors import FileRefused

USUAL = (",", ";", "\t", "|")
"""What is tried, the more usual first."""


def detect(text: bytes, dataset: Dataset, *, at_end: bool) -> str | None:
    """Return the delimiter that brings out the most fields: their labels, or without a header their number.

    The more usual one where several do equally well, and the comma where none does. ``None``: more bytes are needed.
    """
    best, most = USUAL[0], 0
    dialect = dataset.dialect
    for delimiter in USUAL:
        if delimiter in (dialect.quote_char, dialect.escape, dialect.comment):
            continue
        score = _score(text, dataset.delimited_by(delimiter), at_end=at_end)
        if score is None:
            return None
        if score > most:
            best, most = delimiter, score
    return best


def _score(text: bytes, dataset: Dataset, *, at_end: bool) -> int | None:
    try:
        first = first_row(text, dataset.dialect, at_end=at_end)
        if first is None:
            return None
        if is_correction(first.cells, dataset):
            return 1 + len({field.name for field in dataset.fields}.intersection(resolve(first.cells, dataset)))
        if dataset.dialect.header:
            header = header_rows(text, dataset.dialect, at_end=at_end)
            if header is None:
                return None
            return len({field.name for field in dataset.fields}.intersection(resolve(header[0], dataset)))
        return int(len(first.cells) == len(dataset.fields))
    except FileRefused:
        return 0

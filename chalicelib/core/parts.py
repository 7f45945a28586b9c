"""A part of an export while it is filled: as many lines as fit, cut between records."""

import codecs
from collections.abc import Sequence

from chalicelib.core.lines import Encode, Row, csv_encoder, csv_header, encoding_mark, json_encoder
from chalicelib.core.schema import Dataset
from chalicelib.errors import ExportRefused


class TextPart:
    """A part of lines, with ``header`` before them, of at most ``max_bytes``."""

    def __init__(self, header: bytes, encode: Encode, max_bytes: int) -> None:
        self._head = header
        self._encode = encode
        self._left = max_bytes - len(header)
        self._rows = 0
        if self._left < 0:
            raise ExportRefused("part-too-small", f"the header alone is larger than max_part_bytes ({max_bytes})")
        self._max = max_bytes

    def add(self, rows: Sequence[Row]) -> tuple[int, bytes]:
        """Return how many of the rows are in the part, and their bytes; fewer than all mean that the part is full.

        Raises:
            ExportRefused: a row cannot be written, or is larger than a whole part.
        """
        lines = []
        left = self._left
        for row in rows:
            line = self._encode(row)
            left -= len(line)
            if left < 0:
                break
            lines.append(line)
            self._left = left
        self._rows += len(lines)
        if rows and not self._rows:
            raise record_too_large(self._max)
        return len(lines), self._started() + b"".join(lines)

    def finish(self) -> bytes:
        """Return what is left to write: where there is not even a header, nothing."""
        return b"" if self._head == codecs.BOM_UTF8 else self._started()

    def _started(self) -> bytes:
        head, self._head = self._head, b""
        return head


def csv_part(dataset: Dataset, max_bytes: int, *, with_id: bool) -> TextPart:
    """Return an empty part of CSV."""
    return TextPart(csv_header(dataset, with_id=with_id), csv_encoder(dataset, with_id=with_id), max_bytes)


def json_part(dataset: Dataset, max_bytes: int, *, with_id: bool) -> TextPart:
    """Return an empty part of JSON Lines."""
    return TextPart(encoding_mark(dataset.dialect), json_encoder(dataset, with_id=with_id), max_bytes)


def record_too_large(max_bytes: int) -> ExportRefused:
    """Return why an export ends that has a record which fits into no part."""
    return ExportRefused("record-too-large", f"a single record is larger than max_part_bytes ({max_bytes})")

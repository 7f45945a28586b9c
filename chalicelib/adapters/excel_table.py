"""An Excel sheet as a table: its header, and its rows as JSON Lines."""

from collections.abc import Iterator
from typing import IO

from chalicelib.adapters.excel import Value, Workbook
from chalicelib.core.members import header_labels, line_template, members, positional, refuse_correction
from chalicelib.core.native import NULL, cell_writer, float_text, quoted
from chalicelib.core.schema import Dataset, ExtraColumns
from chalicelib.core.sheet import LAST_COLUMN, Row

_CHUNK = 1 << 20  # characters


class ExcelTable:
    """See ``services.ports.Table``."""

    def __init__(self, file: IO[bytes], dataset: Dataset) -> None:
        self._workbook = Workbook(file)
        self._header_end = 0
        if dataset.dialect.header:
            labels = self._read_header(dataset)
            self._members = members(labels, dataset)
        else:
            first = next((row for row in self._workbook.rows() if row.cells), None)
            refuse_correction([_label(self._workbook.value(cell)) for cell in first.cells] if first else ())
            self._members = positional(dataset)
            labels = tuple(member.label for member in self._members)
        self.columns = tuple(member.label for member in self._members)
        # Labels that the dataset does not have were refused with the header; these columns have no label.
        self._beyond = len(labels) if dataset.extra_columns is ExtraColumns.REJECT else LAST_COLUMN

    def lines(self, first: int) -> Iterator[bytes]:
        places = {member.position: place for place, member in enumerate(self._members)}
        write = [cell_writer(member.field) for member in self._members]
        value = self._workbook.value
        template = line_template(self._members)
        nulls = [NULL] * len(places)
        wanted = places.keys() | range(self._beyond, LAST_COLUMN)
        parts: list[str] = []
        size, line = 0, first
        for row in self._workbook.rows(first, wanted):
            parts.append("\n" * (row.number - line))
            if row.number > self._header_end and (row.cells or row.other):
                texts = nulls.copy()
                for cell in row.cells:
                    if (place := places.get(cell.column)) is not None:
                        texts[place] = write[place](value(cell))
                parts.append(self._line(template, texts, row))
            else:
                parts.append("\n")
            size += row.number - line + len(parts[-1])
            line = row.number + 1
            if size >= _CHUNK:
                yield "".join(parts).encode("utf-8", "surrogateescape")
                parts, size = [], 0
        yield "".join(parts).encode("utf-8", "surrogateescape")

    def _line(self, template: str, texts: list[str], row: Row) -> str:
        line = template % tuple(texts)
        if row.cells and row.cells[-1].column >= self._beyond:
            line = line.removesuffix("}\n") + f", {quoted(f'column {row.cells[-1].column + 1}')}: true}}\n"
        return line

    def _read_header(self, dataset: Dataset) -> tuple[str, ...]:
        """The labels. Rows are counted as in CSV: from the first that is not empty."""
        dialect = dataset.dialect
        header: list[list[str]] = []
        number = 0
        for row in self._workbook.rows():
            if not row.cells:
                continue
            number += 1
            if number in dialect.header_rows:
                cells = [""] * (row.cells[-1].column + 1)
                for cell in row.cells:
                    cells[cell.column] = _label(self._workbook.value(cell))
                header.append(cells)
            self._header_end = row.number
            if number == dialect.header_rows[-1]:
                break
        return header_labels(header, dialect)


def _label(value: "Value | object") -> str:
    return float_text(value) if isinstance(value, float) else str(value)

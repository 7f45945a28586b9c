"""A whole file through the engine at once: what it accepts, in file order, and what it rejects."""

from chalicelib.core.dataset import Dataset
from chalicelib.core.header import read_layout
from chalicelib.core.reader import compile_reader
from chalicelib.core.rejection import Rejection
from tests.oracle import read_records

MAX_RECORD_BYTES = 1 << 20

Row = dict[str, str | None]


def run(data: bytes, dataset: Dataset) -> tuple[list[Row], list[Rejection]]:
    """The accepted rows by column, as COPY would understand them, and the rejections."""
    layout = read_layout(data, dataset, at_end=True)
    assert layout is not None
    reader = compile_reader(dataset, layout.columns, MAX_RECORD_BYTES)
    parsed = reader.read(data[layout.data_start :], offset=layout.data_start, first_line=layout.first_line)
    rows: list[Row] = []
    for record in read_records(parsed.fast):
        cells = [cell.decode() or None for cell in record.fields or ()]  # COPY takes an unquoted empty cell for a null
        rows.append({name: cell for name, cell in zip(reader.fast_columns, cells, strict=True) if name is not None})
    assert len(rows) == parsed.fast_rows
    rows += [dict(zip(reader.slow_columns, cells, strict=True)) for cells in parsed.slow]
    assert len(rows) + len(parsed.rejections) == parsed.records
    places = sorted(range(len(rows)), key=lambda row: parsed.where(row).record)
    return [rows[place] for place in places], list(parsed.rejections)

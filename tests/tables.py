"""Workbooks and Parquet files, and what dropload's readers make of them."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from chalicelib.adapters.excel_table import ExcelTable
from chalicelib.adapters.parquet import ParquetTable
from chalicelib.adapters.ranged import RangedFile
from chalicelib.core.dataset import parse_dataset
from chalicelib.core.schema import Dataset

SHEET = "xl/worksheets/sheet1.xml"


def things(fields: Mapping[str, str | Mapping[str, Any]], **settings: Any) -> Dataset:
    """A dataset with these fields: a type, or a whole descriptor, by name."""
    described = [{"name": name, **({"type": form} if isinstance(form, str) else form)} for name, form in fields.items()]
    dialect = settings.pop("dialect", {})
    return parse_dataset({"name": "things", "schema": {"fields": described}, "dialect": dialect, "dropload": settings})


def workbook(rows: Sequence[Sequence[Any]], *, streamed: bool = False) -> bytes:
    """A workbook with one sheet; ``streamed`` has its texts in their cells instead of in a table of their own."""
    book = openpyxl.Workbook(write_only=streamed)
    sheet = book.create_sheet("rows") if streamed else book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rewritten(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        assert part in old.namelist()
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == part else content)
    return out.getvalue()


def sheet_of(rows: bytes, *, styles: bytes | None = None, strings: bytes | None = None) -> bytes:
    """A workbook whose sheet has this XML for its rows; the other parts as they are, or with this XML in them."""
    data = rewritten(workbook([["x"]]), SHEET, lambda _: b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>")
    if styles is not None:
        data = rewritten(data, "xl/styles.xml", lambda _: styles)
    return data if strings is None else _with_strings(data, strings)


def _with_strings(data: bytes, strings: bytes) -> bytes:
    """Excel's own way, which openpyxl does not go: texts stand in a part of their own."""
    reference = b'<Relationship Id="rId9" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    reference += b'sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    end = b"</Relationships>"
    data = rewritten(data, "xl/_rels/workbook.xml.rels", lambda xml: xml.replace(end, reference))
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", strings)
    return out.getvalue()


def parquet(columns: Mapping[str, Any] | pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(dict(columns)), out, **options)
    return out.getvalue()


def excel_table(data: bytes, dataset: Dataset) -> ExcelTable:
    return ExcelTable(io.BytesIO(data), dataset)


def parquet_table(data: bytes, dataset: Dataset) -> ParquetTable:
    return ParquetTable(RangedFile(lambda start, end: data[start:end], len(data), most_bytes=1 << 28), dataset)


def lines(table: ExcelTable | ParquetTable, first: int = 1) -> list[bytes]:
    """The table's JSON Lines from ``first`` on, without their newlines."""
    text = b"".join(table.lines(first))
    assert not text or text.endswith(b"\n")
    return text.split(b"\n")[:-1]

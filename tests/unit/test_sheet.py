"""The XML of workbooks: what counts as a row, and that nothing hostile takes more than its share."""

import io
import zipfile

import pytest

from chalicelib.adapters import excel
from chalicelib.adapters.ranged import RangedFile
from chalicelib.core import workbook_xml
from chalicelib.core.sheet import Cell, Row, SheetReader
from chalicelib.core.workbook_xml import StringsReader, tags
from chalicelib.errors import FileRefused
from tests.tables import SHEET, excel_table, lines, parquet, rewritten, sheet_of, things, workbook

DATASET = things({"a": "string", "b": "number"})
HEADER = b'<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="str"><v>b</v></c></row>'
BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>"""


def read(xml: bytes, at_once: int = 7) -> list[Row]:
    reader = SheetReader()
    rows = [row for start in range(0, len(xml), at_once) for row in reader.feed(xml[start : start + at_once])]
    reader.finish()
    return rows


def refusal(data: bytes) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        lines(excel_table(data, DATASET))
    return refused.value


def test_cells_have_their_places_kinds_and_texts() -> None:
    xml = (
        b'<x:worksheet xmlns:x="u"><x:sheetData><x:row r="3"><x:c r="B3" s="2"><x:v>1.5</x:v></x:c><x:c r="AA3" t="s">'
        b"<x:v>7</x:v></x:c></x:row><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    first, second = read(xml)
    assert (first.number, first.cells) == (3, [Cell(1, "n", "2", "1.5"), Cell(26, "s", "", "7")])
    assert (second.number, second.cells) == (4, [Cell(0, "n", "", "1")])


def test_texts_are_joined_from_their_runs_without_the_pronunciation() -> None:
    reader = StringsReader()
    reader.feed(b"<sst><si><r><t>Os</t></r><r><t xml:space='preserve'>aka </t></r><rPh><t>oosaka</t></rPh></si>")
    reader.feed(b"<si><t>a_x000D_b_x005F_x0041_ _xD83D_</t></si><si/></sst>")
    assert reader.finish() == ["Osaka ", "a\rb_x0041_ _xD83D_", ""]


def test_rows_that_are_not_there_are_empty_lines_so_that_lines_are_rows() -> None:
    rows = HEADER + b'<row r="4"><c r="A4" t="str"><v>x</v></c></row><row r="6"><c r="A6"/></row><row r="7"/>'
    assert lines(excel_table(sheet_of(rows), DATASET)) == [b"", b"", b"", b'{"a": "x", "b": null}', b"", b"", b""]


def test_a_row_with_cells_only_in_other_columns_is_a_record() -> None:
    labels = HEADER.replace(b"</row>", b'<c r="C1" t="str"><v>other</v></c></row>')
    rows = labels + b'<row r="2"><c r="C2"><v>1</v></c></row>'
    assert lines(excel_table(sheet_of(rows), DATASET))[1] == b'{"a": null, "b": null}'


def test_a_cell_beyond_the_header_is_an_extra_one_where_these_are_rejected() -> None:
    rows = HEADER + b'<row r="2"><c r="A2" t="str"><v>x</v></c><c r="D2"><v>1</v></c></row>'
    strict = things({"a": "string", "b": "number"}, extra_columns="reject")
    assert lines(excel_table(sheet_of(rows), strict))[1] == b'{"a": "x", "b": null, "column 4": true}'
    assert lines(excel_table(sheet_of(rows), DATASET))[1] == b'{"a": "x", "b": null}'


def test_the_first_visible_sheet_is_read() -> None:
    data = workbook([["a", "b"], ["x", 1]])
    hidden = rewritten(data, "xl/workbook.xml", lambda xml: xml.replace(b'state="visible"', b'state="hidden"'))
    assert hidden != data
    assert refusal(hidden).code == "empty-file"


def test_header_rows_are_counted_from_the_first_that_is_not_empty_and_joined() -> None:
    dataset = things({"main_a": "string", "b": "number"}, dialect={"headerRows": [2, 3], "headerJoin": "_"})
    data = workbook([[], ["Report"], ["main", None], ["a", "b", None, ""], ["x", 1]])
    assert lines(excel_table(data, dataset))[4:] == [b'{"main_a": "x", "b": 1}']


def test_without_a_header_columns_are_fields_in_their_order() -> None:
    dataset = things({"a": "string", "b": "number"}, dialect={"header": False})
    assert lines(excel_table(workbook([["x", 1.5]]), dataset)) == [b'{"a": "x", "b": 1.5}']


def test_texts_stand_in_their_own_part_and_cells_refer_to_them() -> None:
    rows = b'<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>0</v></c></row>'
    rows += b'<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2"><v>7</v></c></row>'
    data = sheet_of(rows, strings=b"<sst><si><t>b</t></si><si><t>a</t></si><si><t> x </t></si></sst>")
    assert lines(excel_table(data, DATASET)) == [b"", b'{"a": " x ", "b": 7}']


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml", "_rels/.rels"])
def test_a_document_type_is_refused_in_every_part_before_its_entities_mean_anything(part: str) -> None:
    data = sheet_of(HEADER, strings=b"<sst/>")
    refused = refusal(rewritten(data, part, lambda xml: BOMB + xml[xml.startswith(b"<?") and xml.index(b"?>") + 2 :]))
    assert (refused.code, "document type" in refused.message) == ("archive-damaged", True)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        (HEADER + b'<row r="3"/><row r="2"/>', "order"),
        (HEADER + b'<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>', "order"),
        (HEADER + b'<row r="1048577"/>', "row beyond"),
        (HEADER + b'<row r="0"/>', "row beyond"),
        (HEADER + b'<row r="2"><c r="ZZZZ2"><v>1</v></c></row>', "no column"),
        (HEADER + b'<row r="2"><c r="A2" t="s"><v>99</v></c></row>', "not there"),
        (HEADER + b'<row r="2"><c r="A2" t="s"><v>-1</v></c></row>', "not there"),
        (HEADER + b"<row>", "XML"),
        (HEADER + b'<row r="2"><c r="A2" t="str"><v>' + b"x" * (1 << 24) + b"xx</v></c></row>", "characters"),
        (HEADER + b'<row r="2" x="' + b"x" * (1 << 25) + b'"/>', "tag"),
    ],
    ids=["rows", "cells", "row", "row 0", "column", "shared", "shared -1", "xml", "long", "tag"],
)
def test_what_no_spreadsheet_program_writes_is_refused(rows: bytes, word: str) -> None:
    assert word in refusal(sheet_of(rows)).message


def test_a_bomb_is_refused_by_the_directory_and_a_lying_directory_gives_no_byte_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bomb = sheet_of(HEADER + b" " * (65 << 20))
    assert refusal(bomb).code == "archive-bomb"
    size = len(b"<worksheet><sheetData>") + len(HEADER) + (65 << 20) + len(b"</sheetData></worksheet>")
    lying = bomb.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != bomb
    assert refusal(lying).code == "archive-damaged"
    monkeypatch.setattr(excel, "MOST_SHEET_BYTES", 1 << 20)
    assert refusal(bomb).code == "too-large"


def test_texts_that_need_too_much_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_xml, "MOST_STRINGS_BYTES", 10_000)
    texts = b"".join(b"<si><t>name %d</t></si>" % number for number in range(200))
    assert refusal(sheet_of(HEADER, strings=b"<sst>" + texts + b"</sst>")).code == "too-large"


def test_an_encrypted_part_is_refused() -> None:
    data = bytearray(workbook([["a", "b"]]))
    entry = data.rindex(b"xl/workbook.xml") - 46  # in the directory
    data[entry + 8] |= 1
    assert refusal(bytes(data)).code == "archive-encrypted"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), parquet({"a": [1]})])
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    assert refusal(data).code == "archive-damaged"


def test_a_directory_larger_than_may_be_read_at_once_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(50):
            archive.writestr(f"{number}" * 50, b"")
    data = out.getvalue()
    file = io.BufferedReader(RangedFile(lambda start, end: data[start:end], len(data), most_bytes=1_000), 1_000)
    with pytest.raises(FileRefused) as refused:
        excel.Workbook(file)
    assert refused.value.code == "too-large"


def test_dates_are_numbers_with_a_style_of_dates_in_either_calendar() -> None:
    styles = (
        b'<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[Red]0.0"/>'
        b'<numFmt numFmtId="165" formatCode="[h]:mm"/></numFmts>'
        b'<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>'
        b'<xf numFmtId="22"/><xf numFmtId="21"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>'
    )
    dataset = things({"a": "any", "b": "datetime", "c": "date", "d": "time", "e": "number", "f": "duration"})
    labels = b"".join(f'<c r="{name.upper()}1" t="str"><v>{name}</v></c>'.encode() for name in "abcdef")
    cells = ("45000", "45000.5", "45000", "0.75", "45000", "1.5")
    row = b"".join(
        f'<c r="{name}2" s="{style}"><v>{value}</v></c>'.encode()
        for name, style, value in zip("ABCDEF", (0, 2, 1, 3, 4, 5), cells, strict=True)
    )
    data = sheet_of(b'<row r="1">' + labels + b'</row><row r="2">' + row + b"</row>", styles=styles)
    expected = (
        b'{"a": 45000, "b": "2023-03-15T12:00:00", "c": "2023-03-15", "d": "18:00:00", "e": 45000, "f": "P1DT12H0M0S"}'
    )
    assert lines(excel_table(data, dataset))[1] == expected
    mac = rewritten(data, "xl/workbook.xml", lambda xml: xml.replace(b"<workbookPr ", b'<workbookPr date1904="1" '))
    assert b'"2027-03-16"' in lines(excel_table(mac, dataset))[1]


def test_tags_know_their_parents() -> None:
    found = tags(b'<a:x xmlns:a="u"><a:y b:id="1" xmlns:b="v"/></a:x>')
    assert [(tag.parent, tag.name, tag.attributes.get("id")) for tag in found] == [("", "x", None), ("x", "y", "1")]

"""The oracle reads what others say that a file means."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpora.cases import cases
from tests.oracle import read_records

CELLS = st.text(st.characters(codec="utf-8") | st.sampled_from(',"\r\n '), max_size=8)
ROWS = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6))


class MinimalQuotes(csv.excel):
    """Quotes what needs it, and so any carriage return, which is half a line end here."""


class AllQuoted(csv.excel):
    quoting = csv.QUOTE_ALL


class AllQuotedUnix(csv.unix_dialect):
    """All is quoted, and lines end with a newline alone."""


DIALECTS = (MinimalQuotes, AllQuoted, AllQuotedUnix)


@cases("csv-spectrum", "*.csv")
def test_oracle_reads_what_csv_spectrum_says(path: Path) -> None:
    header, *records = [[cell.decode() for cell in record.fields or ()] for record in read_records(path.read_bytes())]
    meant = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert [dict(zip(header, cells, strict=True)) for cells in records] == meant


@given(ROWS, st.sampled_from(DIALECTS), st.booleans())
def test_oracle_reads_what_python_writes(rows: list[list[str]], dialect: type[csv.Dialect], last_ends: bool) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, dialect).writerows(rows)
    text = written.getvalue() if last_ends else written.getvalue().removesuffix(dialect.lineterminator)
    read = [[cell.decode() for cell in record.fields or ()] for record in read_records(text.encode())]
    assert read == rows
    assert read == list(csv.reader(io.StringIO(text, newline="")))


def test_quote_opens_a_field_only_at_its_start() -> None:
    records = list(read_records(b'5" pipe,1\n6",2\n'))
    assert [record.fields for record in records] == [(b'5" pipe', b"1"), (b'6"', b"2")]


@pytest.mark.parametrize("broken", [b'"a"b,1', b'"a" ,1', b"a\rb,1", b"a\r\r\n"])
def test_broken_record_spoils_no_other(broken: bytes) -> None:
    records = list(read_records(b"x,1\n" + broken.removesuffix(b"\n") + b"\ny,2\n"))
    assert [record.fields for record in records] == [(b"x", b"1"), None, (b"y", b"2")]


def test_quote_that_never_closes_is_its_first_line_only() -> None:
    records = list(read_records(b'a,"b\nc,d\ne,f'))
    assert [(record.line, record.raw) for record in records] == [(1, b'a,"b'), (2, b"c,d"), (3, b"e,f")]
    assert [record.fields is None for record in records] == [True, False, False]


def test_record_may_be_as_long_as_the_cap_and_no_longer() -> None:
    data = b'a,"\n\n\n"\nb,c\n'
    assert [record.raw for record in read_records(data, max_record_bytes=8)] == [b'a,"\n\n\n"', b"b,c"]
    assert [record.raw for record in read_records(data, max_record_bytes=7)] == [b'a,"', b'"', b"b,c"]


def test_blank_lines_are_no_records_but_count_as_lines() -> None:
    records = list(read_records(b"a\n\n\r\nb\r\n\n\nc"))
    assert [(record.number, record.line, record.offset, record.raw) for record in records] == [
        (1, 1, 0, b"a"),
        (2, 4, 5, b"b"),
        (3, 7, 10, b"c"),
    ]

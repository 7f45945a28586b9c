"""The error file: the reasons, then each record as it came."""

import csv
import io

import pytest

from chalicelib.core.rejection import RecordError
from chalicelib.core.render import error_file_header, error_file_row, unescape_raw
from chalicelib.core.schema import Dialect

ERROR = RecordError("number", "type-error", "not an integer")


def row(raw: bytes, dialect: Dialect | None = None) -> bytes:
    return error_file_row(12, 3, [ERROR], raw, dialect or Dialect())


def test_the_header_is_the_files_own_after_the_error_columns() -> None:
    assert error_file_header(["a", "b,c"], Dialect()) == (
        b'_error_line,_error_record,_error_column,_error_code,_error_message,a,"b,c"\n'
    )


def test_a_record_stands_as_it_came() -> None:
    assert row(b'Ana, "x",7x') == b'12,3,number,type-error,not an integer,Ana, "x",7x\n'


def test_the_datasets_dialect_is_kept() -> None:
    assert row(b"a;'b;'", Dialect(";", "'")) == b"12;3;number;type-error;not an integer;a;'b;'\n"


def test_several_errors_share_the_cells() -> None:
    errors = [ERROR, RecordError(None, "row-error", 'a "quote", too')]
    assert error_file_row(1, 1, errors, b"x", Dialect()) == (
        b'1,1,number; ,type-error; row-error,"not an integer; a ""quote"", too",x\n'
    )


@pytest.mark.parametrize(
    ("raw", "cell"),
    [
        (b'"Ana,7', '_raw:"Ana,7'),
        (b'"Ana"x,7', '_raw:"Ana"x,7'),
        (b"Jos\xe9,7", "_raw:Jos\\xE9,7"),
        (b"a\0b\\", "_raw:a\\x00b\\\\"),
        (b"a\rb", "_raw:a\\rb"),
        (b"_raw:x", "_raw:_raw:x"),
        (b'"_raw:x"', '_raw:"_raw:x"'),
        ("né".encode() + b"\xff", "_raw:né\\xFF"),
    ],
)
def test_a_record_that_is_no_csv_is_one_escaped_cell(raw: bytes, cell: str) -> None:
    (cells,) = csv.reader(io.StringIO(row(raw).decode(), newline=""), strict=True)
    assert cells[5:] == [cell]
    assert unescape_raw(cell) == raw


@pytest.mark.parametrize("cell", ["a", "_raw:\\q", "_raw:\\", "_raw:\\x4", "_raw:\\xe9"])
def test_cells_that_nothing_escaped_are_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"escape"):
        unescape_raw(cell)

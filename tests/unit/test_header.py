"""The start of a file tells its layout, or why it cannot be loaded."""

import pytest

from chalicelib.core.header import Layout, json_layout, read_layout
from chalicelib.core.labels import resolve
from chalicelib.core.rows import MAX_HEADER_BYTES
from chalicelib.errors import FileRefused
from tests.unit.examples import COLUMNS, GOOD, dataset

HEADER = b"name,phone,number,joined\n"


def refusal(head: bytes, **changes: object) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read_layout(head, dataset(**changes), at_end=True)
    return caught.value


def test_data_start_after_the_header() -> None:
    assert read_layout(HEADER + GOOD, dataset(), at_end=False) == Layout(COLUMNS, len(HEADER), 2, ",")


def test_columns_keep_the_files_order() -> None:
    layout = read_layout(b"number,extra,phone,name\n", dataset(), at_end=True)
    assert layout == Layout(("number", "extra", "phone", "name"), 24, 2, ",")


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert read_layout(b'\xef\xbb\xbf"name",phone,number,joined\n', dataset(), at_end=True) == Layout(
        COLUMNS, 30, 2, ","
    )


def test_blank_lines_before_the_header_are_skipped() -> None:
    assert read_layout(b"\r\n\n" + HEADER, dataset(), at_end=True) == Layout(COLUMNS, 28, 4, ",")


def test_a_name_may_be_quoted_and_hold_a_newline() -> None:
    layout = read_layout(b'name,phone,number,"a ""b""\nc"\r\nx', dataset(), at_end=False)
    assert layout == Layout(("name", "phone", "number", 'a "b"\nc'), 31, 3, ",")


@pytest.mark.parametrize("head", [b"", b"nam", b"name,phone,number", b'name,phone,number,"open\n', b"\n\n\n\n"])
def test_more_bytes_are_asked_for_while_the_header_has_not_ended(head: bytes) -> None:
    assert read_layout(head, dataset(), at_end=False) is None


def test_a_header_alone_without_a_newline_is_a_layout() -> None:
    assert read_layout(HEADER[:-1], dataset(), at_end=True) == Layout(COLUMNS, len(HEADER) - 1, 1, ",")


def test_without_a_header_the_columns_are_the_datasets() -> None:
    headless = dataset(dialect={"header": False})
    assert read_layout(b"\xef\xbb\xbf" + GOOD, headless, at_end=True) == Layout(COLUMNS, 3, 1, ",")


@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf", b"\n\r\n\n", b"\r\n"])
def test_an_empty_file_is_refused(head: bytes) -> None:
    assert refusal(head).code == "empty-file"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_wide_encodings_are_refused_with_the_way_out(encoding: str) -> None:
    error = refusal((HEADER + GOOD).decode().encode(encoding))
    assert error.code == "encoding-error"
    assert "UTF-8" in error.message


@pytest.mark.parametrize("head", [b"name,phone\xe9,number\n", b"name,ph\0ne,number\n"])
def test_a_header_that_is_no_text_is_refused(head: bytes) -> None:
    assert refusal(head).code == "encoding-error"


def test_lines_that_end_with_a_carriage_return_alone_are_refused() -> None:
    assert refusal((HEADER + GOOD).replace(b"\n", b"\r")).code == "line-terminator"


def test_every_missing_column_is_named() -> None:
    error = refusal(b"name,joined\n")
    assert error.code == "missing-label"
    assert "phone, number" in error.message


def test_a_missing_optional_column_is_fine() -> None:
    assert read_layout(b"name,phone,number\n", dataset(), at_end=True) is not None


@pytest.mark.parametrize(("delimiter", "name"), [(b";", "a semicolon"), (b"\t", "a tab"), (b"|", "a vertical bar")])
def test_another_delimiter_is_told_from_missing_columns(delimiter: bytes, name: str) -> None:
    error = refusal(HEADER.replace(b",", delimiter), dialect={"delimiter": ","})
    assert error.code == "wrong-delimiter"
    assert name in error.message
    assert "a comma" in error.message


def test_a_record_in_the_headers_place_is_told_from_missing_columns() -> None:
    assert refusal(GOOD).code == "no-header"


def test_a_refusal_shows_no_value_of_a_record() -> None:
    assert "Ana" not in refusal(GOOD).message


@pytest.mark.parametrize("name", [b"", b'""', b"  "])
def test_a_column_without_a_name_is_refused(name: bytes) -> None:
    assert refusal(b"name,phone,number," + name + b"\n").code == "blank-label"


def test_a_name_twice_is_refused() -> None:
    assert refusal(b"name,phone,number,phone\n").code == "duplicate-label"


def test_extra_columns_are_refused_where_the_dataset_says_so() -> None:
    error = refusal(b"name,phone,number,colour\n", extra_columns="reject")
    assert error.code == "extra-label"
    assert "colour" in error.message


@pytest.mark.parametrize("head", [b'name,"phone\nnumber\n', b'name,"phone"x,number\n'])
def test_broken_quoting_is_refused(head: bytes) -> None:
    assert refusal(head).code == "header-error"


def test_a_header_without_end_is_refused_when_it_is_too_long() -> None:
    with pytest.raises(FileRefused, match="header-error"):
        read_layout(b"x" * (MAX_HEADER_BYTES + 1), dataset(), at_end=False)


def test_more_columns_than_a_table_can_have_are_refused() -> None:
    assert refusal(HEADER[:-1] + b"".join(b",c%d" % number for number in range(1500)) + b"\n").code == "header-error"


@pytest.mark.parametrize(
    ("rows", "head", "start", "line"),
    [
        ([2], b"Members of 2024\nname,phone,number,joined\nx", 41, 3),
        ([1, 2], b"\nname,phone,,joi\n,,number,ned\nx", 30, 4),
    ],
)
def test_header_rows_are_joined_and_others_skipped(rows: list[int], head: bytes, start: int, line: int) -> None:
    changed = dataset(dialect={"headerRows": rows, "headerJoin": ""})
    assert read_layout(head, changed, at_end=False) == Layout(COLUMNS, start, line, ",")


def test_header_rows_of_different_lengths_are_refused() -> None:
    assert refusal(b"a,b\nc\n", dialect={"headerRows": [1, 2]}).code == "header-error"


def test_fewer_rows_than_the_header_has_are_refused() -> None:
    assert refusal(HEADER, dialect={"headerRows": [1, 2]}).code == "no-header"


def test_comments_before_the_header_are_skipped() -> None:
    head = b'# "made by hand\n\n#\n' + HEADER
    assert read_layout(head, dataset(dialect={"commentChar": "#"}), at_end=True) == Layout(COLUMNS, len(head), 5, ",")


def test_labels_are_matched_exactly_unless_the_dataset_says_otherwise() -> None:
    head = b" Name,PHONE ,Number,joined\n"
    assert refusal(head).code == "missing-label"
    layout = read_layout(head, dataset(header_match="relaxed"), at_end=True)
    assert layout is not None
    assert layout.columns == (" Name", "PHONE ", "Number", "joined")
    assert resolve(layout.columns, dataset(header_match="relaxed")) == COLUMNS


@pytest.mark.parametrize(
    ("label", "match", "known"), [("Tel.", "exact", True), ("tel.", "exact", False), (" TEL.", "relaxed", True)]
)
def test_aliases_stand_for_their_field(label: str, match: str, known: bool) -> None:
    changed = dataset(header_match=match, aliases={"phone": ["Tel."]})
    assert (resolve((label,), changed) == ("phone",)) is known


def test_two_labels_of_one_field_are_refused_by_name() -> None:
    error = refusal(b"name,phone,Tel.,number\n", aliases={"phone": ["Tel."]})
    assert error.code == "duplicate-label"
    assert "phone, Tel." in error.message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_detected_where_none_is_declared(delimiter: str) -> None:
    head = HEADER.replace(b",", delimiter.encode())
    assert read_layout(head, dataset(), at_end=True) == Layout(COLUMNS, len(head), 2, delimiter)
    tricky = f'"name"{delimiter}phone{delimiter}"number, or; so|\t"{delimiter}number\n'.encode()
    layout = read_layout(tricky, dataset(), at_end=True)
    assert layout is not None
    assert (layout.delimiter, len(layout.columns)) == (delimiter, 4)


def test_without_a_header_the_delimiter_is_the_one_that_gives_every_field() -> None:
    headless = dataset(dialect={"header": False})
    layout = read_layout(GOOD.replace(b",", b";") * 2, headless, at_end=False)
    assert layout == Layout(COLUMNS, 0, 1, ";")
    assert read_layout(b"Ana;0123", headless, at_end=False) is None


def test_a_declared_delimiter_is_not_detected() -> None:
    layout = read_layout(HEADER, dataset(dialect={"delimiter": ","}), at_end=True)
    assert layout is not None
    assert layout.delimiter is None


def test_json_lines_have_the_datasets_columns_and_begin_after_a_mark() -> None:
    for data, start in ((b'{"name": 1}\n', 0), (b'\xef\xbb\xbf{"name": 1}\n', 3)):
        layout = json_layout(data, dataset(), at_end=False)
        assert layout is not None
        assert (layout.columns, layout.data_start, layout.first_line) == (COLUMNS, start, 1)
    assert json_layout(b"{}", dataset(), at_end=False) is None


@pytest.mark.parametrize(("data", "code"), [(b"", "empty-file"), ("{}\n".encode("utf-16-le") * 9, "encoding-error")])
def test_json_lines_that_are_empty_or_of_another_encoding_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as caught:
        json_layout(data, dataset(), at_end=True)
    assert caught.value.code == code

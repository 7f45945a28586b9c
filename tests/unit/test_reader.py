"""What becomes of each kind of record, good or bad."""

import pytest

from chalicelib.core.cut import Cut
from chalicelib.core.dataset import parse_dataset
from chalicelib.core.parsed import Position
from chalicelib.core.reader import Reader, compile_reader
from chalicelib.core.rejection import RecordError
from tests.unit.examples import COLUMNS, GOOD, dataset, field_dataset, read


def only_error(data: bytes, max_record_bytes: int = 10_000) -> tuple[str | None, str, str]:
    """What is wrong with the one bad record between two good ones."""
    parsed = read(GOOD + data + GOOD, max_record_bytes)
    assert parsed.records == 3
    assert len(parsed.slow) + parsed.fast_rows == 2
    (rejection,) = parsed.rejections
    assert (rejection.record, rejection.line, rejection.offset) == (2, 3, 100 + len(GOOD))
    assert rejection.length == len(data)
    assert data.startswith(rejection.raw)
    (error,) = rejection.errors
    return error


def test_good_records_go_to_copy_as_they_came() -> None:
    parsed = read(GOOD * 3)
    assert (parsed.fast, parsed.fast_rows, parsed.slow, list(parsed.rejections)) == (GOOD * 3, 3, [], [])


def test_quoted_records_go_to_copy_as_they_came() -> None:
    quoted = b'"Ana ""A"", Jr","0123456789","7","2024-02-28"\n'
    assert read(quoted * 3).fast == quoted * 3


def test_line_ends_are_made_one_kind() -> None:
    assert read(GOOD.replace(b"\n", b"\r\n") + GOOD).fast == GOOD * 2


def test_a_record_that_the_fast_path_leaves_is_read_exactly() -> None:
    parsed = read(b'"Ana\nB",0123456789,007,\n' + GOOD)
    assert parsed.slow == [("Ana\nB", "0123456789", "7", None)]
    assert parsed.where(0) == Position(2, 4, 124)
    assert parsed.where(1) == Position(1, 2, 100)


def test_the_last_record_may_lack_its_newline() -> None:
    assert read(GOOD + GOOD[:-1]).records == 2
    assert read(GOOD[:-1] + b"\r").slow == [("Ana", "0123456789", "7", "2024-01-31")]


def test_blank_lines_are_no_records_but_count_as_lines() -> None:
    parsed = read(b"\n\r\n" + GOOD + b"\n" + GOOD + b"\r")
    assert parsed.records == 2
    assert parsed.where(1) == Position(2, 6, 100 + 3 + len(GOOD) + 1)


@pytest.mark.parametrize(
    ("record", "column", "code", "message"),
    [
        (b"Ana,0123456789,x,\n", "number", "type-error", "not an integer"),
        (b"Ana,0123456789,7.5,\n", "number", "type-error", "not an integer"),
        (b"Ana,0123456789,99999999999999999999,\n", "number", "type-error", "outside the range of a 64-bit integer"),
        (b"Ana,0123456789,7,2023-02-29\n", "joined", "type-error", "not a date (YYYY-MM-DD)"),
        (b"Ana,01234-6789,7,\n", "phone", "constraint-error", "does not match the pattern [0-9]{10}"),
        (b"Ana,0123456789,,\n", "number", "constraint-error", "required, but empty"),
        (b'"",0123456789,7,\n', "name", "constraint-error", "required, but empty"),
        (b"%s,0123456789,7,\n" % (b"x" * 81), "name", "constraint-error", "longer than 80 characters (maxLength)"),
        (b"Ana,0123456789,7\n", None, "missing-cell", "4 fields expected, 3 found"),
        (b"Ana,0123456789,7,,\n", None, "extra-cell", "4 fields expected, 5 found"),
        (b"Jos\xe9,0123456789,7,\n", None, "encoding-error", "not valid UTF-8"),
        (b"\xe9na,0123456789,7,\n", None, "encoding-error", "not valid UTF-8"),
        (b"A\0na,0123456789,7,\n", None, "encoding-error", "holds a NUL byte, which no text has"),
        (b'"Ana"B,0123456789,7,\n', None, "row-error", "text follows the closing quote of a field"),
    ],
)
def test_a_bad_record_is_rejected_alone(record: bytes, column: str | None, code: str, message: str) -> None:
    assert only_error(record) == (column, code, message)


def test_lines_that_begin_with_a_byte_that_is_no_text_are_rejected() -> None:
    parsed = read(b"\xe9na,0123456789,7,\n" * 2 + GOOD)
    assert [rejection.line for rejection in parsed.rejections] == [2, 3]
    assert parsed.fast == GOOD


@pytest.mark.parametrize("record", [b"A\rna,0123456789,7,\n", b"Ana,0123456789,7,\r\r\n", b"\r\r\n"])
def test_a_carriage_return_of_its_own_is_rejected(record: bytes) -> None:
    assert only_error(record)[1:2] == ("row-error",)


def test_a_quote_that_never_closes_rejects_one_line() -> None:
    error = only_error(b'"Ana,0123456789,7,\n', max_record_bytes=1000)
    assert error[1] == "row-error"
    assert "not closed" in error[2]


def test_a_quote_that_closes_too_late_rejects_one_line() -> None:
    parsed = read(b'"Ana,0123456789,7,\n' + GOOD * 10 + b'Ana,0123456789,"7",\n', max_record_bytes=200)
    assert [rejection.line for rejection in parsed.rejections] == [2]
    assert parsed.records == 12


def test_a_quote_within_a_field_is_a_character() -> None:
    assert read(b'5" pipe,0123456789,7,\n').slow == [('5" pipe', "0123456789", "7", None)]


def test_quotes_within_fields_do_not_join_records() -> None:
    parsed = read(b'5" pipe,0123456789,1,\nfoo,0123456789,2,\n6" pipe,0123456789,3,\n')
    assert parsed.records == 3
    assert parsed.rejections == []


def test_a_record_longer_than_the_limit_is_named_not_kept() -> None:
    record = b"x" * 300 + b",0123456789,7,\n"
    parsed = read(GOOD + record + GOOD, max_record_bytes=200)
    (rejection,) = parsed.rejections
    assert rejection.raw == b""
    assert rejection.length == len(record)
    assert f"bytes {100 + len(GOOD)} to {100 + len(GOOD) + len(record) - 1} of the file" in rejection.errors[0].message


def test_a_line_that_nobody_fetched_is_rejected_like_one_that_was() -> None:
    record = b"x" * 300 + b",0123456789,7,\n"
    reader = Reader(dataset(), COLUMNS, 200)
    fetched = reader.read(record, offset=50, first_line=9)
    unfetched = reader.oversize(Cut(50, 50 + len(record), 9, oversize=True))
    assert (unfetched.records, unfetched.rejections) == (fetched.records, fetched.rejections)


def test_all_errors_of_a_record_are_told() -> None:
    parsed = read(b",x,y,z\n")
    assert [error.column for error in parsed.rejections[0].errors] == ["name", "phone", "number", "joined"]


def test_no_message_holds_a_value() -> None:
    parsed = read(b"SECRET" * 5 + b",SECRET,SECRET,SECRET\nSECRET\nSECRET\xff\n")
    assert len(parsed.rejections) == 3
    assert all("SECRET" not in error.message for rejection in parsed.rejections for error in rejection.errors)


def test_an_end_of_data_mark_of_copy_is_a_value_like_others() -> None:
    reader = Reader(field_dataset("string"), ("value",), 1000)
    parsed = reader.read(b"a\n\\.\nb\n", offset=0, first_line=2)
    assert (parsed.fast, parsed.slow) == (b"a\nb\n", [("\\.",)])


def test_columns_that_are_not_declared_are_left_out_of_slow_rows() -> None:
    columns = ("number", "colour", "phone", "name")
    reader = Reader(dataset(), columns, 10_000)
    parsed = reader.read(b'7,red,0123456789,Ana\n8,,0123456789,"B\nC"\n', offset=0, first_line=2)
    assert reader.fast_columns == ("number", None, "phone", "name")
    assert reader.slow_columns == ("number", "phone", "name")
    assert (parsed.fast, parsed.slow) == (b"7,red,0123456789,Ana\n", [("8", "0123456789", "B\nC")])


def test_an_accepted_row_can_be_rejected_afterwards() -> None:
    parsed = read(GOOD + b"bad\n" + GOOD + b"\r\n" + GOOD.replace(b"\n", b"\r\n"))
    error = RecordError("number", "unique-error", "the same number as another record")
    rejection = parsed.reject(2, [error])
    assert (rejection.record, rejection.line, rejection.raw, rejection.errors) == (4, 6, GOOD[:-1], (error,))
    assert rejection.offset == 100 + 2 * len(GOOD) + 6
    assert rejection.length == len(GOOD) + 1


def test_keys_are_equal_where_postgresql_says_so() -> None:
    parsed = read(b'Ana,0123456789,7,\nBea,0123456789,007,\n"C\nd",0123456789,+7,\n')
    assert list(parsed.keys(("number",))) == [7, 7, 7]


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("number", "1.50", "15e-1"),
        ("number", "NaN", "NaN"),
        ("boolean", "1", "TRUE"),
        ("datetime", "2024-01-31T12:00:00", "2024-01-31T14:00:00.0+02:00"),
        ("time", "12:00:00", "12:00:00.000"),
    ],
)
def test_keys_of_a_type_are_values_not_spellings(kind: str, one: str, other: str) -> None:
    reader = Reader(field_dataset(kind), ("key", "value"), 10_000)
    parsed = reader.read(f'a,{one}\na,"{other}"\n'.encode(), offset=0, first_line=2)
    first, second = parsed.keys(("value",))
    assert first == second


def test_a_key_of_several_columns_is_null_where_a_part_is() -> None:
    parsed = read(b"Ana,0123456789,7,2024-02-28\nBea,0123456789,8,\n")
    assert parsed.keys(("number", "joined")) == [(7, "2024-02-28"), None]


def test_a_key_that_the_file_does_not_have_is_null() -> None:
    parsed = Reader(dataset(), COLUMNS[:3], 10_000).read(b"Ana,0123456789,7\n", offset=0, first_line=2)
    assert parsed.keys(("joined",)) == [None]


def test_a_reader_is_compiled_once() -> None:
    assert compile_reader(dataset(), COLUMNS, 1000) is compile_reader(dataset(), COLUMNS, 1000)


def test_droves_of_bad_records_of_every_kind_are_rejected_one_by_one() -> None:
    parsed = read(b"Ana,012345678,7,\nAna,0123456789,x,\nshort\n" * 100)
    assert [rejection.line for rejection in parsed.rejections] == list(range(2, 302))
    assert {len(rejection.raw) for rejection in parsed.rejections} == {16, 17, 5}


def test_an_empty_text_is_a_key_where_it_is_not_a_missing_value() -> None:
    texts = {"name": "t", "schema": {"missingValues": ["NA"], "fields": [{"name": "f", "type": "string"}]}}
    parsed = Reader(parse_dataset(texts), ["f"], 10_000).read(b'""\n"NA"\nx\n', offset=0, first_line=1)
    assert parsed.keys(("f",)) == ["x", "", None]


def test_keys_are_read_past_quotes_within_quotes() -> None:
    for count in range(1, 40):
        parsed = read(b'"A ""na","0123456789","7",\n' * count)
        assert parsed.fast_rows == count
        assert list(parsed.keys(("number",))) == [7] * count


def test_nothing_is_nothing() -> None:
    parsed = read(b"")
    assert (parsed.records, parsed.fast, list(parsed.rejections), list(parsed.keys(("number",)))) == (0, b"", [], [])


def test_many_lines_within_one_quote_that_stays_open_take_linear_time() -> None:
    lines = 200_000  # looking for the end of each of these records anew would take hours
    parsed = read(b'b","c\n' * lines, max_record_bytes=1 << 20)
    assert len(parsed.rejections) == parsed.records


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "a"),
        ("any", "a"),
        ("integer", "1"),
        ("number", "1.5"),
        ("boolean", "true"),
        ("date", "2024-01-31"),
        ("datetime", "2024-01-31T10:00:00Z"),
        ("time", "10:00:00"),
        ("year", "2024"),
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_records_of_many_columns_that_lack_one_take_linear_time(kind: str, value: str, quote: str) -> None:
    columns = tuple(f"c{number}" for number in range(200))  # trying each column in two ways would never end
    fields = [{"name": name, "type": kind} for name in columns]
    reader = Reader(parse_dataset({"name": "wide", "schema": {"fields": fields}}), columns, 1 << 20)
    good = ",".join([quote + value + quote] * len(columns)) + "\n"
    short = good.replace(",", "", 1)
    parsed = reader.read((good + short + good).encode(), offset=0, first_line=1)
    assert (parsed.records, [rejection.record for rejection in parsed.rejections]) == (3, [2])

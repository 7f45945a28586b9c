"""The smaller parts: numbers, patterns, encodings, duplicates, the error file."""

import csv
import io
import re

from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.core.digits import between
from chalicelib.core.duplicates import Key, contested, find_duplicates
from chalicelib.core.patterns import embed
from chalicelib.core.rejection import RecordError
from chalicelib.core.render import ERROR_COLUMNS, error_file_header, error_file_row, escape_raw, unescape_raw
from chalicelib.core.schema import Dialect
from chalicelib.core.utf8 import invalid_positions
from tests.property.strategies import DIALECTS, csv_form, soups

NUMBERS = st.integers(0, 12_000) | st.integers(0, 2**63)


@given(NUMBERS, NUMBERS, st.lists(NUMBERS, min_size=1))
def test_an_expression_for_a_range_matches_its_numbers_only(one: int, other: int, tried: list[int]) -> None:
    low, high = sorted((one, other))
    matches = re.compile(b"(?:" + b"|".join(between(low, high)) + b")").fullmatch
    for number in [low - 1, low, low + 1, high - 1, high, high + 1, 10 * low, *tried]:
        assert number < 0 or bool(matches(b"%d" % number)) == (low <= number <= high)


@given(st.integers(0, 99), st.integers(0, 99))
def test_an_expression_for_padded_numbers_matches_all_of_them(low: int, high: int) -> None:
    expression = b"(?:" + b"|".join(between(low, high, width=2)) + b")"
    matched = [number for number in range(100) if re.fullmatch(expression, b"%02d" % number)]
    assert matched == list(range(low, high + 1)) or low > high


PIECES = [*"ab7()|*+?.^$,", "[a-c]", "[^a]", "\\d", "\\w", "\\.", "(?:", "{2}", "{1,3}"]


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.lists(st.text("abc7.,\n\u0661", max_size=8), max_size=8))
def test_an_embedded_pattern_matches_what_the_pattern_matches(pieces: list[str], texts: list[str]) -> None:
    pattern = "".join(pieces)
    try:
        exact = re.compile(pattern)
    except re.error:
        assume(False)
    embedded = embed(pattern, b',"\n')
    assume(embedded is not None)
    assert embedded is not None
    fast = re.compile(embedded.expression)
    for text in texts:
        if fast.fullmatch(text.encode()):
            assert exact.fullmatch(text)
            assert embedded.shortest <= len(text) <= (embedded.longest if embedded.longest is not None else len(text))
            assert "," not in text
            assert text.isascii()


@given(st.lists(st.binary(max_size=4) | st.text(max_size=4).map(str.encode)).map(b"".join))
def test_every_place_that_is_not_utf8_is_found(data: bytes) -> None:
    expected = []
    position = 0
    while position < len(data):
        try:
            data[position:].decode()
            break
        except UnicodeDecodeError as error:
            expected.append(position + error.start)
            position += error.end
    assert invalid_positions(data) == expected


KEYS = st.lists(st.tuples(st.none() | st.integers(0, 5), st.none() | st.integers(0, 5)), max_size=12)


@given(KEYS, st.sets(st.integers(0, 11)))
def test_duplicates_are_those_of_loading_rows_one_by_one(
    rows: list[tuple[int | None, int | None]], excluded: set[int]
) -> None:
    keys: dict[Key, list[int | None]] = {("a",): [row[0] for row in rows], ("b",): [row[1] for row in rows]}
    order = sorted(range(len(rows)), key=lambda row: row * 7 % 11)
    table: dict[tuple[int, int], int] = {}
    expected: dict[int, dict[Key, int]] = {}
    for row in order:
        if row in excluded:
            continue
        claims = [(index, value) for index, value in enumerate(rows[row]) if value is not None]
        lost = [claim for claim in claims if claim in table]
        if lost:
            expected[row] = {(("a", "b")[index],): table[index, value] for index, value in lost}
        else:
            table.update(dict.fromkeys(claims, row))
    by_row = {key: dict(enumerate(values)) for key, values in keys.items()}
    assert find_duplicates(by_row, order.index, excluded=excluded) == expected
    shared = {
        row
        for values in keys.values()
        for row, value in enumerate(values)
        if value is not None and values.count(value) > 1
    }
    assert contested(keys) == shared


@given(st.binary())
def test_any_bytes_survive_being_escaped(raw: bytes) -> None:
    cell = escape_raw(raw)
    assert unescape_raw(cell) == raw
    assert not {"\n", "\r", "\0"}.intersection(cell)
    assert cell.encode()


MESSAGES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)


@given(st.data(), DIALECTS, st.lists(st.tuples(st.none() | st.just("f0"), MESSAGES), min_size=1, max_size=3))
def test_an_error_file_parses_and_gives_every_record_back(
    data: st.DataObject, dialect: Dialect, causes: list[tuple[str | None, str]]
) -> None:
    raw = data.draw(st.binary(max_size=12) | soups(dialect).map(lambda soup: soup[:20]) | st.just(b'_raw:"'))
    raw = raw.rstrip(b"\r\n")
    assume(raw)
    errors = [RecordError(column, "row-error", message) for column, message in causes]
    content = error_file_header(("f0", "f 1"), dialect) + error_file_row(12, 3, errors, raw, dialect)
    reader = csv.reader(io.StringIO(content.decode(), newline=""), strict=True, **csv_form(dialect))
    header, row = list(reader)
    assert header == [*ERROR_COLUMNS, "f0", "f 1"]
    assert row[:2] == ["12", "3"]
    message = "; ".join(message for _, message in causes)
    if not dialect.double_quote and not dialect.escape:
        message = message.replace(dialect.quote_char, "'") if row[4] != message else message
    assert row[4] == message
    cells = row[len(ERROR_COLUMNS) :]
    if cells[0].startswith("_raw:"):
        assert unescape_raw(cells[0]) == raw
    else:
        text = io.StringIO(raw.decode(), newline="")
        assert cells == next(csv.reader(text, strict=True, **csv_form(dialect)))

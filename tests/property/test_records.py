"""Where records end, for any bytes."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.records import RecordEnds, grammar_of, strip_line_end
from chalicelib.core.schema import Dialect
from tests.property.reference import records_of
from tests.property.strategies import DIALECTS, csv_form, soups, written


def found(data: bytes, dialect: Dialect, max_record_bytes: int) -> list[tuple[int, int, bool]]:
    ends, start, records = RecordEnds(grammar_of(dialect), data, max_record_bytes), 0, []
    while start < len(data):
        end, whole = ends.after(start)
        records.append((start, end, whole))
        start = end
    return records


@given(st.data(), DIALECTS, st.sampled_from([4, 9, 20, 1000]))
def test_records_end_where_a_plain_state_machine_says(data: st.DataObject, dialect: Dialect, limit: int) -> None:
    soup = data.draw(soups(dialect))
    assert found(soup, dialect, limit) == records_of(soup, dialect, limit)


@given(st.data(), DIALECTS, st.sampled_from([4, 9, 20, 1000]))
def test_a_run_ends_where_some_record_ends(data: st.DataObject, dialect: Dialect, limit: int) -> None:
    soup = data.draw(soups(dialect))
    boundaries = {record.end for record in records_of(soup, dialect, limit) if record.whole}
    ends = RecordEnds(grammar_of(dialect), soup, limit)
    for record in records_of(soup, dialect, limit):
        stop = data.draw(st.integers(record.start, len(soup)))
        run = ends.run(record.start, stop)
        assert run == record.start or run in boundaries
        assert run <= stop or run == record.start


@given(st.data(), DIALECTS, st.sampled_from([9, 1000]))
def test_data_cut_at_a_records_end_give_the_same_records(data: st.DataObject, dialect: Dialect, limit: int) -> None:
    soup = data.draw(soups(dialect))
    records = found(soup, dialect, limit)
    for start, _, _ in records:
        after = [(s + start, e + start, whole) for s, e, whole in found(soup[start:], dialect, limit)]
        assert found(soup[:start], dialect, limit) + after == records


@given(st.data(), DIALECTS)
def test_fields_come_out_as_the_csv_module_wrote_them(data: st.DataObject, dialect: Dialect) -> None:
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
    if not dialect.double_quote and not dialect.escape:
        text = text.map(lambda value: value.replace(dialect.quote_char, "'"))
    rows = data.draw(st.lists(st.lists(text, min_size=2, max_size=4), max_size=5))
    raw = "".join(written(row, dialect, quote_all=True) + "\r\n" for row in rows).encode()
    read = [strip_line_end(raw, start, end).decode() for start, end, _ in found(raw, dialect, 1000)]
    assert [grammar_of(dialect).split(record) for record in read] == rows


@given(st.data(), DIALECTS)
def test_fields_are_those_that_the_csv_module_reads(data: st.DataObject, dialect: Dialect) -> None:
    soup = data.draw(soups(dialect))
    for start, end, whole in found(soup, dialect, 1000):
        record = strip_line_end(soup, start, end)
        fields = grammar_of(dialect).split(record.decode()) if whole else None
        if fields is not None and not grammar_of(dialect).is_no_record(record):
            assert fields == next(
                csv.reader(io.StringIO(record.decode(), newline=""), strict=True, **csv_form(dialect))
            )


@given(st.data(), DIALECTS, st.sampled_from([4, 9, 20, 1000]))
@settings(max_examples=1000)
def test_where_quotes_tell_that_a_record_ends_one_does(data: st.DataObject, dialect: Dialect, limit: int) -> None:
    soup = data.draw(soups(dialect))
    boundaries = {record.end for record in records_of(soup, dialect, limit)}
    ends = RecordEnds(grammar_of(dialect), soup, limit)
    for reach in range(len(soup) + 1):
        told = ends.near(reach)
        assert told == 0 or told in boundaries
        assert told <= reach


def test_quotes_tell_where_a_record_ends_close_by() -> None:
    soup = b'"a","b"\n"c, d","e\nf"\n' * 100
    ends = RecordEnds(grammar_of(Dialect()), soup, 1000)
    assert {reach - ends.near(reach) for reach in range(1000, 2000)} <= set(range(70))

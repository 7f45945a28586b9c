"""Reading a batch: the fast path never decides otherwise than the exact rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.keys import POSTGRES_TRUE
from chalicelib.core.parsed import Parsed
from chalicelib.core.reader import Reader
from chalicelib.core.schema import Dataset, FieldType
from chalicelib.core.values import compile_check
from tests.property.reference import copy_csv, is_no_record, records_of
from tests.property.strategies import datasets, files

LIMITS = st.sampled_from([60, 600, 2_000, 20_000])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Dataset, tuple[str, ...], bytes]:
    """A dataset, a header (its columns in any order, some left out, others thrown in) and data."""
    dataset = draw(datasets())
    names = [field.name for field in dataset.fields]
    chosen = draw(st.permutations(names))[: draw(st.integers(1, len(names)))]
    columns = (*chosen, *["extra"][: draw(st.integers(0, 1))])
    return dataset, columns, draw(files(dataset, columns))


def loaded(parsed: Parsed, dataset: Dataset, reader: Reader) -> dict[int, tuple[str | None, ...]]:
    """What each accepted record comes to in the database, as the exact rules spell it."""
    rows = {parsed.where(parsed.fast_rows + index).record: values for index, values in enumerate(parsed.slow)}
    for index, values in enumerate(copy_csv(parsed.fast, dataset.dialect)):
        cells = [
            None if value is None else as_postgres_reads(value, dataset, name)
            for name, value in zip(reader.fast_columns, values, strict=True)
            if name is not None
        ]
        rows[parsed.where(index).record] = tuple(cells)
    return rows


def as_postgres_reads(value: str, dataset: Dataset, name: str) -> str | None:
    field = dataset.field(name)
    if field.type is FieldType.BOOLEAN:
        assert value.lower() in {*POSTGRES_TRUE, "f", "false", "n", "no", "off", "0"}
        return "true" if value.lower() in POSTGRES_TRUE else "false"
    return compile_check(field)(value, [])


BAD = (
    *[b"1,1,1,1,1,1,1,1,1,1,1,1\n"] * 8,
    *(b"\xff\n", b"\xff,\xe9\r\n", b"\xff\rx\n", b'\xff"x\n', b'"\xff\n', b"#\xff\n", b"\xff\0\n"),
    *(b"\n", b"x" * 700 + b"\n", b"\xff" * 700 + b"\n"),
)
"""Lines that are bad in nearly every file."""


@given(cases(), LIMITS, st.sampled_from([1, 1, 2, 12]))
def test_the_fast_path_comes_to_what_the_exact_rules_come_to(
    case: tuple[Dataset, tuple[str, ...], bytes], limit: int, times: int
) -> None:
    dataset, columns, content = case
    read_either_way(dataset, columns, content * times, limit)


@given(cases(), LIMITS, st.lists(st.sampled_from(BAD), min_size=1, max_size=20), st.integers(0, 3))
def test_where_most_records_are_bad_it_comes_to_the_same(
    case: tuple[Dataset, tuple[str, ...], bytes], limit: int, bad: list[bytes], at: int
) -> None:
    dataset, columns, content = case
    lines = content.splitlines(keepends=True)
    # First of all so many bad ones that no run is looked for any more.
    read_either_way(dataset, columns, BAD[0] * 400 + b"".join([*lines[:at], *bad, *lines[at:]]) * 3, limit)


def read_either_way(dataset: Dataset, columns: tuple[str, ...], content: bytes, limit: int) -> None:
    reader, exact_reader = (Reader(dataset, columns, limit, fast_path=fast) for fast in (True, False))
    parsed, exact = (r.read(content, offset=1000, first_line=7) for r in (reader, exact_reader))
    assert parsed.rejections == exact.rejections
    assert parsed.records == exact.records == parsed.fast_rows + len(parsed.slow) + len(parsed.rejections)
    assert loaded(parsed, dataset, reader) == loaded(exact, dataset, exact_reader)


@given(cases(), LIMITS)
def test_every_record_is_found_again_in_the_file(case: tuple[Dataset, tuple[str, ...], bytes], limit: int) -> None:
    dataset, columns, content = case
    parsed = Reader(dataset, columns, limit).read(content, offset=1000, first_line=7)
    stretches = records_of(content, dataset.dialect, limit)
    records = [record for record in stretches if not is_no_record(content, record, dataset.dialect)]
    accepted = range(parsed.fast_rows + len(parsed.slow))
    rejections = [*parsed.rejections, *(parsed.reject(row, ()) for row in accepted)]
    assert sorted((r.record, r.offset - 1000, r.length) for r in rejections) == [
        (number, record.start, record.end - record.start) for number, record in enumerate(records, 1)
    ]
    for rejection in rejections:
        start = rejection.offset - 1000
        assert rejection.line == 7 + content.count(b"\n", 0, start)
        assert content[start : start + rejection.length].startswith(rejection.raw)
        assert rejection.raw or rejection.length > limit


@given(cases(), LIMITS)
def test_rows_are_found_by_their_records_and_fast_lines_tell_theirs(
    case: tuple[Dataset, tuple[str, ...], bytes], limit: int
) -> None:
    dataset, columns, content = case
    parsed = Reader(dataset, columns, limit).read(content, offset=0, first_line=1)
    records = [parsed.where(row).record for row in range(parsed.accepted)]
    assert [parsed.row_of(record) for record in records] == list(range(parsed.accepted))
    for record in set(range(parsed.records + 2)).difference(records):
        with pytest.raises(LookupError):
            parsed.row_of(record)
    assert [record for run in parsed.fast_runs() for record in run] == records[: parsed.fast_rows]
    assert [line for page in parsed.all_fast_lines() for line in page] == parsed.fast_lines(range(parsed.fast_rows))


@given(cases(), LIMITS)
def test_keys_are_the_same_however_a_row_was_read(case: tuple[Dataset, tuple[str, ...], bytes], limit: int) -> None:
    dataset, columns, content = case
    parsed, exact = (
        Reader(dataset, columns, limit, fast_path=fast).read(content, offset=0, first_line=1) for fast in (True, False)
    )
    for key in [(columns[0],), columns[:2], ("f0", "f1")]:
        rows = {parsed.where(row).record: value for row, value in enumerate(parsed.keys(key))}
        assert rows == {exact.where(row).record: value for row, value in enumerate(exact.keys(key))}
        some = range(0, len(rows), 2)
        assert parsed.keys_of(key, some) == {row: value for row, value in enumerate(parsed.keys(key)) if row in some}

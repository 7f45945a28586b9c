"""The correction round trip: what came back in an error file is judged as it was in its own file."""

import csv
import io
from collections.abc import Sequence

from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.core.correcting import CorrectionReader
from chalicelib.core.corrections import ErrorCells
from chalicelib.core.header import Layout, read_layout
from chalicelib.core.parsed import Parsed
from chalicelib.core.reader import Reader
from chalicelib.core.rejection import RecordError, Rejection
from chalicelib.core.render import ERROR_COLUMNS, error_file_header, error_file_row
from chalicelib.core.schema import Dataset, Dialect
from tests.property.strategies import DIALECTS, csv_form, datasets, files, soups, written

LIMITS = st.sampled_from([60, 600, 20_000])
Case = tuple[Dataset, tuple[str, ...], bytes]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A dataset, a header (its columns in any order, some left out, others thrown in) and data."""
    dataset = draw(datasets())
    names = [field.name for field in dataset.fields]
    chosen = draw(st.permutations(names))[: draw(st.integers(1, len(names)))]
    columns = (*chosen, *["extra"][: draw(st.integers(0, 1))])
    return dataset, columns, draw(files(dataset, columns))


def error_file(rejections: Sequence[Rejection], columns: Sequence[str], dialect: Dialect) -> bytes:
    rows = (error_file_row(r.line, r.record, r.errors, r.raw, dialect) for r in rejections)
    return error_file_header(columns, dialect) + b"".join(rows)


def read_again(content: bytes, dataset: Dataset, columns: Sequence[str], limit: int) -> Parsed:
    """What the reader of correction files makes of an error file."""
    header = error_file_header(columns, dataset.dialect)
    assert content.startswith(header)
    reader = CorrectionReader(dataset, (*ERROR_COLUMNS, *columns), limit)
    return reader.read(content[len(header) :], offset=len(header), first_line=2)


def reasons(rejections: Sequence[Rejection]) -> list[tuple[bytes, list[str], object]]:
    """Bytes, codes, and all that is said; but for a record that was not kept, of which the byte range is said."""
    return [(r.raw, [error.code for error in r.errors], r.errors if r.raw else None) for r in rejections]


@given(cases(), LIMITS)
def test_an_error_file_dropped_unmended_rejects_the_same_records_for_the_same_reasons(case: Case, limit: int) -> None:
    dataset, columns, data = case
    rejections = Reader(dataset, columns, limit).read(data, offset=0, first_line=2).rejections
    content = error_file(rejections, columns, dataset.dialect)
    again = read_again(content, dataset, columns, limit)
    assert reasons(again.rejections) == reasons(rejections)
    assert [r.corrects for r in again.rejections] == [r.line for r in rejections]
    assert again.records == len(rejections)
    assert (again.slow, again.fast) == ([], b"")
    # And the error file of the error file is the same but for the places.
    twice = read_again(error_file(again.rejections, columns, dataset.dialect), dataset, columns, limit)
    assert reasons(twice.rejections) == reasons(rejections)


@given(cases(), LIMITS)
def test_records_are_judged_behind_error_cells_as_they_are_alone(case: Case, limit: int) -> None:
    dataset, columns, data = case
    alone = Reader(dataset, columns, limit, fast_path=False).read(data, offset=0, first_line=2)
    good = [alone.reject(row, [RecordError(None, "any-error", "of no matter")]) for row in range(len(alone.slow))]
    everything = sorted([*alone.rejections, *good])
    again = read_again(error_file(everything, columns, dataset.dialect), dataset, columns, limit)
    assert again.slow == alone.slow
    assert reasons(again.rejections) == reasons(alone.rejections)
    corrected = [again.reject(row, ()) for row in range(len(again.slow))]
    assert [(r.raw, r.corrects) for r in corrected] == [(r.raw, r.line) for r in good]


@given(cases())
def test_rewritten_by_another_program_it_says_the_same(case: Case) -> None:
    dataset, columns, data = case
    dialect, limit = dataset.dialect, 20_000
    assume(dialect.double_quote or dialect.escape)  # what another program writes without either is anyone's guess
    alone = Reader(dataset, columns, limit, fast_path=False).read(data, offset=0, first_line=2)
    good = [alone.reject(row, [RecordError(None, "any-error", "of no matter")]) for row in range(len(alone.slow))]
    content = error_file(sorted([*alone.rejections, *good]), columns, dialect).decode()
    rows = list(csv.reader(io.StringIO(content, newline=""), strict=True, **csv_form(dialect)))
    width = max(map(len, rows))
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n", **csv_form(dialect))
    # A spreadsheet fills up the rows of escaped records with empty cells.
    writer.writerows(row + [""] * (width - len(row)) if row[5].startswith("_raw:") else row for row in rows)
    header, *_ = out.getvalue().partition("\r\n")
    reader = CorrectionReader(dataset, rows[0], limit)
    again = reader.read(out.getvalue()[len(header) + 2 :].encode(), offset=0, first_line=2)
    assert again.slow == alone.slow
    assert [r.errors for r in again.rejections if r.raw] == [r.errors for r in alone.rejections if r.raw]


@given(st.data(), DIALECTS, st.permutations([*ERROR_COLUMNS, "f0", "f1"]))
def test_the_cells_of_any_other_order_are_told_apart(data: st.DataObject, dialect: Dialect, labels: list[str]) -> None:
    quote, delimiter = dialect.quote_char.encode(), dialect.delimiter.encode()
    cells = [quote + str(index).encode() + delimiter + quote for index in range(len(labels))]
    record = delimiter.join(cells)
    own = ErrorCells(labels, dialect).cut(record).own
    assert own == delimiter.join(cell for label, cell in zip(labels, cells, strict=True) if label in ("f0", "f1"))
    soup = data.draw(soups(dialect))
    place = ErrorCells((*ERROR_COLUMNS, "f0"), dialect).cut(b"12" + delimiter * 5 + soup)
    assert (place.line, place.own) == (12, soup)


@given(datasets(), st.data())
def test_a_correction_file_is_known_by_its_labels(dataset: Dataset, data: st.DataObject) -> None:
    names = [field.name for field in dataset.fields]
    labels = data.draw(st.permutations([*ERROR_COLUMNS, *names]))
    content = written(labels, dataset.dialect).encode() + b"\r\n"
    own = tuple(label for label in labels if label in names)
    assert read_layout(content, dataset, at_end=True) == Layout(own, len(content), 2, None, tuple(labels))
    plain = read_layout(written(own, dataset.dialect).encode() + b"\n", dataset, at_end=True)
    assert plain is not None
    assert plain.labels is None

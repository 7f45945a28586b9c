"""Cutting a file, for any file and any way that its bytes arrive."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.cut import Cut, Cutter, Taper
from chalicelib.core.reader import compile_reader
from chalicelib.core.rejection import Rejection
from chalicelib.core.schema import Dataset, Dialect
from tests.property.reference import records_of
from tests.property.strategies import DIALECTS, datasets, files, soups

SIZES = st.tuples(st.sampled_from([6, 10, 30, 200]), st.sampled_from([4, 9, 20, 100]))


def cut(
    data: bytes,
    dialect: Dialect,
    sizes: tuple[int, int],
    chunk: int,
    start: int = 0,
    line: int = 1,
    taper: Taper | None = None,
) -> list[Cut]:
    batch_bytes, max_record_bytes = sizes
    cutter = Cutter(
        dialect, start=start, line=line, batch_bytes=batch_bytes, max_record_bytes=max_record_bytes, taper=taper
    )
    cuts = [cut for at in range(start, len(data), chunk) for cut in cutter.feed(data[at : at + chunk])]
    cuts += cutter.finish()
    assert cutter.offset == max(len(data), start)
    return cuts


@given(st.data(), DIALECTS, SIZES, st.integers(1, 40))
def test_cuts_tile_the_file_at_records_ends_with_their_lines(
    data: st.DataObject, dialect: Dialect, sizes: tuple[int, int], chunk: int
) -> None:
    soup = data.draw(soups(dialect))
    cuts = cut(soup, dialect, sizes, chunk)
    assert [c.start for c in cuts] == [0, *(c.end for c in cuts)][: len(cuts)]
    boundaries = {record.end for record in records_of(soup, dialect, sizes[1])}
    for c in cuts:
        assert c.end in boundaries
        assert c.first_line == 1 + soup.count(b"\n", 0, c.start)


@given(st.data(), DIALECTS, SIZES, st.integers(1, 40))
def test_a_cut_is_the_longest_within_its_size_or_one_record(
    data: st.DataObject, dialect: Dialect, sizes: tuple[int, int], chunk: int
) -> None:
    soup = data.draw(soups(dialect))
    ends = [record.end for record in records_of(soup, dialect, sizes[1])]
    for c in cut(soup, dialect, sizes, chunk):
        fitting = [end for end in ends if c.start < end <= c.start + sizes[0]]
        assert c.end == (fitting[-1] if fitting else min(end for end in ends if end > c.start))
        long_line = b"\n" not in soup[c.start : c.end - 1] and c.end - c.start > sizes[1]
        assert c.oversize == (long_line and not fitting)


@given(st.data(), DIALECTS, SIZES, st.integers(1, 40), st.integers(1, 4), st.integers(1, 20))
def test_cuts_get_shorter_towards_the_end_and_can_be_resumed(
    data: st.DataObject, dialect: Dialect, sizes: tuple[int, int], chunk: int, workers: int, least: int
) -> None:
    soup = data.draw(soups(dialect))
    ends = [record.end for record in records_of(soup, dialect, sizes[1])]
    taper = Taper(len(soup), workers, least)
    cuts = cut(soup, dialect, sizes, chunk, taper=taper)
    for index, c in enumerate(cuts):
        most = min(sizes[0], max((len(soup) - c.start) // (2 * workers), least))
        fitting = [end for end in ends if c.start < end <= c.start + most]
        assert c.end == (fitting[-1] if fitting else min(end for end in ends if end > c.start))
        assert cut(soup, dialect, sizes, 7, c.start, c.first_line, taper) == cuts[index:]


@given(st.data(), DIALECTS, SIZES, st.integers(1, 40), st.integers(1, 40))
def test_cuts_do_not_depend_on_the_chunks_and_can_be_resumed_after_any(
    data: st.DataObject, dialect: Dialect, sizes: tuple[int, int], chunk: int, other_chunk: int
) -> None:
    soup = data.draw(soups(dialect))
    cuts = cut(soup, dialect, sizes, chunk)
    assert cut(soup, dialect, sizes, other_chunk) == cuts
    for index, c in enumerate(cuts):
        assert cut(soup, dialect, sizes, other_chunk, c.start, c.first_line) == cuts[index:]


@given(st.data(), datasets(), SIZES, st.integers(1, 40))
def test_reading_batch_by_batch_is_reading_the_whole_file(
    data: st.DataObject, dataset: Dataset, sizes: tuple[int, int], chunk: int
) -> None:
    columns = tuple(field.name for field in dataset.fields)
    content = data.draw(files(dataset, columns) | soups(dataset.dialect))
    reader = compile_reader(dataset, columns, sizes[1])
    whole = reader.read(content, offset=0, first_line=1)
    slow, rejections, records = [], [], 0
    for c in cut(content, dataset.dialect, sizes, chunk):
        if c.oversize:
            part = reader.oversize(c)
        else:
            part = reader.read(content[c.start : c.end], offset=c.start, first_line=c.first_line)
        slow += part.slow
        rejections += [renumbered(rejection, records) for rejection in part.rejections]
        records += part.records
    assert (slow, rejections, records) == (whole.slow, list(whole.rejections), whole.records)


def renumbered(rejection: Rejection, before: int) -> Rejection:
    return rejection._replace(record=rejection.record + before)

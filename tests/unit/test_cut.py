"""A file is cut at records' ends, by rule."""

from chalicelib.core.cut import MAX_LINES, Cut, Cutter
from chalicelib.core.schema import Dialect


def cut(data: bytes, *, batch_bytes: int, max_record_bytes: int = 100, chunk: int = 7, start: int = 0) -> list[Cut]:
    cutter = Cutter(Dialect(), start=start, line=2, batch_bytes=batch_bytes, max_record_bytes=max_record_bytes)
    cuts = [made for at in range(0, len(data), chunk) for made in cutter.feed(data[at : at + chunk])]
    return cuts + cutter.finish()


def test_a_cut_ends_at_the_last_record_that_fits() -> None:
    cuts = cut(b"aaaa\nbbbb\ncccc\ndddd\n", batch_bytes=12, start=50)
    assert cuts == [Cut(50, 60, 2, oversize=False), Cut(60, 70, 4, oversize=False)]


def test_a_newline_within_quotes_is_no_end() -> None:
    cuts = cut(b'a\n"b\nb\nb"\nc\n', batch_bytes=6)
    assert [(made.start, made.end, made.first_line) for made in cuts] == [(0, 2, 2), (2, 10, 3), (10, 12, 6)]


def test_a_quote_within_a_field_does_not_hide_newlines() -> None:
    assert [made.end for made in cut(b'5" x\n6" y\n', batch_bytes=6)] == [5, 10]


def test_the_last_record_without_a_newline_stays_with_the_others() -> None:
    assert cut(b"aaaa\nbbbb", batch_bytes=12) == [Cut(0, 9, 2, oversize=False)]


def test_an_empty_stretch_has_no_cuts() -> None:
    assert cut(b"", batch_bytes=12) == []


def test_a_line_longer_than_a_batch_and_a_record_is_a_cut_of_its_own() -> None:
    cuts = cut(b"aa\n" + b"x" * 50 + b"\nbb\n", batch_bytes=10, max_record_bytes=20)
    assert cuts == [Cut(0, 3, 2, oversize=False), Cut(3, 54, 3, oversize=True), Cut(54, 57, 4, oversize=False)]


def test_a_record_longer_than_a_batch_is_fetched_all_the_same() -> None:
    assert cut(b"x" * 50 + b"\n", batch_bytes=10, max_record_bytes=60) == [Cut(0, 51, 2, oversize=False)]


def test_a_long_line_without_end_is_a_cut_of_its_own() -> None:
    assert cut(b"x" * 50, batch_bytes=10, max_record_bytes=20) == [Cut(0, 50, 2, oversize=True)]


def test_a_quote_that_never_closes_does_not_swallow_the_file() -> None:
    cuts = cut(b'"open\n' + b"aaaa\n" * 20, batch_bytes=20, max_record_bytes=30)
    assert max(made.end - made.start for made in cuts) <= 20


def test_memory_is_bounded_whatever_the_line_is() -> None:
    cutter = Cutter(Dialect(), start=0, line=2, batch_bytes=1000, max_record_bytes=100)
    for _ in range(1000):
        assert cutter.feed(b"x" * 500) == []
        assert len(cutter._buffer) <= 1000 + 100 + 500


def test_a_batch_is_not_held_while_it_is_cut() -> None:
    record = b'"a, b","c\nd",5" pipe\n' * 3
    cutter = Cutter(Dialect(), start=0, line=2, batch_bytes=1 << 20, max_record_bytes=100)
    for _ in range(50_000):
        cutter.feed(record)
        assert len(cutter._buffer) <= 5 * 100 + len(record)
    assert cutter.offset > 2 << 20


def test_a_cutter_tells_where_another_can_go_on() -> None:
    data = b"aaaa\n" * 50
    cutter = Cutter(Dialect(), start=0, line=2, batch_bytes=20, max_record_bytes=10)
    cuts = cutter.feed(data)
    second = Cutter(Dialect(), start=cutter.offset, line=cutter.line, batch_bytes=20, max_record_bytes=10)
    assert cuts + second.feed(data[cutter.offset :]) + second.finish() == cut(data, batch_bytes=20, max_record_bytes=10)


def test_many_short_lines_are_cut_by_their_number() -> None:
    data = b"x\n" * (MAX_LINES * 2 + 5)
    for chunk in (len(data), 100_000):
        cutter = Cutter(Dialect(), start=0, line=1, batch_bytes=1 << 24, max_record_bytes=1000)
        cuts = [cut for at in range(0, len(data), chunk) for cut in cutter.feed(data[at : at + chunk])]
        cuts += cutter.finish()
        assert [cut.end // 2 for cut in cuts] == [MAX_LINES, MAX_LINES * 2, MAX_LINES * 2 + 5]
        assert [cut.first_line for cut in cuts] == [1, MAX_LINES + 1, MAX_LINES * 2 + 1]

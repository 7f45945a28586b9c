"""Whatever a file came in: the same data, cut into the same batches, read as the same records."""

import gzip
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.cut import Cut, Cutter
from chalicelib.core.encodings import canonical_encoding
from chalicelib.core.reader import compile_reader
from chalicelib.core.schema import Dataset, Dialect
from chalicelib.core.transcode import Transcoder
from chalicelib.core.unpacking import Meter, gunzip
from tests.property.strategies import DIALECTS, datasets, files, soups
from tests.property.test_cut import SIZES, cut

ENCODINGS = st.sampled_from(["cp1252", "iso-8859-15", "iso8859-6", "koi8-r", "utf-16-le", "utf-16-be"])
CHUNKS = st.integers(1, 50)


def chunked(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@st.composite
def gzipped(draw: st.DrawFn, data: bytes) -> bytes:
    """Data in members of any sizes, with zeros between them."""
    ends = [0, *sorted(draw(st.lists(st.integers(0, len(data)), max_size=5))), len(data)]
    members = [gzip.compress(data[start:end], draw(st.integers(0, 9))) for start, end in pairwise(ends)]
    return b"".join(member + bytes(draw(st.integers(0, 3))) for member in members)


def kept(chunks: list[bytes], dialect: Dialect | None, sizes: tuple[int, int]) -> list[tuple[Cut, bytes]]:
    """The cuts of chunks, each with its bytes."""
    cutter = Cutter(dialect, start=0, line=1, batch_bytes=sizes[0], max_record_bytes=sizes[1], keep=True)
    found: list[tuple[Cut, list[bytes]]] = []
    for chunk in chunks:
        found += zip(cutter.feed(chunk), cutter.kept(), strict=True)
    found += zip(cutter.finish(), cutter.kept(), strict=True)
    return [(cut, b"".join(pieces)) for cut, pieces in found]


@given(st.data(), DIALECTS, SIZES, CHUNKS)
def test_gzip_of_any_members_in_any_chunks_is_cut_as_the_plain_file(
    data: st.DataObject, dialect: Dialect, sizes: tuple[int, int], chunk: int
) -> None:
    soup = data.draw(soups(dialect))
    packed = data.draw(gzipped(soup))
    unpacked = list(gunzip(iter(chunked(packed, chunk)), Meter(1 << 40)))
    assert kept(unpacked, dialect, sizes) == [
        (c, b"" if c.oversize else soup[c.start : c.end]) for c in cut(soup, dialect, sizes, 7)
    ]


@given(st.data(), ENCODINGS, datasets(), SIZES, CHUNKS)
def test_any_encoding_that_can_hold_a_file_reads_as_utf_8_does(
    data: st.DataObject, name: str, dataset: Dataset, sizes: tuple[int, int], chunk: int
) -> None:
    encoding = canonical_encoding(name)
    assert encoding is not None
    columns = tuple(field.name for field in dataset.fields)
    content = data.draw(files(dataset, columns)).decode("utf-8", "replace").encode(encoding, "replace")
    plain = content.decode(encoding).encode()
    transcoder = Transcoder(encoding)
    transcoded = [*map(transcoder.feed, chunked(content, chunk)), transcoder.finish()]
    batches = kept(transcoded, dataset.dialect, sizes)
    assert batches == kept([plain], dataset.dialect, sizes)
    reader = compile_reader(dataset, columns, 10_000)
    assert reader.read(b"".join(transcoded), offset=0, first_line=1).slow == (
        reader.read(plain, offset=0, first_line=1).slow
    )


@given(st.binary(max_size=60), ENCODINGS, CHUNKS)
def test_any_bytes_come_to_the_same_however_they_arrive_and_are_text_only_where_they_are(
    content: bytes, name: str, chunk: int
) -> None:
    encoding = canonical_encoding(name)
    assert encoding is not None
    results = []
    for size in (chunk, 1, 1_000):
        transcoder = Transcoder(encoding)
        results.append(b"".join([*map(transcoder.feed, chunked(content, size)), transcoder.finish()]))
    assert results[0] == results[1] == results[2]
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = None
    try:
        assert results[0].decode() == text
    except UnicodeDecodeError:
        assert text is None


@given(st.lists(st.sampled_from([b"\n", b"\r\n", b"{}", b'{"a": "\\n"}', b'"', b"x" * 9, b"\xff"]), max_size=60), SIZES)
def test_json_lines_are_cut_at_every_newline_whatever_the_lines_hold(
    parts: list[bytes], sizes: tuple[int, int]
) -> None:
    soup = b"".join(parts)
    batches = kept(chunked(soup, 7), None, sizes)
    assert batches == kept([soup], None, sizes)
    assert b"".join(soup[c.start : c.end] for c, _ in batches) == soup
    for c, data in batches:
        assert c.end == len(soup) or soup[c.end - 1 : c.end] == b"\n"
        assert c.first_line == 1 + soup.count(b"\n", 0, c.start)
        assert data == (b"" if c.oversize else soup[c.start : c.end])
        assert c.oversize or c.end - c.start <= max(sizes)

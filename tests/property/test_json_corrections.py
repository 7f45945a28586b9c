"""The correction round trip of JSON Lines."""

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.error_file import json_error_line
from chalicelib.core.header import json_layout
from chalicelib.core.jsoncorrections import JsonCorrectionReader, first_json_places
from chalicelib.core.jsonlines import JsonLinesReader
from chalicelib.core.parsed import Parsed
from chalicelib.core.rejection import RecordError, Rejection
from chalicelib.core.render import ERROR_COLUMNS
from chalicelib.core.schema import Dataset
from tests.property.strategies import VALUES, datasets

LIMIT = 5_000
JUNK = [b"{", b"}", b'"', b",", b"\n", b"\xff", b"\0", b"\\", b" ", b"\r", b"[", b"1", b"\t"]
Case = tuple[Dataset, tuple[str, ...], bytes]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A dataset and objects with its members and others, damaged here and there."""
    dataset = draw(datasets())
    columns = tuple(field.name for field in dataset.fields)
    names = st.sampled_from([*columns, *columns, "extra", "_raw", "_error_line", "_error_code"])
    values = VALUES | st.integers() | st.booleans() | st.none() | st.just({"_error_line": [1]}) | st.just("_raw:x\\")
    objects = draw(st.lists(st.dictionaries(names, values, max_size=5), max_size=8))
    asciis = draw(st.booleans())
    data = bytearray(b"".join(json.dumps(one, ensure_ascii=asciis).encode() + b"\n" for one in objects))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 1))] = draw(st.sampled_from(JUNK))
    return dataset, columns, bytes(data)


def read_again(content: bytes, dataset: Dataset, columns: tuple[str, ...]) -> Parsed:
    return JsonCorrectionReader(dataset, columns, LIMIT).read(content, offset=0, first_line=1)


def error_file(rejections: Sequence[Rejection]) -> bytes:
    return b"".join(json_error_line(r.line, r.record, r.errors, r.raw) for r in rejections)


def both(case: Case) -> tuple[Parsed, list[Rejection]]:
    """The file as it is read alone, and all its records as if each had been rejected."""
    dataset, columns, data = case
    alone = JsonLinesReader(dataset, columns, LIMIT, fast_path=False).read(data, offset=0, first_line=1)
    good = [alone.reject(row, [RecordError(None, "any-error", "of no matter")]) for row in range(len(alone.slow))]
    return alone, sorted([*alone.rejections, *good])


@given(cases())
def test_objects_are_judged_behind_error_members_as_they_are_alone(case: Case) -> None:
    alone, everything = both(case)
    content = error_file(everything)
    again = read_again(content, *case[:2])
    assert again.slow == alone.slow
    assert [r.errors for r in again.rejections] == [r.errors for r in alone.rejections]
    assert [r.corrects for r in again.rejections] == [r.line for r in alone.rejections]
    assert [place.line for place in first_json_places(content, 100)] == [r.line for r in everything]
    twice = read_again(error_file(again.rejections), *case[:2])
    assert [(r.raw, r.errors) for r in twice.rejections] == [(r.raw, r.errors) for r in again.rejections]
    assert (twice.slow, twice.fast) == ([], b"")


@given(cases(), st.booleans(), st.booleans())
def test_rewritten_by_another_program_they_say_the_same(case: Case, sort: bool, fill: bool) -> None:
    alone, everything = both(case)
    objects = [json.loads(line) for line in error_file(everything).split(b"\n") if line]
    names = {name: None for one in objects for name in one} if fill else {}
    if fill:  # doubled names, and members that were not there, are null now
        objects = [{**names, **one} for one in objects]
    content = b"".join(json.dumps(one, sort_keys=sort).encode() + b"\n" for one in objects)
    again = read_again(content, *case[:2])
    assert again.records == alone.records
    doubled = [r for r in alone.rejections if any("more than once" in error.message for error in r.errors)]
    if not doubled:
        assert again.slow == alone.slow
        assert len(again.rejections) == len(alone.rejections)


@given(cases())
def test_corrections_are_known_by_their_members(case: Case) -> None:
    _, everything = both(case)
    layout = json_layout(error_file(everything), case[0], at_end=True) if everything else None
    assert layout is None or layout.labels == (*ERROR_COLUMNS, *case[1])

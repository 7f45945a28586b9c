"""What is matched at speed: the same by both engines, and nothing that the expressions are not made for."""

import re

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.fastcells import CellBuilder, texts
from chalicelib.core.runs import runs_by_re, runs_by_re2
from chalicelib.core.schema import Dataset
from chalicelib.core.stretches import sound_stretches
from tests.property.test_reader import cases

WORDS = st.text("NA7^é.", max_size=4).map(str.encode)


@given(cases(), st.booleans())
def test_both_engines_end_a_run_where_the_other_does(
    case: tuple[Dataset, tuple[str, ...], bytes], quotes: bool
) -> None:
    dataset, columns, content = case
    builder = CellBuilder(dataset.dialect, may_be_empty=len(columns) > 1)
    fields = {field.name: field for field in dataset.fields}
    cells = [builder.cell(fields[name]) if name in fields else builder.undeclared() for name in columns]
    if None in cells:
        return
    expressions = [cell.maybe_quoted if quotes else cell.linear for cell in cells if cell is not None]
    record = re.escape(dataset.dialect.delimiter).encode().join(expressions) + rb"\r?+\n"
    by_re, by_re2 = runs_by_re(record), runs_by_re2(record)
    for start in [0, *(line.end() for line in re.finditer(rb"\n", content))]:
        assert by_re2 is None or by_re2(content, start, len(content)) == by_re(content, start, len(content))


@given(st.lists(WORDS, max_size=5), WORDS, st.integers(0, 3), st.none() | st.integers(3, 6))
def test_a_text_is_matched_unless_it_is_one_of_those_without(
    without: list[bytes], text: bytes, least: int, most: int | None
) -> None:
    expression = texts(rb",\n\0", least, most, without)
    fits = least <= len(text) <= (len(text) if most is None else most)
    assert bool(re.fullmatch(expression + b",", text + b",")) == (fits and text not in without)
    for run in (runs_by_re(expression + b","), runs_by_re2(expression + b",")):
        assert run is not None
        assert run(text + b",\n", 0, len(text) + 2) == (len(text) + 1 if fits and text not in without else 0)


@given(st.lists(st.sampled_from([b"", b"ab", b"abcdefgh", b"\xff", b"\xff" * 9])), st.booleans(), st.integers(1, 9))
def test_all_lines_in_sound_stretches_are_sound_and_all_others_are_not(
    lines: list[bytes], ended: bool, longest: int
) -> None:
    data = b"".join(line + b"\n" for line in lines)[: None if ended else -1]
    expected = [line for line in data.splitlines(keepends=True) if len(line) <= longest and b"\xff" not in line]
    stretches = [data[start:stop] for start, stop in sound_stretches(data, longest)]
    assert b"".join(stretches).splitlines(keepends=True) == expected

"""Records in a request's body come to the reader as the lines of a JSON Lines file would."""

import json

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.bodies import compile_body_reader, lines_together, one_line, several_lines, take_id
from chalicelib.core.jsonlines import JsonLinesReader, read_as_json
from chalicelib.core.representation import cursor_after, place_of
from chalicelib.core.schema import Dataset, Dialect
from tests.property.strategies import datasets
from tests.property.test_jsonlines import json_lines

scalars = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["[", '"', "\\", ",", "]\n"])
)
values = st.recursive(
    scalars, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part), max_leaves=8
)
spaces = st.sampled_from(["", " ", "\n", "\r\n\t "])


@st.composite
def spelled(draw: st.DrawFn, value: object) -> str:
    """JSON of a value, with spaces and line ends wherever they may be."""
    gap = draw(spaces)
    text = json.dumps(value, indent=draw(st.sampled_from([None, 1])), ensure_ascii=draw(st.booleans()))
    return gap + text + draw(spaces)


@given(st.data(), st.lists(values, max_size=5), st.integers(0, 6))
def test_an_array_comes_apart_into_its_elements(data: st.DataObject, elements: list[object], most: int) -> None:
    texts = [data.draw(spelled(element)) for element in elements]
    lines = several_lines(f" [{','.join(texts)}]\n".encode("utf-8", "surrogatepass"), most)
    assert [json.loads(line) for line in lines] == elements[: most + 1]
    assert not any(b"\n" in line for line in lines)


@given(st.data(), values)
def test_a_value_comes_as_one_line(data: st.DataObject, value: object) -> None:
    line = one_line(data.draw(spelled(value)).encode())
    assert json.loads(line) == value
    assert b"\n" not in line


@given(st.binary(max_size=30) | st.text('[]{},:"\\1 a\n', max_size=30).map(str.encode))
def test_what_is_refused_is_no_json(body: bytes) -> None:
    try:
        line = one_line(body)
    except ValueError:
        line = None
    try:
        json.loads(body.decode(), parse_constant=lambda name: 1 / 0)
    except (ValueError, ZeroDivisionError):
        assert line is None
    else:
        assert line is not None


@st.composite
def cases(draw: st.DrawFn) -> tuple[Dataset, list[str]]:
    dataset = draw(datasets(st.just(Dialect())))
    lines = [draw(json_lines(dataset)).decode("utf-8", "replace").strip() for _ in range(draw(st.integers(1, 6)))]
    good = []
    for line in lines:
        try:
            json.loads(line, parse_constant=lambda name: 1 / 0)
        except (ValueError, ZeroDivisionError):
            continue
        good.append(line)
    return dataset, good


@given(cases())
def test_records_of_a_batch_are_judged_as_lines_of_a_file(case: tuple[Dataset, list[str]]) -> None:
    dataset, texts = case
    columns = tuple(field.name for field in dataset.fields)
    reader = compile_body_reader(dataset, columns, 10_000)
    batch = reader.read(lines_together(several_lines(f"[{','.join(texts)}]".encode(), 1000)), offset=0, first_line=1)
    in_file = JsonLinesReader(read_as_json(dataset), columns, 10_000)
    file = in_file.read("".join(text + "\n" for text in texts).encode(), offset=0, first_line=1)
    assert [(one.record, one.errors) for one in batch.rejections] == [
        (one.record, one.errors) for one in file.rejections
    ]
    assert batch.records == file.records == len(texts)


@given(st.dictionaries(st.text(max_size=3), scalars, max_size=3), st.integers(1, 9))
def test_the_id_of_an_answer_is_taken_out_and_nothing_else(record: dict[str, object], id: int) -> None:
    dataset = Dataset("things", "", ())
    record.pop("id", None)
    line = json.dumps({"id": id, **record}).encode()
    rest, own = take_id(line, dataset)
    assert (json.loads(rest), own) == (record, str(id))
    assert take_id(rest, dataset)[1] is None


filters = st.dictionaries(st.text(max_size=3), st.none() | st.text(max_size=3), max_size=3)


@given(st.integers(0, 2**63 - 1), filters, filters)
def test_a_cursor_leads_on_in_its_own_list_only(
    id: int, these: dict[str, str | None], others: dict[str, str | None]
) -> None:
    cursor = cursor_after(id, "members", these)
    assert place_of(cursor, "members", dict(reversed(these.items()))) == id
    for dataset, other in (("plays", these), ("members", others)):
        if (dataset, other) != ("members", these):
            try:
                place_of(cursor, dataset, other)
            except ValueError:
                continue
            raise AssertionError("a cursor of another list was taken")


@given(st.text(max_size=40))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    try:
        place_of(text, "members", {})
    except ValueError:
        return
    assert cursor_after(place_of(text, "members", {}), "members", {}) == text

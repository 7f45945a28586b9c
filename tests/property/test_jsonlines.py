"""JSON Lines: the fast path decides as the exact rules do, and those as a plain reading with the json module."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.jsonfast import PAYLOAD
from chalicelib.core.jsonlines import JsonLinesReader
from chalicelib.core.schema import Dataset, Dialect, ExtraColumns, Field, FieldType
from chalicelib.core.values import compile_check
from tests.property.strategies import datasets, values_for
from tests.property.test_reader import LIMITS, loaded

PLAIN = st.just(Dialect())
BARE = [
    "0",
    "7",
    "-1",
    "-0",
    "1.5",
    "-0.50",
    "1e5",
    "2024",
    "2147483648",
    "9223372036854775808",
    "true",
    "false",
    "null",
]
BARE += ["20240229", "0930", "01", "1.", "NaN", "[1]", '{"a": 1.50}', "[]", "{}", '{"lon": 1, "lat": 2}', "[1.5, -2]"]
JUNK = [
    b"\n",
    b"\n\n",
    b"\r\n",
    b" ",
    b'"',
    b"\\",
    b"\xff",
    b"\0",
    b"{",
    b"}",
    b"[",
    b",",
    b":",
    b"1",
    b"\x1f",
    b"\x1e",
]


@st.composite
def json_lines(draw: st.DrawFn, dataset: Dataset) -> bytes:
    """One record, mostly right and mostly of one shape."""
    fields = list(dataset.fields)
    if draw(st.integers(0, 5)) == 0:
        fields = draw(st.permutations(fields))[: draw(st.integers(0, len(fields)))]
    colon = draw(st.sampled_from([": ", ": ", ":", " :\t"]))
    members = [f'"{field.name}"{colon}{draw(json_values(field))}' for field in fields]
    if draw(st.integers(0, 5)) == 0:
        extra = draw(
            st.sampled_from(['"other": 1', '"f0": null', '"ötrer": "x"', '"o": [1, {"f0": 2}]', '"\\u0066": 1'])
        )
        members.insert(draw(st.integers(0, len(members))), extra)
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", " \n"]))
    return ("{" + draw(st.sampled_from([", ", ", ", ","])).join(members) + "}" + end).encode("utf-8", "surrogatepass")


def json_values(field: Field) -> st.SearchStrategy[str]:
    texts = st.builds(json.dumps, values_for(field), ensure_ascii=st.integers(0, 3).map(bool).map(lambda x: not x))
    return st.integers(0, 4).flatmap(lambda n: st.sampled_from(BARE) if n == 0 else texts)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Dataset, tuple[str, ...], bytes]:
    dataset = replace(draw(datasets(PLAIN)), extra_columns=draw(st.sampled_from(ExtraColumns)))
    data = bytearray(b"".join(draw(st.lists(json_lines(dataset), max_size=12))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 1))] = draw(st.sampled_from(JUNK))
    return dataset, tuple(field.name for field in dataset.fields), bytes(data)


@given(cases(), LIMITS)
def test_shapes_come_to_what_the_exact_rules_come_to(case: tuple[Dataset, tuple[str, ...], bytes], limit: int) -> None:
    dataset, columns, content = case
    reader, exact_reader = (JsonLinesReader(dataset, columns, limit, fast_path=fast) for fast in (True, False))
    parsed, exact = (r.read(content, offset=1000, first_line=7) for r in (reader, exact_reader))
    assert parsed.rejections == exact.rejections
    assert parsed.records == exact.records == parsed.fast_rows + len(parsed.slow) + len(parsed.rejections)
    as_copied = replace(dataset, dialect=PAYLOAD)
    assert loaded(parsed, as_copied, reader) == loaded(exact, as_copied, exact_reader)
    for key in [(columns[0],), columns[:2]]:
        rows = {parsed.where(row).record: value for row, value in enumerate(parsed.keys(key))}
        assert rows == {exact.where(row).record: value for row, value in enumerate(exact.keys(key))}


@given(cases(), LIMITS)
def test_every_line_that_is_not_blank_is_found_again(case: tuple[Dataset, tuple[str, ...], bytes], limit: int) -> None:
    dataset, columns, content = case
    parsed = JsonLinesReader(dataset, columns, limit).read(content, offset=1000, first_line=7)
    expected, start = [], 0
    for line, text in enumerate(content.split(b"\n"), 7):
        length = min(len(text) + 1, len(content) - start)
        if text.strip(b" \t\r") or length > limit:
            expected.append((line, start, length))
        start += len(text) + 1
    accepted = range(parsed.fast_rows + len(parsed.slow))
    found = sorted([*parsed.rejections, *(parsed.reject(row, ()) for row in accepted)])
    assert [(r.record, r.line, r.offset - 1000, r.length) for r in found] == [
        (number, *place) for number, place in enumerate(expected, 1)
    ]
    assert all(content[r.offset - 1000 :].startswith(r.raw) for r in found)


class Spelled(str):
    """A number."""


def reading(line: bytes, dataset: Dataset) -> list[Any] | None:
    """The values of a line, or None where it must be rejected."""
    try:
        pairs = json.loads(
            line.decode(),
            object_pairs_hook=lambda pairs: {"pairs": pairs},
            parse_int=Spelled,
            parse_float=Spelled,
            parse_constant=lambda name: int(name),
        )
    except ValueError:
        return None
    if not isinstance(pairs, dict):
        return None
    members = dict(pairs["pairs"])
    known = {field.name for field in dataset.fields}
    if len(members) < len(pairs["pairs"]) or (dataset.extra_columns == "reject" and not members.keys() <= known):
        return None
    errors: list[Any] = []
    values = [value_of(members.get(field.name), field, errors) for field in dataset.fields]
    return None if errors else values


def value_of(value: Any, field: Field, errors: list[Any]) -> Any:
    plain = replace(field, group_char="", decimal_char=".", bare_number=True)
    if value is None:
        errors += ["null"] if field.constraints.required else []
        return None
    if isinstance(value, Spelled):
        return compile_check(plain)(str(value), errors)
    if isinstance(value, bool):
        spelled = {True: "true", False: "false"}[value]
        if field.type is FieldType.BOOLEAN:
            spelled = (field.true_values if value else field.false_values)[0]
        return compile_check(field)(spelled, errors)
    if isinstance(value, str):
        errors += ["no text"] if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value) else []
        return compile_check(field)(value, errors)
    if field.type not in (FieldType.OBJECT, FieldType.ARRAY, FieldType.GEOPOINT, FieldType.ANY):
        errors.append("nested")
        return None
    return compile_check(field)(rewritten(value), errors)


def rewritten(value: Any) -> str:
    """JSON text of a nested value, its numbers spelled as they were."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {rewritten(part)}" for name, part in value["pairs"]) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(rewritten, value)) + "]"
    return value if isinstance(value, Spelled) else json.dumps(value)


@given(cases())
def test_records_are_what_the_json_module_makes_of_them(case: tuple[Dataset, tuple[str, ...], bytes]) -> None:
    dataset, columns, content = case
    reader = JsonLinesReader(dataset, columns, 10_000, fast_path=False)
    parsed = reader.read(content, offset=0, first_line=1)
    accepted = [reading(line, dataset) for line in content.split(b"\n") if line.strip(b" \t\r")]
    assert comparable(parsed.slow, dataset) == comparable([row for row in accepted if row is not None], dataset)
    assert len(parsed.rejections) == accepted.count(None)


def comparable(rows: Sequence[Sequence[Any]], dataset: Dataset) -> list[list[Any]]:
    """Rows with nested JSON as what it means, since its spaces may differ."""
    nested = [field.type in (FieldType.OBJECT, FieldType.ARRAY, FieldType.ANY) for field in dataset.fields]
    return [[meant(value) if deep else value for value, deep in zip(row, nested, strict=True)] for row in rows]


def meant(text: str | None) -> Any:
    try:
        return text and json.loads(text, parse_float=Spelled, parse_int=Spelled)
    except ValueError:
        return text

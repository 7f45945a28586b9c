"""Rows as lines of a file, and lines as parts."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.lines import Row, csv_header
from chalicelib.core.parts import TextPart, csv_part, json_part
from chalicelib.core.schema import Dataset
from chalicelib.errors import ExportRefused


def dataset(*names: str, **dialect: Any) -> Dataset:
    fields = [{"name": name, "type": "string"} for name in names]
    return parse_dataset({"name": "things", "dialect": dialect, "schema": {"fields": fields}})


def written(rows: list[Row], of: Dataset, *, with_id: bool = False) -> str:
    part = csv_part(of, 1 << 20, with_id=with_id)
    taken, data = part.add(rows)
    assert taken == len(rows)
    return (data + part.finish()).decode()


def test_what_needs_quotes_has_them_and_nothing_else() -> None:
    rows: list[Row] = [("plain", "two words"), ("a,b", 'say "hi"'), ("two\nlines", "c\rr"), (None, "x")]
    assert written(rows, dataset("a", "b")) == ('a,b\nplain,two words\n"a,b","say ""hi"""\n"two\nlines","c\rr"\n,x\n')


@pytest.mark.parametrize(
    ("dialect", "row", "line"),
    [
        ({"delimiter": ";", "quoteChar": "'"}, ("a;b", "it's"), "'a;b';'it''s'\n"),
        ({"escapeChar": "\\", "doubleQuote": False}, ("\\", 'x"y'), '"\\\\","x\\"y"\n'),
        ({"commentChar": "#"}, ("#1", "#2"), '"#1",#2\n'),
        ({"skipInitialSpace": True}, (" a", "b c"), '" a",b c\n'),
        ({"doubleQuote": False}, ('5" pipe', "x"), '5" pipe,x\n'),
        ({}, ("\ufeffa", "x"), '"\ufeffa",x\n'),
    ],
)
def test_dialect_is_the_datasets_own(dialect: dict[str, Any], row: Row, line: str) -> None:
    of = dataset("a", "b", **dialect)
    assert written([row], of) == f"a{of.dialect.delimiter}b\n{line}"


def test_quote_that_the_dialect_cannot_say_is_refused() -> None:
    with pytest.raises(ExportRefused, match="quoteChar"):
        written([('"', "x")], dataset("a", "b", doubleQuote=False))


def test_null_of_a_single_column_is_no_blank_line() -> None:
    assert written([(None,), ("x",)], dataset("a")) == 'a\n""\nx\n'


def test_header_stands_in_the_rows_that_the_dialect_reads() -> None:
    assert csv_header(dataset("a", "b", headerRows=[2, 3]), with_id=False) == b"a,b\na,b\n,\n"
    assert csv_header(dataset("a", "b", header=False), with_id=False) == b""


def test_id_comes_first_if_it_is_wanted() -> None:
    assert written([("7", "x")], dataset("a"), with_id=True) == "id,a\n7,x\n"


def test_json_has_types_of_its_own() -> None:
    fields = [
        {"name": "n", "type": "number", "decimalChar": ","},
        {"name": "b", "type": "boolean"},
        {"name": "o", "type": "object"},
        {"name": "s", "type": "string"},
    ]
    of = parse_dataset({"name": "things", "schema": {"fields": fields}})
    _, data = json_part(of, 1000, with_id=False).add(
        [("1.50", "t", '{"a": [1]}', 'é"\n\x01'), ("NaN", "f", None, None)]
    )
    assert data.decode() == (
        '{"n": 1.50, "b": true, "o": {"a": [1]}, "s": "é\\"\\n\\u0001"}\n'
        '{"n": "NaN", "b": false, "o": null, "s": null}\n'
    )


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12), max_size=30))
def test_every_part_is_within_its_limit_and_together_they_are_all(texts: list[str]) -> None:
    of, limit = dataset("a"), 64
    rows: list[Row] = [(text,) for text in texts]
    read: list[str] = []
    while rows:
        part = csv_part(of, limit, with_id=False)
        taken, data = part.add(rows)
        data += part.finish()
        assert taken > 0
        assert len(data) <= limit
        header, *records = csv.reader(io.StringIO(data.decode(), newline=""))
        assert header == ["a"]
        read += [cell for (cell,) in records]
        rows = rows[taken:]
    assert read == texts


def test_part_that_has_no_room_for_a_header_is_refused() -> None:
    with pytest.raises(ExportRefused, match="header alone"):
        TextPart(b"0123456789", lambda row: b"", 9)


def test_full_part_takes_no_more_and_an_empty_one_refuses() -> None:
    part = TextPart(b"", lambda row: (row[0] or "").encode(), 10)
    assert part.add([("123456",), ("12345",)]) == (1, b"123456")
    assert part.add([("12345",)]) == (0, b"")
    with pytest.raises(ExportRefused, match="single record"):
        TextPart(b"", lambda row: b"12345678901", 10).add([("x",)])

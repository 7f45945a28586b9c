"""The frictionless library as a second opinion: on every shipped descriptor, and on what is valid, value by value.

Where it decides otherwise, ``DIFFERENCES`` says so, as docs/datasets.md does; what is not on that list fails.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from frictionless import Dialect, FrictionlessException, Resource, Schema
from frictionless import Field as TheirField
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.descriptors import SHIPPED
from chalicelib.core.dataset import parse_dataset
from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import FieldType
from chalicelib.core.values import compile_check
from tests.property.strategies import FORMS, GOOD, VALUES, constraints

Described = dict[str, Any]

SHIPPED_FILES = sorted(SHIPPED.glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED_FILES, ids=lambda path: path.stem)
def test_the_library_accepts_every_shipped_descriptor(path: Path) -> None:
    descriptor = yaml.safe_load(path.read_text())
    assert list(Resource.metadata_validate(descriptor)) == []
    assert list(Schema.metadata_validate(descriptor["schema"])) == []
    assert list(Dialect.metadata_validate(descriptor["dialect"])) == []
    resource = Resource.from_descriptor(descriptor)
    assert [field.name for field in resource.schema.fields] == [f.name for f in parse_dataset(descriptor).fields]


def test_the_library_reads_foreign_keys_as_dropload_does() -> None:
    link = {"fields": ["a"], "reference": {"resource": "others", "fields": ["b"]}}
    schema = {"fields": [{"name": "a", "type": "string"}], "foreignKeys": [link]}
    assert list(Schema.metadata_validate(schema)) == []
    [ours] = parse_dataset({"name": "things", "schema": schema}).foreign_keys
    assert (ours.fields, ours.dataset, ours.keys) == (("a",), "others", ("b",))


@dataclass(frozen=True)
class Difference:
    """``ours`` tells whether it is dropload that takes the value. The example is one: a field and a text."""

    name: str
    kinds: tuple[str, ...]
    ours: bool
    where: Callable[[Described, str], object]
    example: tuple[Described, str]


def field(kind: str, **described: Any) -> Described:
    return {"name": "value", "type": kind, **described}


def limits(described: Described) -> Described:
    found: Described = described.get("constraints", {})
    return found


def form(described: Described) -> str:
    return str(described.get("format", "default"))


def has(expression: str) -> Callable[[Described, str], object]:
    """Whether a text has this anywhere."""
    found = re.compile(expression)
    return lambda described, text: found.search(text)


def squeezed(described: Described, text: str) -> bool:
    """A pattern without separators, and fewer digits than it has letters for."""
    widths = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2}
    letters = re.findall("%([A-Za-z])", form(described))
    plain = form(described) == "".join(f"%{letter}" for letter in letters)
    return plain and len(text) < sum(widths.get(letter, 9) for letter in letters)


NUMBERS = ("integer", "number")
MOMENTS = ("date", "time", "datetime")
OFFSET = r"[+-][0-9]{2}:?[0-9]{2}(?::?[0-9]{2}(?:\.[0-9]+)?)?$"
DIFFERENCES = [
    Difference(
        "Python's own spellings of numbers: underscores, spaces around, digits of other scripts",
        (*NUMBERS, "year", "geopoint"),
        False,
        has(r"_|\s|[^\x00-\x7f]"),
        (field("integer"), "1_0"),
    ),
    Difference(
        "integers beyond 64 bits",
        ("integer",),
        False,
        lambda described, text: len(re.sub("[^0-9]", "", text)) >= 19,
        (field("integer"), "9223372036854775808"),
    ),
    Difference(
        "numbers that PostgreSQL cannot hold",
        ("number",),
        False,
        has("[eE][+-]?[0-9]{3,}"),
        (field("number"), "1e2000"),
    ),
    Difference(
        "numbers that call for a guess at what is around them",
        NUMBERS,
        False,
        lambda described, text: described.get("bareNumber") is False,
        (field("number", bareNumber=False), "(5)"),
    ),
    Difference(
        "groups of other than three digits",
        ("number",),
        False,
        lambda described, text: described.get("groupChar", "none") in text,
        (field("number", groupChar=","), "1,5"),
    ),
    Difference(
        "group characters of integers",
        ("integer",),
        True,
        lambda described, text: described.get("groupChar", "none") in text,
        (field("integer", groupChar=","), "1,234"),
    ),
    Difference(
        "NaN and INF beside bareNumber: false",
        ("number",),
        True,
        lambda described, text: described.get("bareNumber") is False and text.upper().lstrip("+-") in ("NAN", "INF"),
        (field("number", bareNumber=False), "NaN"),
    ),
    Difference(
        "a decimal point in front, beside bareNumber: false, which the library takes for text around the number",
        ("number",),
        True,
        lambda described, text: (
            described.get("bareNumber") is False and text.lstrip("+-").startswith(described.get("decimalChar", "."))
        ),
        (field("number", bareNumber=False, constraints={"maximum": 1}), ".5"),
    ),
    Difference(
        "mail addresses with letters outside ASCII",
        ("string",),
        False,
        lambda described, text: form(described) == "email" and not text.isascii(),
        (field("string", format="email"), "ana@exämple.com"),
    ),
    Difference(
        "mail hosts without a dot",
        ("string",),
        True,
        lambda described, text: form(described) == "email" and "." not in text.partition("@")[2],
        (field("string", format="email"), "ana@localhost"),
    ),
    Difference(
        "broken escapes, and characters and hosts that a URI cannot have",
        ("string",),
        False,
        lambda described, text: form(described) == "uri",
        (field("string", format="uri"), "urn:x:%zz"),
    ),
    Difference(
        "a line end after what matches a pattern",
        ("string",),
        False,
        lambda described, text: "pattern" in limits(described) and text.endswith("\n"),
        (field("string", constraints={"pattern": "a"}), "a\n"),
    ),
    Difference(
        "digits that are left out of dates and times, midnight as 24:00, more than six decimals of a second",
        MOMENTS,
        False,
        lambda described, text: form(described) == "default" or squeezed(described, text),
        (field("date"), "2024-1-1"),
    ),
    Difference(
        "an enum in the standard's form, beside a pattern",
        MOMENTS,
        True,
        lambda described, text: form(described).startswith("%") and "enum" in limits(described),
        (field("date", format="%Y%m%d", constraints={"enum": ["2024-02-29"]}), "20240229"),
    ),
    Difference(
        "what is left to a guess",
        MOMENTS,
        False,
        lambda described, text: form(described) == "any",
        (field("date", format="any"), "03/04/2024"),
    ),
    Difference(
        "offsets and instants beyond PostgreSQL's",
        ("datetime",),
        False,
        has(rf"{OFFSET}|^0001|^9999"),
        (field("datetime", format="%Y-%m-%dT%H:%M:%S%z"), "2024-01-31T12:00:00+15:00"),
    ),
    Difference(
        "one instant written in two ways, with and without its offset",
        ("datetime",),
        True,
        lambda described, text: "enum" in limits(described),
        (field("datetime", constraints={"enum": ["2024-01-31T12:00:00Z"]}), "2024-01-31T12:00:00"),
    ),
    Difference(
        "years of other than four digits",
        ("year",),
        True,
        has("^(-|[0-9]{5})"),
        (field("year"), "12345"),
    ),
    Difference(
        "patterns of years and months, which the library does not know, when they match",
        ("year", "yearmonth"),
        True,
        lambda described, text: form(described) != "default",
        (field("yearmonth", format="%m/%Y"), "02/2024"),
    ),
    Difference(
        "patterns of years and months, which the library does not know, when they do not match",
        ("year", "yearmonth"),
        False,
        lambda described, text: form(described) != "default",
        (field("year", format="%y"), "2024"),
    ),
    Difference(
        "months and years as Python reads numbers",
        ("yearmonth",),
        False,
        lambda described, text: not re.fullmatch("[0-9]{4}-[0-9]{2}", text),
        (field("yearmonth"), "2024-2"),
    ),
    Difference(
        "durations of nothing, parts of days, and the alternative form",
        ("duration",),
        False,
        lambda described, text: True,
        (field("duration"), "PT"),
    ),
    Difference(
        "a month as 30 days, where durations are compared",
        ("duration",),
        True,
        lambda described, text: "enum" in limits(described),
        (field("duration", constraints={"enum": ["P1M"]}), "P30D"),
    ),
    Difference(
        "true as 1, where JSON is compared",
        ("object", "array"),
        False,
        lambda described, text: "enum" in limits(described) and ("true" in text or "false" in text),
        (field("array", constraints={"enum": [[1]]}), "[true]"),
    ),
    Difference(
        "JSON that jsonb cannot hold",
        ("object", "array"),
        False,
        has(r"\\u0000|\\u[dD][89a-fA-F]|NaN|Infinity|[0-9][eE]|[\ud800-\udfff]"),
        (field("object"), '{"a": "\\u0000"}'),
    ),
]


def ours(described: Described) -> Callable[[str], bool]:
    check = compile_check(parse_dataset({"name": "things", "schema": {"fields": [described]}}).fields[0])

    def valid(text: str) -> bool:
        errors: list[RecordError] = []
        check(text, errors)
        return not errors

    return valid


def theirs(described: Described) -> Callable[[str], bool | None]:
    """The library's opinion; None where it has none, since it raises."""
    their_field = TheirField.from_descriptor(described)

    def valid(text: str) -> bool | None:
        try:
            return not their_field.read_cell(text)[1]
        except (TypeError, ValueError):
            return None  # it compares times with offsets to those without, or with offsets of more than a day

    return valid


def known(described: Described, text: str, *, accepted: bool) -> list[str]:
    """The differences that say it is as it is: whether dropload accepts this text."""
    return [
        difference.name
        for difference in DIFFERENCES
        if described["type"] in difference.kinds and difference.ours is accepted and difference.where(described, text)
    ]


@st.composite
def fields(draw: st.DrawFn) -> Described:
    kind = str(draw(st.sampled_from(list(FieldType))))
    described = field(kind)
    if kind in FORMS and draw(st.booleans()):
        described |= draw(st.sampled_from(FORMS[kind]))
    if described.get("format") is None or kind != "string":
        described["constraints"] = draw(constraints(kind))
    if draw(st.integers(0, 4)) == 0:
        described["missingValues"] = draw(st.sampled_from([["", "NA"], ["NA"], ["null", "7", "true"]]))
    return described


@st.composite
def texts(draw: st.DrawFn, kind: str) -> str:
    """Texts that are nearly values of a type."""
    text: str = draw(st.sampled_from(GOOD[kind]) | st.sampled_from(GOOD[kind]) | VALUES)
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(JUNK)) + text[at + draw(st.integers(0, 1)) :]
    return text


JUNK = [*'0123459 -+.,:;/_TZPeE%@[]{}()"\\\n\t', "", "\u0661", "é", "AM", "\u2028"]


# The same examples each time: another quirk of the library is for whoever searches longer, not for whose CI it strikes.
@settings(max_examples=400, derandomize=True)
@given(st.data())
def test_what_is_valid_is_agreed_upon_or_a_documented_difference(data: st.DataObject) -> None:
    described = data.draw(fields())
    try:
        second = theirs(described)
    except FrictionlessException:
        assume(False)  # it knows no bounds of durations, and no lengths of any
    first = ours(described)
    for text in data.draw(st.lists(texts(described["type"]), min_size=1, max_size=8)):
        accepted, agreed = first(text), second(text)
        if agreed is not None and accepted is not agreed:
            assert known(described, text, accepted=accepted), f"dropload: {accepted}: {text!r}"


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_every_difference_is_one(difference: Difference) -> None:
    described, text = difference.example
    assert (ours(described)(text), theirs(described)(text)) == (difference.ours, not difference.ours)
    assert known(described, text, accepted=difference.ours) == [difference.name]

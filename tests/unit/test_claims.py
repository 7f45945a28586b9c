"""What two batches have in common is told from their fingerprints alone."""

import os
import subprocess
import sys
from array import array
from collections.abc import Hashable, Sequence
from decimal import Decimal
from typing import Any, cast

from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.core.claims import key_facts, ordered, shared
from chalicelib.core.duplicates import contested

VALUES: list[st.SearchStrategy[Hashable]] = [
    st.integers(0, 50) | st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 50).map(Decimal),
    st.booleans(),
    st.text("ab", max_size=3),
    st.tuples(st.integers(0, 5), st.text("ab", max_size=2)),
]
KEYS: st.SearchStrategy[tuple[list[Hashable], list[Hashable]]] = st.sampled_from(VALUES).flatmap(
    lambda values: st.tuples(st.lists(st.none() | values), st.lists(st.none() | values))
)


def shared_rows(mine: Sequence[Hashable], theirs: Sequence[Hashable]) -> set[int]:
    (own, told, _), (_, other, _) = ordered(mine, 1), ordered(theirs, 1)
    return shared(own, told, other)


@given(KEYS)
def test_rows_with_a_key_that_others_have_are_found_and_nulls_are_not(
    keys: tuple[list[Hashable], list[Hashable]],
) -> None:
    mine, theirs = keys
    found = shared_rows(mine, theirs)
    assert found >= {row for row, key in enumerate(mine) if key is not None and key in theirs}
    assert not any(mine[row] is None for row in found)


@given(KEYS)
def test_rows_that_share_a_key_within_a_batch_are_rivals(keys: tuple[list[Hashable], list[Hashable]]) -> None:
    values = keys[0] + keys[1]
    assert key_facts([("k",)], lambda _: values).rivals == contested({("k",): values})


def test_batches_without_a_common_key_share_nothing() -> None:
    mine, theirs = list(range(1000)), list(range(1000, 2000))
    assert shared_rows(mine, theirs) == set()


@given(values=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)) | st.lists(st.none() | st.text("ab1", max_size=3)))
def test_values_are_told_in_their_order_and_rivals_are_those_that_share_one(values: list[Hashable]) -> None:
    found, _, sharing = ordered(values, 1)
    rows = [row for row, value in enumerate(values) if value is not None]
    assert sorted(found.rows) == rows
    texts = found.texts[0][0].split("\0") if rows else []
    assert texts == [str(values[row]) for row in found.rows]
    in_order: list[Any] = [values[row] for row in found.rows]
    assert in_order == sorted(in_order)
    assert sharing == contested({(): values})


@given(st.integers(-(2**63), 2**63 - 1), st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-50, 50)))
@example(0, [2**62, 0, 2**62])
@example(0, [-(2**63), 2**63 - 1, 0])
def test_numbers_are_told_alike_however_they_are_kept(near: int, numbers: list[int]) -> None:
    numbers += [near + number for number in numbers if -(2**63) <= near + number < 2**63]
    assert ordered(array("q", numbers), 1) == ordered(numbers, 1)


def test_sets_are_rivals_though_they_have_no_order() -> None:
    values: list[Hashable] = [frozenset("a"), frozenset("b"), frozenset("a"), frozenset("c"), frozenset("b")]
    assert ordered(values, 1)[2] == {0, 1, 2, 4}


def test_values_without_an_order_are_told_all_the_same() -> None:
    values: list[Hashable] = ["NaN", 1, 2, "NaN", None]
    found, _, sharing = ordered(values, 1)
    assert (list(found.rows), found.texts, sharing) == ([0, 1, 2, 3], [("NaN\x001\x002\0NaN",)], {0, 3})


@given(pairs=st.lists(st.tuples(st.integers(0, 3), st.text("ab", max_size=2)) | st.none(), max_size=8))
def test_keys_of_several_columns_have_a_text_for_each(pairs: list[Hashable]) -> None:
    found, _, sharing = ordered(pairs, 2)
    assert sharing == contested({(): pairs})
    if found.rows:
        columns = (column.split("\0") for column in found.texts[0])
        expected = [tuple(map(str, cast(tuple[Any, ...], pairs[row]))) for row in found.rows]
        assert list(zip(*columns, strict=True)) == expected


def test_numbers_have_fingerprints_of_their_own() -> None:
    for numbers in (range(1000), range(0, 1000 << 32, 1 << 32), range(-1000, 0), range(1 << 62, (1 << 62) + 1000)):
        assert len(set(ordered(list(numbers), 1)[0].prints)) == 1000


def test_texts_have_fingerprints_of_their_own_which_any_process_gives_them() -> None:
    texts = [f"{length * '0'}{number}" for number in range(1000) for length in range(10)]
    assert len(set(ordered(texts, 1)[0].prints)) == len(texts)
    command = [sys.executable, "-c", f"from {ordered.__module__} import *; print(ordered(['a', 'é'], 1)[1].hex())"]
    told = {
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2")
    }
    assert told == {ordered(["a", "é"], 1)[1].hex().encode() + b"\n"}

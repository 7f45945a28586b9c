"""What two batches have in common is told from their fingerprints alone."""

from collections.abc import Hashable
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.claims import fingerprints, key_facts, shared
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


@given(KEYS)
def test_rows_with_a_key_that_others_have_are_found_and_nulls_are_not(
    keys: tuple[list[Hashable], list[Hashable]],
) -> None:
    mine, theirs = keys
    found = shared(fingerprints(mine), fingerprints(theirs))
    assert found >= {row for row, key in enumerate(mine) if key is not None and key in theirs}
    assert not any(mine[row] is None for row in found)


@given(KEYS)
def test_rows_that_share_a_key_within_a_batch_are_rivals(keys: tuple[list[Hashable], list[Hashable]]) -> None:
    values = keys[0] + keys[1]
    assert key_facts([("k",)], lambda _: values).rivals == contested({("k",): values})


def test_batches_without_a_common_key_share_nothing() -> None:
    mine, theirs = list(range(1000)), list(range(1000, 2000))
    assert shared(fingerprints(mine), fingerprints(theirs)) == set()

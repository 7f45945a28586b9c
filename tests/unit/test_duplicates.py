"""Which of several rows with one key is the first."""

from collections.abc import Mapping

from chalicelib.core.duplicates import Key, chains, contested, determines, find_duplicates


def of(*values: int | None) -> Mapping[int, int | None]:
    """The value of each row."""
    return dict(enumerate(values))


def test_the_earlier_row_wins() -> None:
    assert find_duplicates({("k",): of(1, 2, 1)}, lambda row: row) == {2: {("k",): 0}}


def test_earlier_is_by_record_not_by_row() -> None:
    assert find_duplicates({("k",): of(1, 2, 1)}, lambda row: -row) == {0: {("k",): 2}}


def test_a_row_that_loses_one_key_claims_no_other() -> None:
    keys: dict[Key, Mapping[int, int | None]] = {("a",): of(1, 1, 2), ("b",): of(7, 8, 8)}
    assert find_duplicates(keys, lambda row: row) == {1: {("a",): 0}}


def test_a_row_that_the_table_refuses_claims_nothing() -> None:
    assert find_duplicates({("k",): of(1, 1, 1)}, lambda row: row, excluded={0}) == {2: {("k",): 1}}


def test_nulls_meet_nothing() -> None:
    assert find_duplicates({("k",): of(None, None)}, lambda row: row) == {}


def test_only_rows_that_share_a_key_are_contested() -> None:
    assert contested({("a",): [1, 2, 3, None, None], ("b",): [5, 6, 7, 8, 6]}) == {1, 4}


def test_row_that_loses_several_keys_names_the_holder_of_each() -> None:
    keys: dict[Key, Mapping[int, int | None]] = {("a",): of(1, 2, 1), ("b",): of(5, 6, 6)}
    assert find_duplicates(keys, lambda row: row) == {2: {("a",): 0, ("b",): 1}}


def test_each_row_follows_the_last_one_with_its_key() -> None:
    assert chains([1, 2, 1, 1, None, None, 2], lambda row: row) == {2: 0, 3: 2, 6: 1}
    assert chains([1, 2, 1, 1], lambda row: -row) == {2: 3, 0: 2}


def test_value_determines_another_if_they_always_come_together() -> None:
    assert determines(["a", "b", "a", None, None], [1, 1, 1, 2, 3])
    assert not determines(["a", "b", "a"], [1, 1, 2])

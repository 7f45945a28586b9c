"""How many rejected records a dataset bears."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.limits import RATE_FROM, too_many
from chalicelib.core.metadata import VALIDATE_ONLY, asks_to_validate
from chalicelib.core.schema import Dataset
from chalicelib.errors import FileRefused


def limited(**settings: Any) -> Dataset:
    schema = {"fields": [{"name": "a", "type": "integer"}]}
    return parse_dataset({"name": "a", "schema": schema, "dropload": {"on_conflict": "append", **settings}})


def test_without_limits_every_record_may_be_rejected() -> None:
    assert too_many(limited(), 10_000, 10_000, whole=True) is None


@pytest.mark.parametrize("whole", [True, False])
def test_exactly_max_errors_are_fine_and_one_more_is_not(whole: bool) -> None:
    dataset = limited(max_errors=10)
    assert too_many(dataset, 340, 10, whole=whole) is None
    assert too_many(dataset, 340, 11, whole=whole) == (
        "11 of 340 records were rejected; the dataset takes at most 10 (max_errors)"
    )
    assert too_many(limited(max_errors=0), 1, 1, whole=whole) is not None


def test_a_rate_says_nothing_about_the_first_few_records_but_all_about_a_whole_file() -> None:
    dataset = limited(max_error_rate=0.1)
    assert too_many(dataset, RATE_FROM - 1, RATE_FROM - 1, whole=False) is None
    assert too_many(dataset, 2, 1, whole=True) == (
        "1 of 2 records were rejected; the dataset takes at most a share of 0.1 (max_error_rate)"
    )
    assert too_many(dataset, RATE_FROM, RATE_FROM // 10 + 1, whole=False) is not None
    assert too_many(dataset, 0, 0, whole=True) is None


@given(st.integers(0, 99), st.integers(1, 50))
def test_a_rate_is_taken_as_it_is_written(hundredths: int, hundreds: int) -> None:
    dataset = limited(max_error_rate=hundredths / 100)
    rejected, read = hundredths * hundreds, 100 * hundreds
    assert too_many(dataset, read, rejected, whole=True) is None
    assert too_many(dataset, read, rejected + 1, whole=True) is not None


@pytest.mark.parametrize(
    ("metadata", "wanted"),
    [({}, False), ({VALIDATE_ONLY: " True "}, True), ({VALIDATE_ONLY: "false"}, False), ({"other": "true"}, False)],
)
def test_uploaders_ask_for_validation_by_metadata(metadata: dict[str, str], wanted: bool) -> None:
    assert asks_to_validate(metadata) is wanted


@pytest.mark.parametrize("value", ["yes", "1", "", "tru\u0435"])
def test_a_wish_that_is_not_understood_is_refused(value: str) -> None:
    with pytest.raises(FileRefused, match="must be true or false"):
        asks_to_validate({VALIDATE_ONLY: value})

"""An array as one large number does what its numbers do one by one."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.lanes import BITS, above, every, fit, in_order, lanes_of, numbers_above, numbers_of, repeated

SIGNED = st.integers(0, 3) | st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(0, 3) | st.integers(0, 2**BITS - 1)


@given(st.lists(SIGNED))
def test_numbers_become_lanes_and_numbers_again(numbers: list[int]) -> None:
    assert numbers_of(lanes_of(array("q", numbers)), len(numbers)).tolist() == numbers


@given(st.integers(0, 2**63 - 1), st.integers(0, 5))
def test_every_lane_has_the_number(number: int, count: int) -> None:
    assert numbers_of(every(number, count), count).tolist() == [number] * count


@given(st.lists(SIGNED, min_size=1), st.integers(0, 2**63))
def test_numbers_are_so_much_above_the_least_and_back(numbers: list[int], lower: int) -> None:
    least = max(min(numbers) - lower, -(2**63))
    lanes = above(least, array("q", numbers))
    assert lanes == sum(number - least << 64 * place for place, number in enumerate(numbers))
    assert numbers_above(least, lanes, len(numbers)).tolist() == numbers


@given(st.lists(SIGNED), st.integers(0, 63))
def test_they_fit_where_none_is_negative_or_too_large(numbers: list[int], bits: int) -> None:
    fits = all(0 <= number < 2**bits for number in numbers)
    assert fit(lanes_of(array("q", numbers)), len(numbers), bits) == fits


@given(st.lists(SMALL))
def test_they_are_put_in_their_order(numbers: list[int]) -> None:
    lanes = in_order(lanes_of(array("q", numbers)), len(numbers))
    assert numbers_of(lanes, len(numbers)).tolist() == sorted(numbers)


@given(st.lists(SMALL))
def test_what_is_there_twice_is_found(numbers: list[int]) -> None:
    lanes = lanes_of(array("q", sorted(numbers)))
    assert repeated(lanes, len(numbers)) == {number for number in numbers if numbers.count(number) > 1}

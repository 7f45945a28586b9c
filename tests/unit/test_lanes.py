"""An array as one large number does what its numbers do one by one."""

from array import array
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.lanes import BITS, above, back_above, changed, every, fit, in_order, repeated, rising

SIGNED = st.integers(0, 3) | st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(0, 3) | st.integers(0, 2**BITS - 1)
LONG = 10_000  # more than what is changed at once


def numbers_of(lanes: int, count: int) -> list[int]:
    return changed(array("q", bytes(8 * count)), lambda _, _count, _start: lanes).tolist()


@given(st.lists(SIGNED), st.integers(0, LONG))
def test_numbers_become_lanes_and_numbers_again(numbers: list[int], more: int) -> None:
    numbers = [*range(more), *numbers]
    assert changed(array("q", numbers), lambda lanes, _count, _start: lanes).tolist() == numbers


@given(st.integers(0, LONG))
def test_it_is_known_which_number_a_lane_is(length: int) -> None:
    numbers = changed(array("q", bytes(8 * length)), lambda _, count, start: rising(start, count))
    assert numbers.tolist() == list(range(length))


@given(st.integers(0, 2**63 - 1), st.integers(0, 5))
def test_every_lane_has_the_number(number: int, count: int) -> None:
    assert numbers_of(every(number, count), count) == [number] * count


@given(st.lists(SIGNED, min_size=1), st.integers(0, 2**63))
def test_numbers_are_so_much_above_the_least_and_back(numbers: list[int], lower: int) -> None:
    least = max(min(numbers) - lower, -(2**63))
    found: list[int] = []

    def there_and_back(lanes: int, count: int, _start: int) -> int:
        higher = above(least, lanes, count)
        found.append(higher)
        return back_above(least, higher, count)

    assert changed(array("q", numbers), there_and_back).tolist() == numbers
    assert found == [sum(number - least << 64 * place for place, number in enumerate(numbers))]


@given(st.lists(SIGNED), st.integers(0, 63))
def test_they_fit_where_none_is_negative_or_too_large(numbers: list[int], bits: int) -> None:
    assert fit(array("q", numbers), bits) == all(0 <= number < 2**bits for number in numbers)


@given(st.lists(SMALL), st.integers(0, LONG))
def test_they_are_put_in_their_order(numbers: list[int], more: int) -> None:
    numbers = [*range(more), *numbers]
    assert in_order(array("q", numbers)).tolist() == sorted(numbers)


@given(st.lists(SMALL), st.integers(0, LONG))
def test_what_is_there_twice_is_found(numbers: list[int], more: int) -> None:
    numbers = sorted([*range(more), *numbers])
    assert repeated(array("q", numbers)) == {number for number, many in Counter(numbers).items() if many > 1}

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.backoff import ATTEMPTS, HOPELESS_AFTER, SCHEDULE, is_hopeless, pause_after, retry_after

luck = st.floats(0, 1, exclude_max=True)


@given(st.lists(luck, min_size=20, max_size=20))
def test_a_delivery_that_always_fails_is_made_ten_times_over_three_days(lucks: list[float]) -> None:
    waited, attempts = 0.0, 1
    while (delay := retry_after(attempts, waited, lucks[attempts])) is not None:
        assert SCHEDULE[attempts - 1] <= delay <= SCHEDULE[attempts - 1] * 1.1
        waited, attempts = waited + delay, attempts + 1
    assert attempts == ATTEMPTS == 10
    assert 3.1 < waited / 86_400 < 3.5


@given(st.integers(1, 500), luck)
def test_attempts_before_their_time_make_nobody_give_up_sooner(attempts: int, chance: float) -> None:
    assert retry_after(attempts, sum(SCHEDULE) - 1, chance) is not None


@given(st.integers(1, 500))
def test_an_endpoint_is_never_left_alone_for_longer_than_a_queue_can_keep_a_message(failures: int) -> None:
    assert 0 < pause_after(failures) <= pause_after(failures + 1) <= 900


def test_an_endpoint_is_given_up_only_after_many_failures_and_many_days() -> None:
    assert is_hopeless(ATTEMPTS, HOPELESS_AFTER)
    assert not is_hopeless(ATTEMPTS - 1, 10 * HOPELESS_AFTER)  # two events a week apart
    assert not is_hopeless(1000, HOPELESS_AFTER - 1)

from itertools import pairwise

import pytest

from chalicelib.core.attempts import MOST_ATTEMPTS, Attempts, attempts_metadata, attempts_of, retry_seconds
from chalicelib.errors import FileRefused


def test_each_wait_is_twice_as_long_as_the_one_before_up_to_six_hours() -> None:
    waits = [retry_seconds(n) for n in range(1, 1_000)]
    assert waits[:4] == [300, 600, 1200, 2400]
    assert all(later in (2 * earlier, 6 * 3600) for earlier, later in pairwise(waits))
    assert max(waits) == 6 * 3600


@pytest.mark.parametrize("attempts", [Attempts(), Attempts(3), Attempts(0, 1), Attempts(7, MOST_ATTEMPTS)])
def test_what_is_written_is_read(attempts: Attempts) -> None:
    assert attempts_of(attempts_metadata(attempts)) == attempts
    assert attempts_of({"other": "x"}) == Attempts()


@pytest.mark.parametrize(
    ("name", "value"),
    [("max-attempts", value) for value in ("0", "21", "-1", "", "many", "1.5", "\u0661", "9" * 5_000)]
    + [("attempts", value) for value in ("-1", "1001", "x")],
)
def test_what_is_no_number_within_limits_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(FileRefused, match=f"x-amz-meta-dropload-{name} must be a whole number from"):
        attempts_of({f"dropload-{name}": value})

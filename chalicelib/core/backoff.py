"""When a delivery that failed is tried again, and when its endpoint is. All times are seconds."""

SCHEDULE = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""What Standard Webhooks suggests to wait after the first failure, the second ..."""
PAUSES = (5, 10, 30, 60, 120, 300, 600, 900)
"""How long an endpoint is left alone after so many failures in a row, whatever else is due to it."""
HOPELESS_AFTER = 5 * 86_400
"""An endpoint at which nothing has succeeded for so long is disabled."""
ATTEMPTS = len(SCHEDULE) + 1
_JITTER = 0.1


def retry_after(attempts: int, waited: float, luck: float) -> float | None:
    """How long to wait after so many attempts, all of which failed; None where it is time to give up.

    Both must have come to an end, the attempts of the schedule and its time, ``waited`` since the first attempt: so
    that attempts that were made before their time cost no later ones. ``luck`` is random, from 0 to 1: those who failed
    together do not come back together.
    """
    if attempts >= ATTEMPTS and waited >= sum(SCHEDULE):
        return None
    return SCHEDULE[min(attempts, len(SCHEDULE)) - 1] * (1 + _JITTER * luck)


def pause_after(failures: int) -> float:
    """How long to leave an endpoint alone that has failed so many times in a row."""
    return float(PAUSES[min(failures, len(PAUSES)) - 1])


def is_hopeless(failures: int, failing_for: float) -> bool:
    """Whether an endpoint is to be disabled that has failed so many times, for so long, without any success."""
    return failures >= ATTEMPTS and failing_for >= HOPELESS_AFTER

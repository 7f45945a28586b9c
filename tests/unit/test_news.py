import json
from datetime import UTC, datetime

import pytest

from chalicelib.core.news import Event, news_of, render
from chalicelib.core.states import JobState

COMPLETED, FAILED, CHANGED = Event.JOB_COMPLETED, Event.JOB_FAILED, Event.RECORDS_CHANGED


@pytest.mark.parametrize(
    ("state", "changed", "validate_only", "news"),
    [
        (JobState.COMPLETED, 0, False, (COMPLETED,)),
        (JobState.COMPLETED, 5, False, (COMPLETED, CHANGED)),
        (JobState.COMPLETED_WITH_FAILURES, 5, False, (COMPLETED, CHANGED)),
        (JobState.COMPLETED, 5, True, (COMPLETED,)),
        (JobState.FAILED, 0, False, (FAILED,)),
        (JobState.FAILED, 5, False, (FAILED, CHANGED)),
        (JobState.CANCELLED, 5, False, (CHANGED,)),
        (JobState.CANCELLED, 0, False, ()),
    ],
)
def test_rows_that_a_job_changed_are_told_however_it_ended(
    state: JobState, changed: int, validate_only: bool, news: tuple[Event, ...]
) -> None:
    assert news_of(state, changed, validate_only=validate_only) == news


def test_a_body_has_type_timestamp_and_data() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
    body = render(COMPLETED, at, {"id": "é"})
    assert json.loads(body) == {"type": "job.completed", "timestamp": "2026-01-02T03:04:05.678Z", "data": {"id": "é"}}

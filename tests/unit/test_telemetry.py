"""Telemetry: every millisecond is booked once, and phases add up."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.services.metrics import Metric
from chalicelib.services.telemetry import current, note, working


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0, 100, allow_nan=False), max_size=50))
def test_no_time_is_booked_twice_or_lost(passing: Sequence[float]) -> None:
    clock = Clock()
    with working("load", clock=clock) as work:
        booked = 0
        for seconds in passing:
            clock.now += seconds
            booked += work.book().ms
    assert abs(booked - 1000 * (clock.now - 1000)) <= 1


def test_phases_are_what_passed_since_the_last_lap() -> None:
    clock = Clock()
    with working("load", clock=clock) as work:
        for seconds, phase in [(1, None), (2, "read"), (3, "place"), (4, "place"), (5, "book")]:
            clock.now += seconds
            work.lap(phase)
    assert work.phases == {"read": 2, "place": 7, "book": 5}


def test_inner_work_has_the_outer_fields_and_leaves_it_alone() -> None:
    with working("sweep", request_id="r"):
        with working(job="j"):
            note(dataset="members")
            assert current().fields == {"function": "sweep", "request_id": "r", "job": "j", "dataset": "members"}
        assert current().fields == {"function": "sweep", "request_id": "r"}
    note(job="nobody's")
    assert current().fields == {}


def test_each_metric_has_the_unit_that_its_name_promises() -> None:
    assert Metric.READ_SECONDS.unit == "Seconds"
    assert Metric.BYTES_LOADED.unit == "Bytes"
    assert Metric.RECORDS_READ.unit == "Count"

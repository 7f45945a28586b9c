"""What a job cost: computed by hand here."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters import s3
from chalicelib.core.cost import PART_BYTES, PRICES, Facts, Prices, Work, receipt, writes

PLAIN = Prices(
    region="here",
    as_of="today",
    gb_second=1000.0,
    invocation=100.0,
    s3_read=10.0,
    s3_write=1.0,
    sqs_request=0.1,
)
FACTS = Facts(
    wall_seconds=20.0,
    loading_seconds=10.0,
    read=1000,
    rejected=1,
    fetched=0,
    staged_writes=0,
    batches=12,
    work={
        "split": Work(times=1, worked_ms=2_000, mb_ms=2_000 * 512),
        "load": Work(times=13, worked_ms=30_000, mb_ms=30_000 * 1024),
        "finalise": Work(times=1, worked_ms=1_000, mb_ms=1_000 * 1024),
    },
)


def test_a_receipt_is_what_a_person_would_work_out() -> None:
    found = receipt(FACTS, PLAIN)
    assert found == {
        "wall_seconds": 20.0,
        "rows_per_second": 100.0,
        "worked_seconds": {"finalise": 1.0, "load": 30.0, "split": 2.0},
        "gb_seconds": 32.0,  # 2 s x 0.5 GB + 30 s x 1 GB + 1 s x 1 GB
        # 1 split and 13 attempts, each with a message that is received and deleted; 12 batches are sent in 2 requests.
        "requests": {"invocations": 14, "s3_read": 15, "s3_write": 2, "sqs": 30},
        "cost_usd": pytest.approx(32 * 1000 + 14 * 100 + 15 * 10 + 2 * 1 + 30 * 0.1),
        "prices": {"region": "here", "as_of": "today"},
    }


def test_what_is_staged_or_fetched_is_written_and_a_clean_job_has_no_error_file() -> None:
    assert receipt(replace(FACTS, staged_writes=48), PLAIN)["requests"]["s3_write"] == 50
    assert receipt(replace(FACTS, rejected=0), PLAIN)["requests"]["s3_write"] == 1
    fetching = replace(FACTS, fetched=10**9, work={**FACTS.work, "fetch": Work(1, 1000, 1000)})
    assert receipt(fetching, PLAIN)["requests"]["s3_write"] == 2 + 2 + 120  # a gigabyte in parts of 8 MiB


def test_objects_are_written_as_s3_takes_them() -> None:
    assert s3._PART == PART_BYTES
    assert [writes(size) for size in (0, 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES)] == [1, 1, 1, 4, 4]


def test_a_file_that_was_refused_at_once_has_a_receipt() -> None:
    refused = Facts(1.0, None, 0, 0, fetched=0, staged_writes=0, batches=0, work={})
    found = receipt(refused, PLAIN)
    assert found["rows_per_second"] is None
    assert found["requests"] == {"invocations": 1, "s3_read": 2, "s3_write": 1, "sqs": 2}


@given(st.integers(0, 10**6), st.integers(0, 10**9), st.integers(128, 10240))
def test_more_work_never_costs_less(times: int, ms: int, memory_mb: int) -> None:
    more = {**FACTS.work, "convert": Work(times, ms, ms * memory_mb)}
    assert receipt(replace(FACTS, work=more))["cost_usd"] >= receipt(FACTS)["cost_usd"]


def test_prices_say_where_and_when() -> None:
    assert PRICES.region
    assert PRICES.as_of
    assert 0 < PRICES.sqs_request < PRICES.s3_write < PRICES.gb_second < 0.001

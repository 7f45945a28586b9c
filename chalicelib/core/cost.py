"""What a job took and cost: pure arithmetic on what the ledger has of it, and on a price list.

Only Lambda, S3 and SQS are in it, whose prices are by use. The database, the logs, what is stored and what goes out
over the network are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MB_MS_IN_GB_SECOND = 1024 * 1000
PART_BYTES = 8 * 1024 * 1024
"""Larger objects are written in parts of this size: a request each, one more to begin and one to end."""
_MESSAGES_AT_ONCE = 10  # in one request that sends batches


@dataclass(frozen=True, slots=True)
class Prices:
    """USD, each for one; of which region and when they were looked up."""

    region: str
    as_of: str
    gb_second: float
    invocation: float
    s3_read: float
    s3_write: float
    sqs_request: float


PRICES = Prices(
    # AWS's list prices, without free tiers, savings plans and volume discounts. To be checked now and then against
    # https://aws.amazon.com/lambda/pricing, https://aws.amazon.com/s3/pricing and https://aws.amazon.com/sqs/pricing.
    region="us-east-1",
    as_of="2025-06",
    gb_second=0.0000166667,  # x86, the first 6 billion a month
    invocation=0.20 / 1_000_000,
    s3_read=0.0004 / 1_000,  # GET and HEAD, S3 Standard
    s3_write=0.005 / 1_000,  # PUT
    sqs_request=0.40 / 1_000_000,  # standard queues
)
"""The one place for prices: another region's or year's go here."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one function did for a job: its invocations, milliseconds, and these times its megabytes."""

    times: int = 0
    worked_ms: int = 0
    mb_ms: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What the ledger has of a job. ``loading_seconds`` are since its header was read, None where it was not.

    ``fetched`` are the bytes that we have put under ``input/`` ourselves; ``staged_writes`` the requests that wrote its
    batches under ``staging/``. ``work`` is by function: fetch, split, convert, load (whose times are attempts at
    batches), finalise.
    """

    wall_seconds: float
    loading_seconds: float | None
    read: int
    rejected: int
    fetched: int
    staged_writes: int
    batches: int
    work: Mapping[str, Work]


def receipt(facts: Facts, prices: Prices = PRICES) -> dict[str, Any]:
    """What a job took, as the API and the manifest show it. Requests are computed, not counted: retries are not in.

    Invocations that were killed have no times: they count as invocations only.
    """
    requests = _requests(facts)
    gb_seconds = sum(work.mb_ms for work in facts.work.values()) / MB_MS_IN_GB_SECOND
    cost = (
        gb_seconds * prices.gb_second
        + requests["invocations"] * prices.invocation
        + requests["s3_read"] * prices.s3_read
        + requests["s3_write"] * prices.s3_write
        + requests["sqs"] * prices.sqs_request
    )
    seconds = facts.loading_seconds
    return {
        "wall_seconds": round(facts.wall_seconds, 3),
        "rows_per_second": round(facts.read / seconds, 1) if seconds and facts.read else None,
        "worked_seconds": {what: work.worked_ms / 1000 for what, work in sorted(facts.work.items())},
        "gb_seconds": round(gb_seconds, 6),
        "requests": requests,
        "cost_usd": round(cost, 9),
        "prices": {"region": prices.region, "as_of": prices.as_of},
    }


def _requests(facts: Facts) -> dict[str, int]:
    """By what they are charged for. Who finishes a job does so in an invocation that has been counted.

    A splitter asks once what the uploader said of the object, and reads it in one request; a loader reads its batch in
    one. A message is received and deleted; S3 sends its own for nothing.
    """
    nothing = Work()
    fetch, split, convert = (facts.work.get(what, nothing).times for what in ("fetch", "split", "convert"))
    split = max(split, 1)  # also where the file was refused before anything of it was booked
    loads = facts.work.get("load", nothing).times
    invocations = fetch + split + convert + loads
    sent = fetch + split - 1 + convert + -(-facts.batches // _MESSAGES_AT_ONCE)
    return {
        "invocations": invocations,
        "s3_read": 1 + split + convert + loads,
        "s3_write": 1 + (facts.rejected > 0) + facts.staged_writes + (writes(facts.fetched) if fetch else 0),
        "sqs": 2 * invocations + sent,
    }


def writes(size: int) -> int:
    """The requests that write an object of this size, in bytes."""
    return 1 if size <= PART_BYTES else 2 + -(-size // PART_BYTES)

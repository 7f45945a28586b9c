"""Receipts."""

from uuid import UUID

from chalicelib.api.models.common import Output


class Requests(Output):
    """By what AWS charges for: invocations of functions, reads and writes of S3, requests of SQS. Computed."""

    invocations: int
    s3_read: int
    s3_write: int
    sqs: int


class PriceList(Output):
    """Which prices the cost was estimated with."""

    region: str
    as_of: str


class Receipt(Output):
    """What a job took. Seconds worked are by function; the cost is an estimate, of Lambda, S3 and SQS."""

    job: UUID
    wall_seconds: float
    rows_per_second: float | None
    worked_seconds: dict[str, float]
    gb_seconds: float
    requests: Requests
    cost_usd: float
    prices: PriceList

"""Overview: how things stand, told every time that the sweep has run."""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.services.metrics import Metric
from chalicelib.services.telemetry import Meter


@dataclass(frozen=True, slots=True)
class Gauges:
    """Jobs that are open; seconds since the first of those that nobody has begun was dropped."""

    jobs_open: int
    oldest_pending_seconds: float


class Instruments(Protocol):
    """What tells how things stand."""

    def read(self) -> Gauges: ...


class Overview:
    """Measures what no single invocation sees."""

    def __init__(self, *, instruments: Instruments, meter: Meter) -> None:
        self._instruments = instruments
        self._meter = meter

    def swept(self, jobs: int) -> None:
        """The sweep has run, and helped this many jobs on."""
        gauges = self._instruments.read()
        self._meter.report(
            "swept",
            {
                Metric.SWEEPS: 1,
                Metric.SWEPT: jobs,
                Metric.JOBS_OPEN: gauges.jobs_open,
                Metric.OLDEST_PENDING_SECONDS: gauges.oldest_pending_seconds,
            },
        )

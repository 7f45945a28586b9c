"""Overview: how things stand, told every time that the sweep has run."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from chalicelib.errors import Transient
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

    def swept(self, found: Mapping[str, int]) -> None:
        """The sweep has run: numbers of what it has found and done, in one line, with how things stand after it."""
        metrics: dict[Metric, float] = {Metric.SWEEPS: 1}
        metrics |= {Metric("Swept" + name.title().replace("_", "")): number for name, number in found.items()}
        with suppress(Transient):  # then the sweep has failed of it, too, and says so
            gauges = self._instruments.read()
            metrics[Metric.JOBS_OPEN] = gauges.jobs_open
            metrics[Metric.OLDEST_PENDING_SECONDS] = gauges.oldest_pending_seconds
        self._meter.report("swept", metrics)

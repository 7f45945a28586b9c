"""Without a simulation: no stage is passed faster than it goes when it is never idle."""

import math
from dataclasses import dataclass

from benchmarks.scaling.clock import speed
from benchmarks.scaling.inputs import Inputs, Policy, Size
from benchmarks.scaling.simulation import tail_seconds


@dataclass(frozen=True)
class Bounds:
    """Rows a second of each stage, and of what is narrowest."""

    stages: dict[str, float]

    @property
    def narrowest(self) -> str:
        return min(self.stages, key=lambda stage: self.stages[stage])

    @property
    def rate(self) -> float:
        return self.stages[self.narrowest]


def bounds(inputs: Inputs, policy: Policy, size: Size, workers: int) -> Bounds:
    """What each stage lets through with so many workers.

    A worker's own time grows with the number of the others where they claim keys: that is the coherency of the
    universal scalability law, and what ``contention`` does to the database is its contention.
    """
    rows = inputs.batch_rows
    mb = rows * inputs.row_bytes / 1e6
    workers = min(workers, math.ceil(inputs.rows / rows))
    alone, holding = batch_seconds(inputs, policy, size), _holding(inputs, policy, size)
    pair = rows * inputs.keys * pair_us(inputs) / 1e6 if policy.claims else 0.0
    others = 0.0  # who hold claims while this one looks: that depends on how long all take, which depends on it
    for _ in range(200):
        others = (workers - 1) * (holding + others * pair) / (alone + others * pair)
    stages = {
        "loaders": workers * rows / (alone + others * pair),
        "database CPU": speed(workers, size.vcpu, inputs.contention, inputs.crowding) / policy.cpu_us * 1e6,
        "database disk": size.disk_mb_s * 1e6 / policy.disk_bytes,
        "job row": rows / inputs.commit_s,
        "splitter": rows / (mb / inputs.s3_mb_s + mb / inputs.cut_mb_s / inputs.split_share),
    }
    if policy.claims:
        stages["claims' lock"] = rows / _claiming(inputs)
    return Bounds(stages)


def batch_seconds(inputs: Inputs, policy: Policy, size: Size) -> float:
    """A full batch when nobody else is there, in the mean."""
    mb = inputs.batch_rows * inputs.row_bytes / 1e6
    seconds = inputs.batch_overhead_s + inputs.s3_first_byte_s + mb / inputs.s3_mb_s * (1 + inputs.s3_spread)
    seconds += mb / inputs.parse_mb_s / inputs.load_share + _holding(inputs, policy, size)
    if policy.claims:
        seconds += inputs.batch_rows * inputs.keys * inputs.key_us / 1e6 / inputs.load_share + _claiming(inputs)
    return seconds


def _holding(inputs: Inputs, policy: Policy, size: Size) -> float:
    """From a batch's claim to its end."""
    a_row = max(policy.cpu_us, policy.disk_bytes / size.disk_mb_s, inputs.send_us / inputs.load_share)
    return inputs.batch_rows * a_row / 1e6 + inputs.commit_s


def _claiming(inputs: Inputs) -> float:
    return inputs.batch_rows * inputs.keys * inputs.claim_write_us / 1e6 + inputs.commit_s


def pair_us(inputs: Inputs) -> float:
    """Of a loader, for each row and key of each other batch that is being loaded."""
    return inputs.claim_wire_bytes / inputs.claim_mb_s + inputs.claim_compare_us / inputs.load_share


def seconds(inputs: Inputs, policy: Policy, size: Size, workers: int) -> float:
    """The whole job: the first batch on its way, all batches through the narrowest stage, the finaliser."""
    found = bounds(inputs, policy, size, workers)
    first = inputs.batch_rows / found.stages["splitter"] + 2 * inputs.cold_start_s
    one = bounds(inputs, policy, size, 1).stages["loaders"]
    last = inputs.batch_rows / one if found.narrowest != "loaders" else 0.0
    return first + inputs.rows / found.rate + last + tail_seconds(inputs, policy, inputs.rows)

"""One file of many records, from its announcement to its job's end, simulated batch by batch.

As the code does it: ``services/cutting.py`` books and sends batches in groups; ``services/load.py`` reads a batch,
claims its keys (one at a time in each dataset), places its rows and books them in the job's row, which one batch at a
time may hold; ``services/finalise.py`` ends the job alone. Not simulated: failures, other jobs, autovacuum.
"""

import math
import random
from collections import deque
from dataclasses import dataclass, field

from benchmarks.scaling.clock import Clock, Cores, Event, Line, Process, Seats, Wait, together
from benchmarks.scaling.inputs import Inputs, Policy, Size

MOST_GROUP = 10
"""Batches that the splitter sends at once (``services/cutting.py``)."""
RETRIES = (30.0, 180.0, 1080.0, 5400.0)
"""Seconds until a failed message comes again (``services/retries.py``); the next failure is the last."""
_PRINTS = 2**52


@dataclass(frozen=True)
class Run:
    """What is asked: so many ``workers`` at most, and whether connections are ``pooled`` outside the database.

    ``one_machine``: loaders and splitter take the database's cores instead of having their own.
    """

    inputs: Inputs
    policy: Policy
    size: Size
    workers: int
    pooled: bool = False
    one_machine: bool = False
    seed: int = 1


@dataclass
class Outcome:
    """Simulated seconds, and what became of each batch. ``busy`` are shares of the time until the last batch."""

    rows: int = 0
    seconds: float = 0.0
    loading_s: float = 0.0
    tail_s: float = 0.0
    loaded: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    refused: int = 0
    most_at_once: int = 0
    loader_mb: float = 0.0
    gb_seconds: float = 0.0
    requests: int = 0
    busy: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Rows a second while batches are loaded."""
        return self.rows / self.loading_s


@dataclass
class _Batch:
    number: int
    rows: int
    size: float
    failures: int = 0


@dataclass
class _Claim:
    rows: int
    ended: Event


class _Worker:
    def __init__(self) -> None:
        self.connected = False
        self.warm = False


class Simulation:
    """Simulates one run; ``outcome`` has the result."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.inputs, self.policy = run.inputs, run.policy
        self.outcome = Outcome()
        self.clock = clock = Clock()
        self.random = random.Random(run.seed)
        self.cores = Cores(clock, run.size.vcpu, self.inputs.contention, self.inputs.crowding)
        self.disk, self.claim_line, self.job_row = Line(clock), Line(clock), Line(clock)
        self.seats = Seats(clock, self.inputs.connections)
        self.connected = 0
        self.claims: dict[int, _Claim] = {}
        self.messages: deque[_Batch] = deque()
        self.idle: list[_Worker] = []
        self.workers = 0
        self.first_message: float | None = None
        self.open = self.total = math.ceil(self.inputs.rows / self.inputs.batch_rows)
        clock.start(self._split())
        clock.run()

    def _split(self) -> Process:
        """Reads, cuts, and sends in groups that grow: 1, 2, 4, 8, 10."""
        inputs, group, waiting = self.inputs, 1, list[_Batch]()
        yield self.clock.sleep(0.0 if self.run.one_machine else inputs.cold_start_s)
        for number in range(1, self.total + 1):
            rows = min(inputs.batch_rows, int(inputs.rows) - (number - 1) * inputs.batch_rows)
            size = rows * inputs.row_bytes
            yield self.clock.sleep(size / 1e6 / inputs.s3_mb_s)
            yield self._python(size / 1e6 / inputs.cut_mb_s, inputs.split_share)
            waiting.append(_Batch(number, rows, size))
            if len(waiting) >= group or number == self.total:
                yield self.clock.sleep(inputs.send_s)
                self.first_message = self.clock.now if self.first_message is None else self.first_message
                self.messages.extend(waiting)
                group, waiting = min(group * 2, MOST_GROUP), []
                self._dispatch()
        self.outcome.gb_seconds += self.clock.now * inputs.split_memory_mb / 1024
        self.outcome.busy["splitter"] = self.clock.now

    def _python(self, seconds: float, share: float) -> Wait:
        if self.run.one_machine:
            return self.cores.work(seconds)
        return self.clock.sleep(seconds / share)

    def _dispatch(self) -> None:
        """Messages to whoever is free; more loaders as fast as Lambda starts them."""
        while self.messages:
            if not self.idle:
                if not self._may_start():
                    return
                self.workers += 1
                self.idle.append(_Worker())
            self.clock.start(self._work(self.idle.pop(), self.messages.popleft()))
            self.outcome.most_at_once = max(self.outcome.most_at_once, self.workers - len(self.idle))

    def _may_start(self) -> bool:
        inputs, first = self.inputs, self.first_message
        if first is None or self.workers >= self.run.workers:
            return False
        if self.run.one_machine or self.workers < inputs.first_workers:
            return True
        due = first + (self.workers + 1 - inputs.first_workers) / inputs.more_workers_a_second
        if due <= self.clock.now + 1e-9:
            return True
        self.clock.after(due - self.clock.now, self._dispatch)
        return False

    def _work(self, worker: _Worker, batch: _Batch) -> Process:
        began = self.clock.now
        if not worker.warm and not self.run.one_machine:
            yield self.clock.sleep(self.inputs.cold_start_s)
        worker.warm = True
        self.outcome.requests += 1
        if self._connects(worker):
            yield from self._load(batch)
            self.outcome.loaded.append(batch.number)
            self.outcome.rows += batch.rows
            self._ended(batch)
        else:
            self._refused(batch)
        self.outcome.gb_seconds += (self.clock.now - began) * self.inputs.load_memory_mb / 1024
        self.idle.append(worker)
        self._dispatch()

    def _connects(self, worker: _Worker) -> bool:
        """A loader keeps its connection; one too many is refused, unless a pooler lets it wait."""
        if not worker.connected and not self.run.pooled:
            if self.connected >= self.inputs.connections:
                return False
            self.connected += 1
            worker.connected = True
        return True

    def _refused(self, batch: _Batch) -> None:
        self.outcome.refused += 1
        if batch.failures == len(RETRIES):
            self.outcome.failed.append(batch.number)
            self._ended(batch)
            return

        def again() -> None:
            self.messages.append(batch)
            self._dispatch()

        self.clock.after(RETRIES[batch.failures], again)
        batch.failures += 1

    def _load(self, batch: _Batch) -> Process:
        inputs, policy, clock = self.inputs, self.policy, self.clock
        yield clock.sleep(inputs.batch_overhead_s)
        slower = 1 + (self.random.expovariate(1 / inputs.s3_spread) if inputs.s3_spread else 0.0)
        yield clock.sleep(inputs.s3_first_byte_s + batch.size / 1e6 / inputs.s3_mb_s * slower)
        keys = inputs.keys * inputs.key_us * batch.rows / 1e6 if policy.claims else 0.0
        yield self._python(batch.size / 1e6 / inputs.parse_mb_s + keys, inputs.load_share)
        if self.run.pooled:
            yield self.seats.take()
        rivals: list[_Claim] = []
        read, most = 0.0, 0
        if policy.claims:
            yield self.claim_line.serve(self.claim_seconds(batch.rows))
            claimed = [claim.rows for claim in self.claims.values()]
            read, most = sum(claimed) * inputs.keys, max(claimed, default=0)
            rivals = [claim for claim in self.claims.values() if self._seem_shared(claim.rows, batch.rows)]
            self.claims[batch.number] = _Claim(batch.rows, Event(clock))
            yield clock.sleep(read * inputs.claim_wire_bytes / 1e6 / inputs.claim_mb_s)
            yield self._python(read * inputs.claim_compare_us / 1e6, inputs.load_share)
        memory = (
            inputs.base_memory_mb + (batch.size * inputs.batch_memory_factor + most * inputs.claim_wire_bytes) / 1e6
        )
        self.outcome.loader_mb = max(self.outcome.loader_mb, memory)
        yield together(
            self.cores.work((batch.rows * policy.cpu_us + read * inputs.claim_read_us) / 1e6),
            self.disk.serve(batch.rows * policy.disk_bytes / 1e6 / self.run.size.disk_mb_s),
            self._python(batch.rows * inputs.send_us / 1e6, inputs.load_share),
        )
        for claim in rivals:
            yield claim.ended.wait
        yield self.job_row.serve(inputs.commit_s)
        if policy.claims:
            self.claims.pop(batch.number).ended.come()
        if self.run.pooled:
            self.seats.give_back()

    def claim_seconds(self, rows: int) -> float:
        """For which a batch that claims keeps all others of its dataset from claiming."""
        return rows * self.inputs.keys * self.inputs.claim_write_us / 1e6 + self.inputs.commit_s

    def _seem_shared(self, theirs: int, mine: int) -> bool:
        """Whether two batches without a common key have a common fingerprint of 52 bits."""
        return self.random.random() < -math.expm1(-theirs * mine * self.inputs.keys / _PRINTS)

    def _ended(self, batch: _Batch) -> None:
        self.open -= 1
        if self.open == 0:
            self.clock.start(self._finalise())

    def _finalise(self) -> Process:
        outcome, inputs = self.outcome, self.inputs
        outcome.loading_s = self.clock.now
        for name, line in (("disk", self.disk), ("claims", self.claim_line), ("job row", self.job_row)):
            outcome.busy[name] = line.busy / outcome.loading_s
        outcome.busy["splitter"] /= outcome.loading_s
        outcome.busy["database"] = self.cores.busy / self.run.size.vcpu / outcome.loading_s
        outcome.tail_s = tail_seconds(inputs, self.policy, outcome.rows)
        yield self.clock.sleep(outcome.tail_s)
        outcome.gb_seconds += outcome.tail_s * inputs.load_memory_mb / 1024
        outcome.seconds = self.clock.now


def tail_seconds(inputs: Inputs, policy: Policy, rows: float) -> float:
    """What the finaliser does alone when all rows are there: the error file, and what the policy leaves for the end."""
    return rows * inputs.rejected_share / inputs.error_rows_a_second + rows * policy.tail_us / 1e6


def simulate(run: Run) -> Outcome:
    """Load the file. Deterministic: the same run has the same outcome."""
    return Simulation(run).outcome

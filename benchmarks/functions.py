"""The Lambda functions in processes of their own: the handlers of app.py, called as Lambda calls them.

Only SQS is replaced, by queues between processes. Each process imports this module first, so it imports little.
"""

import json
import os
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any
from uuid import UUID

# A process that starts from nothing has a memory of its own: what it peaks at is what a Lambda would.
PROCESSES = get_context("spawn")

Message = tuple[str, str]
"""The function that a message is for, and its body; an empty function's name asks the process to end."""

Spans = dict[str, tuple[int, float, float, float]]
"""By phase: calls, seconds, seconds of CPU, peak MB (0 where not measured)."""


@dataclass(frozen=True)
class Invocation:
    """A handler's call that has ended; times by the clock that all processes of a machine share."""

    function: str
    began: float
    ended: float
    error: str | None = None


@dataclass(frozen=True)
class Ended:
    """What a process took from the start of the clock on."""

    function: str
    peak_mb: float
    cpu_seconds: float
    spans: Spans = field(default_factory=dict)


@dataclass(frozen=True)
class Lanes:
    """The queues between the processes: to the splitter, to the loaders, and back."""

    intake: "Queue[Message]"
    batches: "Queue[Message]"
    results: "Queue[Invocation | Ended]"

    @classmethod
    def new(cls) -> "Lanes":
        return cls(PROCESSES.Queue(), PROCESSES.Queue(), PROCESSES.Queue())


class Messages:
    """``services.ports.Queues`` on lanes."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    def send_batches(self, id: UUID, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._lanes.batches.put(("load", json.dumps({"job": str(id), "batch": number})))

    def send_split(self, id: UUID) -> None:
        self._lanes.intake.put(("split", json.dumps({"job": str(id)})))

    def send_convert(self, id: UUID) -> None:
        self._lanes.intake.put(("convert", json.dumps({"job": str(id)})))

    def send_notify(self, delay: int = 0) -> None:
        """Nobody reads mail here; that the outbox holds one is in the books."""

    def hide(self, delivery: object, seconds: int) -> None:
        """Nothing comes again here: an invocation that fails ends the benchmark, with what it failed of."""

    def ping(self) -> None:
        """They are there."""


class Context:
    """What Lambda tells a handler of its invocation: that it has all its time."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def serve(
    function: str,
    environment: Mapping[str, str],
    datasets: Mapping[str, Any],
    lanes: Lanes,
    start: Any,
    *,
    traced: bool,
) -> None:
    """Be a warm Lambda environment: all imported and connected before ``start``, then one message after the other."""
    try:
        spans = _warm_up(environment, datasets, lanes, traced=traced)
    except BaseException:
        start.abort()  # nobody need wait for us
        raise
    app = import_module("app")
    start.wait()
    spans.clear()
    cpu = time.process_time()
    inbox = lanes.intake if function == "split" else lanes.batches
    while (message := inbox.get())[0]:
        began = time.perf_counter()
        error = None
        try:
            getattr(app, message[0])(_event(message), Context())
        except Exception:
            error = traceback.format_exc()
        lanes.results.put(Invocation(message[0], began, time.perf_counter(), error))
    lanes.results.put(Ended(function, peak_mb(), time.process_time() - cpu, dict(spans)))


def _warm_up(environment: Mapping[str, str], datasets: Mapping[str, Any], lanes: Lanes, *, traced: bool) -> Spans:
    """Import and build all that a function needs, and connect; what it will have taken, if it is ``traced``."""
    os.environ.update(environment)
    here = import_module("chalicelib.bootstrap").container()
    vars(here).update(datasets=dict(datasets), queues=Messages(lanes))
    import_module("app")  # it makes the rest
    spans: Spans = import_module("benchmarks.tracing").start() if traced else {}
    here.intake, here.views.ping(), here.objects.ping()
    return spans


def peak_mb() -> float:
    """The most memory that this process has had at once, in MB of 10**6 bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise AssertionError("this system does not tell a process's peak memory")


def _event(message: Message) -> dict[str, Any]:
    function, body = message
    record = {
        "messageId": "00000000-0000-0000-0000-000000000000",
        "receiptHandle": "-",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{function}",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


def announcement(bucket: str, key: str, etag: str, size: int) -> str:
    """What S3 says on the intake queue when an object was created."""
    described = {"key": key, "size": size, "eTag": etag.strip('"'), "sequencer": "0"}
    record = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}
    return json.dumps({"Records": [{**record, "s3": {"bucket": {"name": bucket}, "object": described}}]})

"""A splitter and loaders that run, as processes; what they are told and what they answer."""

import os
import queue
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from benchmarks.functions import PROCESSES, Ended, Invocation, Lanes, Message, announcement, serve
from benchmarks.objects import etag_of, size_of
from benchmarks.store import BUCKET, ObjectStore
from chalicelib.core.dataset import Dataset

_STARTED_WITHIN = 120
_LOOKED_AFTER = 2.0  # seconds without an answer, after which processes are looked after


@dataclass(frozen=True)
class Running:
    """The processes, warm and waiting."""

    lanes: Lanes
    processes: list[Any]

    def announce(self, store: ObjectStore, key: str) -> None:
        """Tell the splitter of an object, as S3 does."""
        path = store.path(key)
        self.lanes.intake.put(("split", announcement(BUCKET, key, etag_of(path), size_of(path))))

    def next_call(self, wait: float = 3600.0) -> Invocation | None:
        """The next invocation that ends; None where none does within ``wait`` seconds.

        Raises RuntimeError where one failed or a process died.
        """
        deadline = time.monotonic() + wait
        while True:
            try:
                call = self.lanes.results.get(timeout=min(wait, _LOOKED_AFTER))
            except queue.Empty:
                broken = [process.exitcode for process in self.processes if process.exitcode is not None]
                if broken:
                    raise RuntimeError(f"a process of the benchmark ended with {broken[0]}") from None
                if time.monotonic() > deadline:
                    return None
                continue
            assert isinstance(call, Invocation), "processes end when they are asked to"
            return _succeeded(call)

    def end(self) -> tuple[list[Invocation], list[Ended]]:
        """Ask every process to end: the invocations that were still under way, and what each process took."""
        stop: Message = ("", "")
        self.lanes.intake.put(stop)
        for _ in self.processes[1:]:
            self.lanes.batches.put(stop)
        calls: list[Invocation] = []
        ended: list[Ended] = []
        while len(ended) < len(self.processes):
            result = self.lanes.results.get(timeout=_STARTED_WITHIN)
            if isinstance(result, Ended):
                ended.append(result)
            else:
                calls.append(_succeeded(result))
        return calls, ended

    def drain(self) -> int:
        """Take all messages to loaders; how many there were."""
        count = 0
        while True:
            try:
                self.lanes.batches.get(timeout=0.05)
            except queue.Empty:
                return count
            count += 1


@contextmanager
def running(
    environment: Mapping[str, str], datasets: Mapping[str, Dataset], loaders: int, *, traced: bool = False
) -> Iterator[Running]:
    """A splitter and that many loaders, until the context ends."""
    lanes = Lanes.new()
    kinds = ("split", *["load"] * loaders)
    start = PROCESSES.Barrier(len(kinds) + 1)
    processes = [
        PROCESSES.Process(
            name=kind,
            target=serve,
            args=(kind, environment, datasets, lanes, start),
            kwargs={"traced": traced},
            daemon=True,
        )
        for kind in kinds
    ]
    for process in processes:
        # Some of it counts from a process's first instruction on.
        with mock.patch.dict(os.environ, {**environment, "_HANDLER": f"app.{process.name}"}):
            process.start()
    try:
        start.wait(_STARTED_WITHIN)
        yield Running(lanes, processes)
    finally:
        for process in processes:
            process.join(5)
            process.kill()


def _succeeded(call: Invocation) -> Invocation:
    if call.error:
        raise RuntimeError(f"{call.function} failed:\n{call.error}")
    return call

"""Where everything runs: one PostgreSQL, one object store, one folder for files."""

import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.functions import PROCESSES, Ended, Invocation, Lanes, Message, Spans, announcement, serve
from benchmarks.objects import etag_of, size_of
from benchmarks.store import BUCKET, ObjectStore
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset
from infra.local.postgres import Postgres, create_database
from infra.local.postgres_binaries import binaries

DATABASE = "bench"
MIB = 1 << 20
POSTGRES = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
"""Everything else, durability above all, is as PostgreSQL has it."""


@dataclass(frozen=True)
class Outcome:
    """One file's load: seconds from its announcement to the end of the last invocation, and what each side took."""

    job: Mapping[str, Any]
    seconds: float
    split_mb: float
    load_mb: float
    cpu: Mapping[str, float]
    spans: Mapping[str, list[Spans]]

    @property
    def records_per_second(self) -> float:
        return float(self.job["counts"]["read"]) / self.seconds


@dataclass(frozen=True)
class Stage:
    """A database server and an object store.

    ``workers`` is the number of loaders, ``batch_bytes`` how large a batch is at most, 0 for the default.
    """

    server_url: str
    store: ObjectStore
    folder: Path
    workers: int = 2
    batch_bytes: int = 0

    @property
    def url(self) -> str:
        """The database that runs are in."""
        return f"{self.server_url.rpartition('/')[0]}/{DATABASE}"

    @property
    def psql(self) -> list[str]:
        program = binaries() / "psql"
        return [str(program) if program.exists() else "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url]

    def with_(self, **changes: Any) -> "Stage":
        return replace(self, **changes)

    @property
    def environment(self) -> dict[str, str]:
        """What a function finds in its environment."""
        queues = ("INTAKE", "BATCH", "CONVERT", "NOTIFY", "EXPORT")
        return {
            **self.store.environment,
            **{f"DROPLOAD_{queue}_QUEUE_URL": "-" for queue in queues},
            "DROPLOAD_BUCKET": BUCKET,
            "DATABASE_URL": self.url,
            "DROPLOAD_MAIL_FROM": "bench@example.com",
            "DROPLOAD_ENGINEERS": "bench@example.com",
            "DROPLOAD_PUBLIC_URL": "http://127.0.0.1",
            "DROPLOAD_WORKERS": str(self.workers or 1),
            **({"DROPLOAD_BATCH_BYTES": str(self.batch_bytes)} if self.batch_bytes else {}),
        }

    def execute(self, *statements: str, url: str = "") -> list[tuple[Any, ...]]:
        """Run statements, each by itself; the rows of the last one."""
        with closing(psycopg2.connect(url or self.url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def fresh(self) -> None:
        """A database with nothing in it."""
        self.execute(f"drop database if exists {DATABASE} with (force)", url=self.server_url)
        create_database(self.server_url, DATABASE)

    def settle(self) -> None:
        """Nothing for autovacuum or the checkpointer to do that a run before has left."""
        self.execute("vacuum analyze", "checkpoint")

    def apply(self, datasets: Mapping[str, Dataset]) -> None:
        """Make the ledger and the tables of these datasets."""
        container = Container(Settings.from_environment(self.environment))
        vars(container)["datasets"] = dict(datasets)
        container.schema.apply()
        container.database.close()

    def reset(self, datasets: Mapping[str, Dataset]) -> None:
        """Empty tables, a new ledger, nothing left of the run before."""
        self.fresh()
        self.apply(datasets)
        self.settle()

    def put(self, file: Path, key: str) -> Path:
        """Make a file an object, without copying it; where it lies then."""
        path = self.store.path(key)
        path.unlink(missing_ok=True)
        path.hardlink_to(file)
        return path

    def load(self, key: str, datasets: Mapping[str, Dataset], *, traced: bool = False) -> Outcome:
        """Announce an object to a splitter and the stage's loaders, and wait until its job has ended."""
        with self.functions(datasets, traced=traced) as (lanes, processes):
            return self._follow(key, lanes, processes)

    def split(self, key: str, datasets: Mapping[str, Dataset]) -> tuple[Invocation, Ended, int]:
        """Have an object cut, with nobody to load it: the splitter's call, what it took, how many batches it sent."""
        alone = replace(self, workers=0)
        file = self.store.path(key)
        batches = 0
        with alone.functions(datasets) as (lanes, processes):
            lanes.intake.put(("split", announcement(BUCKET, key, etag_of(file), size_of(file))))
            call = None
            while call is None:
                batches += _drained(lanes)
                call = next_call(lanes, processes, wait=0.2)
            alone.stop(lanes)
            ended = lanes.results.get(timeout=60)
            batches += _drained(lanes)
        assert isinstance(ended, Ended), "one call was made"
        return call, ended, batches

    def stop(self, lanes: Lanes) -> None:
        """Ask every function's process to end."""
        stop: Message = ("", "")
        lanes.intake.put(stop)
        for _ in range(self.workers):
            lanes.batches.put(stop)

    @contextmanager
    def functions(self, datasets: Mapping[str, Dataset], *, traced: bool = False) -> Iterator[tuple[Lanes, list[Any]]]:
        lanes = Lanes.new()
        kinds = ("split", *["load"] * self.workers)
        start = PROCESSES.Barrier(len(kinds) + 1)
        processes = [
            PROCESSES.Process(
                target=serve,
                args=(function, self.environment, datasets, lanes, start),
                kwargs={"traced": traced},
                daemon=True,
            )
            for function in kinds
        ]
        for process in processes:
            process.start()
        try:
            start.wait(120)
            yield lanes, processes
        finally:
            for process in processes:
                process.join(10)
                process.kill()

    def _follow(self, key: str, lanes: Lanes, processes: list[Any]) -> Outcome:
        file = self.store.path(key)
        store_cpu = self.store.cpu_seconds()
        began = time.perf_counter()
        lanes.intake.put(("split", announcement(BUCKET, key, etag_of(file), size_of(file))))
        calls: list[Invocation] = []
        with closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not _finished(cursor, key):
                call = next_call(lanes, processes)
                if call is None:
                    raise RuntimeError("no invocation has ended for an hour")
                calls.append(call)
        self.stop(lanes)
        ended: list[Ended] = []
        while len(ended) < len(processes):
            result = lanes.results.get(timeout=120)
            if isinstance(result, Ended):
                ended.append(result)
            else:
                calls.append(result)
        container = Container(Settings.from_environment(self.environment))
        job = container.views.jobs(key=key, limit=1)[0]
        container.database.close()
        of = {name: [end for end in ended if end.function == name] for name in ("split", "load")}
        return Outcome(
            job=job,
            seconds=max(call.ended for call in calls) - began,
            split_mb=of["split"][0].peak_mb,
            load_mb=max(end.peak_mb for end in of["load"]),
            cpu={
                **{name: round(sum(end.cpu_seconds for end in ends), 3) for name, ends in of.items()},
                "store": round(self.store.cpu_seconds() - store_cpu, 3),
            },
            spans={name: [end.spans for end in ends] for name, ends in of.items()},
        )


def _finished(cursor: Any, key: str) -> bool:
    cursor.execute("select 1 from dropload.job where key = %s and finished_at is not null", (key,))
    return bool(cursor.rowcount)


def next_call(lanes: Lanes, processes: list[Any], wait: float = 3600.0) -> Invocation | None:
    """The next invocation that ends; None where none does within ``wait`` seconds.

    Raises RuntimeError where one failed or a process died.
    """
    deadline = time.monotonic() + wait
    while True:
        try:
            call = lanes.results.get(timeout=min(wait, 2))
        except queue.Empty:
            broken = [process.exitcode for process in processes if process.exitcode is not None]
            if broken:
                raise RuntimeError(f"a process of the benchmark ended with {broken[0]}") from None
            if time.monotonic() > deadline:
                return None
            continue
        assert isinstance(call, Invocation), "processes end when they are asked to"
        if call.error:
            raise RuntimeError(f"{call.function} failed:\n{call.error}")
        return call


def _drained(lanes: Lanes) -> int:
    """Take all messages to loaders; how many there were."""
    count = 0
    while True:
        try:
            lanes.batches.get(timeout=0.05)
        except queue.Empty:
            return count
        count += 1


@contextmanager
def staged(folder: Path, settings: Mapping[str, str]) -> Iterator[Stage]:
    """A stage on ``folder``, until the context ends."""
    with ExitStack() as cleanup:
        server = Postgres(folder / "state", {**POSTGRES, **settings})
        cleanup.callback(server.forget)
        cleanup.callback(server.stop)
        url = server.start()
        store = cleanup.enter_context(ObjectStore(folder / "objects"))
        yield Stage(url, store, folder)


def run(command: list[str], **more: Any) -> "subprocess.CompletedProcess[str]":
    """A command with its output; progress goes to stderr elsewhere."""
    return subprocess.run(command, capture_output=True, text=True, **more)


def say(text: str) -> None:
    """Progress, for a person."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have these environment variables, for as long as the context."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

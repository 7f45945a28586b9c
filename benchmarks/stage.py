"""Where everything runs: one PostgreSQL, one object store, one folder for files."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.functions import Ended, Invocation, Spans
from benchmarks.running import Running, running
from benchmarks.store import BUCKET, ObjectStore
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset
from infra.local.postgres import SETTINGS, Postgres, create_database

DATABASE = "bench"
MIB = 1 << 20
POSTGRES = dict(SETTINGS)
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

    def with_(self, **changes: Any) -> "Stage":
        return replace(self, **changes)

    @property
    def environment(self) -> dict[str, str]:
        """What a function finds in its environment."""
        queues = ("INTAKE", "BATCH", "CONVERT", "NOTIFY", "EXPORT", "FETCH", "WEBHOOK")
        return {
            **self.store.environment,
            **{f"DROPLOAD_{queue}_QUEUE_URL": "-" for queue in queues},
            **{f"MALLOC_{name}_THRESHOLD_": "1048576" for name in ("MMAP", "TRIM")},  # as in infra/template.yaml
            "DROPLOAD_BUCKET": BUCKET,
            "DATABASE_URL": self.url,
            "DROPLOAD_MAIL_FROM": "bench@example.com",
            "DROPLOAD_ENGINEERS": "bench@example.com",
            "DROPLOAD_PUBLIC_URL": "http://127.0.0.1",
            "DROPLOAD_WORKERS": str(self.workers),
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

    def running(self, datasets: Mapping[str, Dataset], *, traced: bool = False) -> AbstractContextManager[Running]:
        """A splitter and the stage's loaders, warm."""
        return running(self.environment, datasets, self.workers, traced=traced)

    def load(self, key: str, datasets: Mapping[str, Dataset], *, traced: bool = False) -> Outcome:
        """Announce an object to a splitter and the stage's loaders, and wait until its job has ended."""
        calls: list[Invocation] = []
        with ExitStack() as stack:
            functions = stack.enter_context(self.running(datasets, traced=traced))
            connection = stack.enter_context(closing(psycopg2.connect(self.url)))
            connection.autocommit = True
            cursor = connection.cursor()
            store_cpu = self.store.cpu_seconds()
            began = time.perf_counter()
            functions.announce(self.store, key)
            while not _finished(cursor, key):
                call = functions.next_call()
                if call is None:
                    raise RuntimeError("no invocation has ended for an hour")
                calls.append(call)
            late, ended = functions.end()
        of = {name: [end for end in ended if end.function == name] for name in ("split", "load")}
        return Outcome(
            job=self.job(key),
            seconds=max(call.ended for call in calls + late) - began,
            split_mb=of["split"][0].peak_mb,
            load_mb=max(end.peak_mb for end in of["load"]),
            cpu={
                **{name: round(sum(end.cpu_seconds for end in ends), 3) for name, ends in of.items()},
                "store": round(self.store.cpu_seconds() - store_cpu, 3),
            },
            spans={name: [end.spans for end in ends] for name, ends in of.items()},
        )

    def split(self, key: str, datasets: Mapping[str, Dataset]) -> tuple[Invocation, Ended, int]:
        """Have an object cut, with nobody to load it: the splitter's call, what it took, how many batches it sent."""
        batches = 0
        with running(self.environment, datasets, 0) as functions:
            functions.announce(self.store, key)
            call = None
            while call is None:
                batches += functions.drain()
                call = functions.next_call(wait=0.2)
            _, [ended] = functions.end()
            batches += functions.drain()
        return call, ended, batches

    def job(self, key: str) -> dict[str, Any]:
        """The newest job of an object, as the API shows it."""
        container = Container(Settings.from_environment(self.environment))
        try:
            return container.views.jobs(key=key, limit=1)[0]
        finally:
            container.database.close()


def _finished(cursor: Any, key: str) -> bool:
    cursor.execute("select 1 from dropload.job where key = %s and finished_at is not null", (key,))
    return bool(cursor.rowcount)


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

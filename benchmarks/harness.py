"""The services as they run, in processes of their own, on files of this machine instead of S3 and SQS.

So that what is measured is dropload and PostgreSQL. Nothing else is replaced: the ledger, the splitter, the loaders and
the finaliser are those of the Lambdas.
"""

import hashlib
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2

from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset
from chalicelib.services.ports import Delivery, StoredObject

# A process that starts from nothing has a memory of its own: what it peaks at is what a Lambda would.
PROCESSES = get_context("spawn")

Message = tuple[str, Any]


def forever() -> float:
    """Seconds left of an invocation that has all its time."""
    return 900.0


class Folder:
    """``services.ports.ObjectStore`` on a folder: keys are paths below it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def stream(self, stored: StoredObject, start: int, chunk_bytes: int) -> Iterator[bytes]:
        with self._path(stored.key).open("rb") as file:
            file.seek(start)
            while chunk := file.read(chunk_bytes):
                yield chunk

    def read(self, stored: StoredObject, start: int, end: int) -> bytes:
        with self._path(stored.key).open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def fetch(self, key: str) -> bytes:
        return self._path(key).read_bytes()

    def metadata(self, stored: StoredObject) -> Mapping[str, str]:
        return {}

    def write(self, key: str, chunks: Iterable[bytes], content_type: str) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(chunks)

    def _path(self, key: str) -> Path:
        return self._root / key


class Messages:
    """``services.ports.Queues`` between processes."""

    def __init__(self, batches: "Queue[Message]") -> None:
        self._batches = batches
        self.tables: list[UUID] = []

    def send_batches(self, id: UUID, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._batches.put((str(id), number))

    def send_split(self, id: UUID) -> None:
        raise AssertionError("a splitter that has all its time hands nothing on")

    def send_convert(self, id: UUID) -> None:
        self.tables.append(id)

    def send_notify(self) -> None:
        """Nobody reads mail here."""

    def hide(self, delivery: Delivery, seconds: int) -> None:
        raise AssertionError("nothing is retried here")


class Bench(Container):
    """The container of the Lambdas, but for S3, SQS and the datasets that ship."""

    def __init__(
        self, settings: Settings, folder: Path, datasets: Mapping[str, Dataset], batches: "Queue[Message]"
    ) -> None:
        super().__init__(settings)
        self._folder = folder
        self._datasets = dict(datasets)
        self._batches = batches

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        return self._datasets

    @cached_property
    def objects(self) -> Any:
        return Folder(self._folder)

    @cached_property
    def queues(self) -> Any:
        return Messages(self._batches)


@dataclass(frozen=True)
class Outcome:
    """One file's load: seconds from its announcement to its end, and the peak memory (MB) of each kind of process."""

    job: Mapping[str, Any]
    seconds: float
    split_mb: float
    load_mb: float

    @property
    def records_per_second(self) -> float:
        return float(self.job["counts"]["read"]) / self.seconds


@dataclass(frozen=True)
class Stage:
    """Where benchmarks run: a database, a folder for objects, and the settings of a deployment."""

    database_url: str
    folder: Path
    settings: Settings

    @classmethod
    def at(cls, database_url: str, folder: Path, **changes: Any) -> "Stage":
        settings = Settings(
            bucket="bench",
            intake_queue="-",
            batch_queue="-",
            convert_queue="-",
            notify_queue="-",
            export_queue="-",
            database_url=database_url,
            database_secret_arn=None,
            mail_from="-",
            engineers=(),
            public_url="-",
        )
        return cls(database_url, folder, replace(settings, **changes))

    def execute(self, *statements: str) -> None:
        with closing(psycopg2.connect(self.database_url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)

    def reset(self, datasets: Mapping[str, Dataset]) -> None:
        """Empty tables, a new ledger, nothing for autovacuum to do."""
        drops = [f'drop table if exists "{name}" cascade' for name in datasets]
        self.execute("drop schema if exists dropload cascade", *drops)
        self._bench(datasets).schema.apply()
        self.execute("vacuum analyze", "checkpoint")

    def load(self, file: Path, dataset: Dataset, datasets: Mapping[str, Dataset] | None = None) -> Outcome:
        """Load one file, which must lie under ``folder/input/<dataset>/``, with a splitter and the set's loaders."""
        datasets = datasets or {dataset.name: dataset}
        stored = stored_object(file, self.folder)
        batches: Queue[Message] = PROCESSES.Queue()
        peaks: Queue[tuple[str, float]] = PROCESSES.Queue()
        start = PROCESSES.Barrier(self.settings.workers + 2)
        common = (self.settings, self.folder, datasets, batches, peaks, start)
        loaders = [PROCESSES.Process(target=_load, args=common) for _ in range(self.settings.workers)]
        splitter = PROCESSES.Process(target=_split, args=(*common, stored))
        for process in (*loaders, splitter):
            process.start()
        bench = self._bench(datasets)
        start.wait()
        began = time.perf_counter()
        job = _ended(lambda: bench.views.jobs(key=stored.key, limit=1), [*loaders, splitter])
        seconds = time.perf_counter() - began
        for _ in loaders:
            batches.put(("stop", 0))
        found = [peaks.get() for _ in range(self.settings.workers + 1)]
        for process in (*loaders, splitter):
            process.join()
        return Outcome(
            job=job,
            seconds=seconds,
            split_mb=max(peak for kind, peak in found if kind == "split"),
            load_mb=max(peak for kind, peak in found if kind == "load"),
        )

    def _bench(self, datasets: Mapping[str, Dataset]) -> Bench:
        return Bench(self.settings, self.folder, datasets, PROCESSES.Queue())


def stored_object(file: Path, folder: Path) -> StoredObject:
    """A file below ``folder`` as S3 would announce it, each time as a new version."""
    key = str(file.relative_to(folder))
    etag = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
    return StoredObject("bench", key, uuid.uuid4().hex, etag, file.stat().st_size)


def peak_mb() -> float:
    """The most memory that this process has had at once, in MB of 10**6 bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise AssertionError("this system does not tell a process's peak memory")


def _split(
    settings: Settings,
    folder: Path,
    datasets: Mapping[str, Dataset],
    batches: "Queue[Message]",
    peaks: "Queue[tuple[str, float]]",
    start: Any,
    stored: StoredObject,
) -> None:
    bench = Bench(settings, folder, datasets, batches)
    bench.split, bench.convert  # noqa: B018 (everything is built and imported before the clock starts)
    start.wait()
    bench.split.announced(stored, forever)
    for table in bench.queues.tables:
        bench.convert.run(table, forever)
    peaks.put(("split", peak_mb()))


def _load(
    settings: Settings,
    folder: Path,
    datasets: Mapping[str, Dataset],
    batches: "Queue[Message]",
    peaks: "Queue[tuple[str, float]]",
    start: Any,
) -> None:
    bench = Bench(settings, folder, datasets, batches)
    bench.load  # noqa: B018
    start.wait()
    while (message := batches.get())[0] != "stop":
        bench.load.run(UUID(message[0]), message[1], forever)
    peaks.put(("load", peak_mb()))


def _ended(look: Callable[[], list[dict[str, Any]]], processes: Sequence[Any]) -> dict[str, Any]:
    while True:
        jobs = look()
        if jobs and jobs[0]["finished_at"] is not None:
            return jobs[0]
        broken = [process.exitcode for process in processes if process.exitcode not in (None, 0)]
        if broken:
            raise RuntimeError(f"a process of the benchmark ended with {broken[0]}")
        time.sleep(0.02)

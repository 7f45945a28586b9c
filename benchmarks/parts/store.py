"""What the object store costs: reading the same file by the adapter alone, as the splitter and the loaders do."""

import time
from typing import Any

from benchmarks.compare import spread
from benchmarks.files import make
from benchmarks.objects import etag_of
from benchmarks.parts import Bench
from benchmarks.stage import MIB, environment
from benchmarks.store import BUCKET
from chalicelib.adapters.s3 import S3ObjectStore
from chalicelib.services.ports import StoredObject


def store(bench: Bench) -> dict[str, Any]:
    """Seconds of wall, of this process's CPU and of the store's for each way to read, and MB/s."""
    with environment(bench.stage.environment):
        return _measured(bench)


def _measured(bench: Bench) -> dict[str, Any]:
    files = make(bench.files, "members", bench.options.rows)
    path = bench.stage.put(files.dirty, "input/members/dirty.csv")
    size = path.stat().st_size
    stored = StoredObject(BUCKET, "input/members/dirty.csv", None, etag_of(path).strip('"'), size)
    objects = S3ObjectStore(BUCKET)
    objects.ping()  # connected: what a warm function is

    def stream() -> int:
        return sum(len(chunk) for chunk in objects.stream(stored, 0, 8 * MIB))

    def ranges() -> int:
        return sum(len(objects.read(stored, at, min(at + 16 * MIB, size))) for at in range(0, size, 16 * MIB))

    found = {}
    for name, read in (("one stream, 8 MiB chunks", stream), ("ranges of 16 MiB", ranges)):
        walls, cpus, servers = [], [], []
        for _ in range(bench.options.rounds):
            server, cpu, began = bench.stage.store.cpu_seconds(), time.process_time(), time.perf_counter()
            assert read() == size
            walls.append(time.perf_counter() - began)
            cpus.append(time.process_time() - cpu)
            servers.append(bench.stage.store.cpu_seconds() - server)
        rate = round(size / 1e6 / spread(walls)["median"])
        found[name] = {"seconds": spread(walls), "cpu": spread(cpus), "store cpu": spread(servers), "MB/s": rate}
    return {"bytes": size, "reads": found}

"""How long a small file takes from PUT to COMPLETED, through the local stack and without the emulator."""

import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import boto3
import psycopg2

from benchmarks import tables
from benchmarks.parts import Bench
from benchmarks.stage import say
from benchmarks.store import BUCKET
from infra.local.demo import write_demo
from infra.local.paths import ROOT
from infra.local.processes import free_port

_ROWS = 1_000
_PAUSE = 0.005
_MOST_SECONDS = 60
_ENDED = "select 1 from dropload.job where key = %s and finished_at is not null"


def latency(bench: Bench) -> dict[str, Any]:
    """p50 and p95, in milliseconds, of warm functions: the first files are not counted."""
    files = 20 if bench.options.quick else 100
    return {
        "records": _ROWS,
        "ways": {"services": _services(bench, files), "local stack": _local_stack(bench, files // 4)},
    }


def _services(bench: Bench, files: int) -> dict[str, Any]:
    """A PUT, then the handlers as they are called by Lambda, with no emulator between them."""
    datasets = {"members": tables.members()}
    stage = bench.stage
    stage.reset(datasets)
    s3 = boto3.client(
        "s3", endpoint_url=stage.store.url, aws_access_key_id="-", aws_secret_access_key="-", region_name="us-east-1"
    )
    with stage.running(datasets) as functions:

        def load(key: str, body: bytes) -> None:
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            functions.announce(stage.store, key)
            # Of the two calls, the one that ends last finishes the job.
            assert {getattr(functions.next_call(), "function", None) for _ in range(2)} == {"split", "load"}

        measured = _measured(load, files)
        functions.end()
    with closing(psycopg2.connect(stage.url)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from dropload.job where state = 'COMPLETED'")
        assert cursor.fetchone() == (files + files // 4,), "each file has been loaded"
    return measured


def _local_stack(bench: Bench, files: int) -> dict[str, Any]:
    """``dev.py up``: the emulator's queues, event sources and function processes are in the time."""
    state = bench.stage.folder / "stack"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DATABASE_URL"))}
    dev = [sys.executable, "-m", "infra.local.cli"]  # we are in its environment already
    up = [*dev, "up", "--detach", "--no-sample", "--state", str(state), "--port", str(free_port())]
    say("starting the local stack")
    started = subprocess.run(up, cwd=ROOT, env=environment, capture_output=True, text=True)
    try:
        if started.returncode:
            return {"not_run": started.stderr.strip()[-300:]}
        local = json.loads((state / "local.json").read_text())
        s3 = boto3.client(
            "s3",
            endpoint_url=local["aws_endpoint_url"],
            aws_access_key_id=local["aws_access_key_id"],
            aws_secret_access_key=local["aws_secret_access_key"],
            region_name=local["region"],
        )
        with closing(psycopg2.connect(local["database_url"])) as connection, connection.cursor() as cursor:
            connection.autocommit = True

            def ended(key: str) -> bool:
                cursor.execute(_ENDED, (key,))
                return bool(cursor.rowcount)

            def load(key: str, body: bytes) -> None:
                s3.put_object(Bucket=local["bucket"], Key=key, Body=body)
                _await(lambda: ended(key))

            return _measured(load, files)
    finally:
        subprocess.run([*dev, "down", "--state", str(state)], cwd=ROOT, env=environment, capture_output=True)


def _measured(load: Callable[[str, bytes], None], files: int) -> dict[str, Any]:
    taken = []
    for number in range(files + files // 4):
        body = io.BytesIO()
        write_demo(body, dataset="members", rows=_ROWS, size=None, dirty=0, seed=number)
        began = time.perf_counter()
        load(f"input/members/{number}.csv", body.getvalue())
        taken.append(1000 * (time.perf_counter() - began))
    taken = taken[files // 4 :]
    return {"files": files, "p50_ms": round(statistics.median(taken), 1), "p95_ms": round(_p95(taken), 1)}


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def _await(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _MOST_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"a file of {_ROWS} records was not loaded in {_MOST_SECONDS} s")
        time.sleep(_PAUSE)

"""How fast the local API answers: one job, asked by one client and by sixteen at once, over kept connections.

    .venv/bin/python -m benchmarks.api [--state .dropload] [--seconds 3]

needs a running stack (`dev.py up`) that has a job.
"""

import argparse
import http.client
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from infra.local.client import ApiClient
from infra.local.state import Local

CLIENTS = (1, 16)
Asked = tuple[str, str, bytes | None]
"""A request: method, path, body."""


def main() -> int:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=Path(".dropload"))
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    local = Local.read(arguments.state)
    (job,) = ApiClient(local.api_url, local.api_key).get("/v1/jobs", limit=1)["items"]
    print("| request | clients | requests/s | p50 ms | p95 ms |\n|---|---|---|---|---|")
    for path in (f"/v1/jobs/{job['id']}", "/v1/jobs?limit=50", "/v1/me"):
        for clients in CLIENTS:
            taken = measured(local, lambda: ("GET", path, None), clients, arguments.seconds)  # noqa: B023 (used at once)
            rate, p50, p95 = len(taken) / arguments.seconds, *percentiles(taken)
            print(f"| `GET {path.replace(job['id'], '{id}')}` | {clients} | {rate:.0f} | {p50:.1f} | {p95:.1f} |")
    return 0


def measured(local: Local, asked: Callable[[], Asked], clients: int, seconds: float) -> list[float]:
    """Seconds that each request took, of so many clients that ask again and again for so long."""
    taken: list[float] = []
    address = urlsplit(local.api_url)
    headers = {"Authorization": f"Bearer {local.api_key}", "Content-Type": "application/json"}
    until = time.perf_counter() + seconds

    def ask() -> None:
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        while time.perf_counter() < until:
            method, path, body = asked()
            began = time.perf_counter()
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status < 300, answer.status
            taken.append(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def percentiles(taken: Sequence[float]) -> tuple[float, float]:
    """The 50th and the 95th, in milliseconds."""
    cuts = statistics.quantiles(taken, n=20)
    return cuts[9] * 1000, cuts[18] * 1000


if __name__ == "__main__":
    raise SystemExit(main())

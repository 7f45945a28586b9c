"""How fast records are looked up and written with a million of them there: in the service, and over HTTP.

    .venv/bin/python dev.py up --detach --no-sample
    .venv/bin/python -m benchmarks.records [--state .dropload] [--rows 1000000] [--seconds 3]

needs a running stack, and fills the members of its database.
"""

import argparse
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg2

from benchmarks.api import CLIENTS, Asked, measured, percentiles
from chalicelib.adapters.descriptors import load_datasets
from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.records import PostgresRecords
from chalicelib.core.access import EVERYONE
from chalicelib.services.records import Records
from infra.local.state import Local

MEMBERS = "/v1/datasets/members/records"
FILL = """
insert into members (first_name, last_name, phone_number, client_member_id, account_id)
select 'First' || n %% 5000, 'Last' || n %% 9000, lpad((n::bigint * 7919 %% 10000000)::text, 10, '0'), n, n / 3
from generate_series(1, %(rows)s) as n
on conflict do nothing
"""


def main() -> int:
    """Fill, measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=Path(".dropload"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    local, rows = Local.read(arguments.state), int(arguments.rows)
    first = fill(local.database_url, rows)
    print("| request | where | clients | a second | p50 ms | p95 ms |\n|---|---|---|---|---|---|")
    database = Database(lambda: local.database_url)
    records = Records(store=PostgresRecords(database), datasets=load_datasets(), max_record_bytes=1 << 20)
    for what, ask in in_service(records, rows, first).items():
        report(what, "service", 1, arguments.seconds, partial(repeat, ask, arguments.seconds))
    database.close()
    for what, asked in over_http(rows, first).items():
        for clients in CLIENTS:
            report(
                what, "HTTP", clients, arguments.seconds, partial(measured, local, asked, clients, arguments.seconds)
            )
    return 0


def fill(url: str, rows: int) -> int:
    """Bring the members to so many, as a table that has settled; the first one's id."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from members")
            (there,) = cursor.fetchone() or (0,)
            if there < rows // 2:
                cursor.execute(FILL, {"rows": rows})
            cursor.execute("vacuum analyze members")
            cursor.execute("select min(id) from members")
            (first,) = cursor.fetchone() or (1,)
            return int(first)


def in_service(records: Records, rows: int, first: int) -> dict[str, Callable[[], object]]:
    """What is asked of the service itself."""

    def find(name: str) -> object:
        return records.page(EVERYONE, "members", filters={name: value_of(name, rows)}, cursor=None, limit=100)

    batches = new_batches()
    one = new_members()
    return {
        **{f"by {name}": partial(find, name) for name in ("phone_number", "client_member_id", "account_id")},
        "by id": lambda: records.get(EVERYONE, "members", first + random.randrange(rows // 2)),
        "a page of 100": lambda: records.page(EVERYONE, "members", filters={}, cursor=None, limit=100),
        "write one": lambda: records.create(EVERYONE, "members", json.dumps(next(one)).encode()),
        "write 1,000": lambda: records.put(EVERYONE, "members", next(batches)),
    }


def over_http(rows: int, first: int) -> dict[str, Callable[[], Asked]]:
    """What is asked of the API."""
    batches, one, lock = new_batches(), new_members(), threading.Lock()

    def find(name: str) -> Asked:
        return "GET", f"{MEMBERS}?{name}={value_of(name, rows)}", None

    def write_one() -> Asked:
        with lock:
            return "POST", MEMBERS, json.dumps(next(one)).encode()

    def write_many() -> Asked:
        with lock:
            return "PUT", MEMBERS, next(batches)

    return {
        **{f"by {name}": partial(find, name) for name in ("phone_number", "client_member_id", "account_id")},
        "by id": lambda: ("GET", f"{MEMBERS}/{first + random.randrange(rows // 2)}", None),
        "a page of 100": lambda: ("GET", f"{MEMBERS}?limit=100", None),
        "write one": write_one,
        "write 1,000": write_many,
    }


def value_of(name: str, rows: int) -> str:
    """A value that some member has, most probably."""
    n = random.randint(1, rows)
    return {"phone_number": f"{n * 7919 % 10_000_000:010d}", "client_member_id": str(n), "account_id": str(n // 3)}[
        name
    ]


def new_members() -> Iterator[dict[str, object]]:
    """Members that are not there."""
    for n in itertools.count(random.randint(10**9, 10**12)):
        phone = f"{n % 10**9 + 10**9:010d}"
        yield {
            "first_name": "A",
            "last_name": "B",
            "phone_number": phone,
            "client_member_id": n,
            "account_id": n % 10**6,
        }


def new_batches() -> Iterator[bytes]:
    """Bodies of a thousand of them."""
    one = new_members()
    while True:
        yield json.dumps(list(itertools.islice(one, 1000))).encode()


def report(what: str, where: str, clients: int, seconds: float, measure: Callable[[], list[float]]) -> None:
    """Measure and print a line."""
    taken = measure()
    p50, p95 = percentiles(taken)
    print(f"| {what} | {where} | {clients} | {len(taken) / seconds:.0f} | {p50:.1f} | {p95:.1f} |", flush=True)


def repeat(ask: Callable[[], object], seconds: float) -> list[float]:
    """Seconds that each call took."""
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        ask()
        taken.append(time.perf_counter() - began)
    return taken


if __name__ == "__main__":
    raise SystemExit(main())

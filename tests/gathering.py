"""The dataset ``tallies``, whose large files are gathered before they are added: how tests look at it."""

import itertools
from typing import Any

from tests.system import System

HEADER = "item,day,sold,paid"
DAY = "2026-01-01"
PARTIALS = "select count(*) from pg_class where relname like 'partial%%'"
numbers = itertools.count()


def key_of(dataset: str = "tallies") -> str:
    return f"input/{dataset}/{next(numbers)}.csv"


def is_gathering(system: System, key: str) -> bool:
    job = system.job(key)
    [(found,)] = system.rows("select gathers from dropload.job where id = %s", job["id"])
    return bool(found)


def table(system: System, name: str = "tallies") -> list[tuple[Any, ...]]:
    return system.rows(f"select item, day::text, sold, paid from {name} order by 1, 2")

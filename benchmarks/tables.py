"""The tables that runs load into, and whether they hold what they must."""

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import yaml

from benchmarks.files import columns_of
from benchmarks.stage import Stage
from chalicelib.core.dataset import Dataset, parse_dataset
from infra.local.paths import ROOT

_CSV = "with (format csv, header {})"
TYPES = {
    "members": (
        'first_name text not null, last_name text not null, phone_number text collate "C" not null, '
        "client_member_id bigint not null, account_id integer not null"
    ),
    "plays": 'song text collate "C" not null, date date not null, plays bigint not null',
}
INDEXES = {
    "members": (
        "create unique index on members (client_member_id)",
        "create index on members (phone_number)",
        "create index on members (account_id)",
    ),
    "plays": ("create index on plays (song, date)",),
}


def members(policy: str = "reject", name: str = "members", *, keys: bool = True) -> Dataset:
    """The shipped members, with one unique key and two plain indexes as in the table of the contenders.

    Without ``keys`` there are none, nor indexes.
    """
    descriptor = _shipped("members", name, policy)
    descriptor["dropload"]["filters"] = ["phone_number", "account_id"] if keys else []
    for field in descriptor["schema"]["fields"]:
        if field["name"] == "phone_number" or not keys:
            field["constraints"].pop("unique", None)
    if policy == "update":
        descriptor["schema"]["primaryKey"] = "client_member_id"
    return parse_dataset(descriptor)


def plays() -> Dataset:
    """The shipped plays, which are summed, indexed by their key alone."""
    descriptor = _shipped("plays", "plays", "sum")
    descriptor["dropload"]["filters"] = []
    return parse_dataset(descriptor)


def _shipped(dataset: str, name: str, policy: str) -> dict[str, Any]:
    descriptor: dict[str, Any] = yaml.safe_load((ROOT / f"chalicelib/datasets/{dataset}.yaml").read_text())
    descriptor["name"] = name
    descriptor["dropload"]["on_conflict"] = policy
    return descriptor


def create(stage: Stage, dataset: str) -> None:
    """A fresh database with the contenders' table, which is ours without ``_origin``."""
    stage.fresh()
    table = f"create table {dataset} (id bigint generated always as identity primary key, {TYPES[dataset]})"
    stage.execute(table, *INDEXES[dataset])
    stage.settle()


def copy(stage: Stage, file: Path, table: str, columns: str = "", *, header: bool = True) -> None:
    """COPY a file's records into a table, with nothing measured."""
    statement = f"copy {table} ({columns or columns_of(table)}) from stdin {_CSV.format(header)}"
    with (
        closing(psycopg2.connect(stage.url)) as connection,
        connection,
        connection.cursor() as cursor,
        file.open("rb") as data,
    ):
        cursor.copy_expert(statement, data)


def copy_command(file: Path, table: str) -> str:
    """The same for psql."""
    return f"\\copy {table} ({columns_of(table)}) from '{file}' {_CSV.format(True)}"


def first_line(text: str) -> str:
    """The first line of what a program said, without the values that it quotes."""
    line = next((line for line in text.splitlines() if line.strip()), "it said nothing")
    return re.split(r': (?="|0x)', line)[0][:300]

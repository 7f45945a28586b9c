"""The tables that runs load into, and whether they hold what they must."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.files import Files, columns_of, rejected_csv
from benchmarks.stage import Stage, run
from chalicelib.core.dataset import Dataset, parse_dataset
from infra.local.paths import ROOT

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


@dataclass(frozen=True)
class Sum:
    """Rows, and a checksum over their values that does not depend on their order."""

    rows: int
    checksum: str


def checksum(stage: Stage, dataset: str, *, summed: bool = False) -> Sum:
    """Of a table as it is; ``summed`` of the sums that raw plays come to."""
    columns = columns_of(dataset)
    source = (
        dataset if not summed else f"(select song, date, sum(plays)::bigint as plays from {dataset} group by 1, 2) s"
    )
    query = f"select count(*), coalesce(sum(hashtextextended(({columns})::text, 0)::numeric), 0)::text from {source}"
    return Sum(*stage.execute(query)[0])


class Truths:
    """What tables must hold, worked out once a file by statements that are none of ours."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._known: dict[tuple[Path, str], Sum] = {}

    def of(self, files: Files, *, policy: str = "") -> Sum:
        """Of what ``files`` must leave behind: the accepted records; after ``update``, with later ones' values."""
        what = policy if policy == "update" else ""
        key = (files.folder, what)
        if key not in self._known:
            self._known[key] = self._work_out(files, what)
        return self._known[key]

    def _work_out(self, files: Files, policy: str) -> Sum:
        dataset, stage = files.dataset, self._stage
        stage.fresh()
        stage.execute(f"create unlogged table {dataset} ({TYPES[dataset]})")
        stage.execute(f"create unlogged table later (number bigint generated always as identity, {TYPES[dataset]})")
        copy(stage, files.accepted, dataset)
        if policy == "update":
            copy(stage, files.later, "later", columns_of(dataset))
            stage.execute(
                f"""
                with last as (select distinct on (client_member_id) * from later order by client_member_id, number desc)
                update {dataset} as kept set first_name = last.first_name, last_name = last.last_name,
                    phone_number = last.phone_number, account_id = last.account_id
                from last where last.client_member_id = kept.client_member_id
                """
            )
        return checksum(stage, dataset, summed=dataset == "plays")


def copy(stage: Stage, file: Path, table: str, columns: str = "") -> None:
    """``\\copy`` by psql. Raises RuntimeError with its first words where it fails."""
    done = run([*stage.psql, "-c", copy_command(file, table, columns or columns_of(table))])
    if done.returncode:
        raise RuntimeError(first_line(done.stderr))


def copy_command(file: Path, table: str, columns: str) -> str:
    return f"\\copy {table} ({columns}) from '{file}' with (format csv, header true)"


def first_line(text: str) -> str:
    """The first line of what a program said, without the values that it quotes."""
    line = next((line for line in text.splitlines() if line.strip()), "it said nothing")
    return re.sub(r': ".*', "", line)[:300]


def wrong_rows(stage: Stage, files: Files, truth: Sum, *, summed: bool = False) -> str:
    """Why the table is not what it must be; "" where it is."""
    found = checksum(stage, files.dataset, summed=summed)
    if found == truth:
        return ""
    if found.rows != truth.rows:
        return f"{found.rows:,} rows instead of {truth.rows:,}"
    return "other values than those of the file"


def wrong_rejections(stage: Stage, files: Files, job: Any, *, duplicates: bool) -> str:
    """Why an error file is not what the truth says; "" where it is."""
    error_file = stage.store.path(f"error/{job['dataset']}/job={job['id']}/rejected.csv")
    found = list(rejected_csv(error_file))
    wanted = list(files.rejections(duplicates=duplicates))
    if found == wanted:
        return ""
    odd = set(wanted) ^ set(found)
    where = min(odd) if odd else "their order"
    return f"{len(found):,} rejections instead of {len(wanted):,}; the first that differs: {where}"

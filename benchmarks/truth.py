"""Whether a run has left behind exactly what it must."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.files import Files, columns_of, rejected_csv
from benchmarks.stage import Stage
from benchmarks.tables import TYPES, copy

ANY_RIVAL = ("reject", "ignore", "replace")
"""Policies under which any one of several records with a key may be loaded: between batches of one file, the first to
commit wins (docs/exactly-once.md)."""

_RIVALS = "create unlogged table rival (record bigint, line bigint, {types})"
_NO_RIVAL = "client_member_id not in (select client_member_id from rival)"
_DUPLICATE = ("client_member_id", "unique-error")


@dataclass(frozen=True)
class Sum:
    """Rows, and a checksum over their values that does not depend on their order; ``more`` are rows not looked at."""

    rows: int
    checksum: str
    more: int = 0


def checksum(stage: Stage, dataset: str, *, summed: bool = False, where: str = "true") -> Sum:
    """Of a table as it is; ``summed`` of the sums that raw plays come to; ``where`` says which rows."""
    columns = columns_of(dataset)
    sums = f"(select song, date, sum(plays)::bigint as plays from {dataset} group by 1, 2) s"
    query = (
        f"select count(*) filter (where {where}), "
        f"coalesce(sum(hashtextextended(({columns})::text, 0)::numeric) filter (where {where}), 0)::text, "
        f"count(*) filter (where not ({where})) from {sums if summed else dataset}"
    )
    return Sum(*stage.execute(query)[0])


class Truths:
    """What tables must hold, worked out once a file by statements that are none of ours."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._known: dict[tuple[Path, str], Sum] = {}

    def wrong_rows(self, stage: Stage, files: Files, *, policy: str = "", summed: bool = False) -> str:
        """Why the table is not what it must be after the dirty file was loaded by ``policy``, or the accepted records
        by no policy of ours; "" where it is."""
        wanted = self._known[files.folder, _kind(policy)]
        if policy in ANY_RIVAL and files.dataset == "members":
            _add_rivals(stage, files)
            found = checksum(stage, files.dataset, where=_NO_RIVAL)
            if _count(_winners(stage)) != wanted.more:
                return "of records that share a key, not exactly one each is in the table"
        else:
            found = checksum(stage, files.dataset, summed=summed)
        if found == wanted:
            return ""
        if (found.rows, found.more) != (wanted.rows, wanted.more):
            return f"{found.rows + found.more:,} rows instead of {wanted.rows + wanted.more:,}"
        return "other values than those of the file"

    def work_out(self, files: Files, policy: str) -> None:
        """Be ready for ``wrong_rows``. Before the run: it takes the database that runs are in."""
        key = (files.folder, _kind(policy))
        if key not in self._known:
            self._known[key] = self._work_out(files, _kind(policy))

    def _work_out(self, files: Files, what: str) -> Sum:
        """The accepted records; after ``update``, with the values of the last rival; with ``any``, but for rivals."""
        dataset, stage = files.dataset, self._stage
        stage.fresh()
        stage.execute(f"create unlogged table {dataset} ({TYPES[dataset]})")
        copy(stage, files.accepted, dataset)
        if what in ("update", "any"):
            _add_rivals(stage, files)
        if what == "update":
            stage.execute(
                f"""
                with last as (select distinct on (client_member_id) * from rival order by client_member_id, record desc)
                update {dataset} as kept set first_name = last.first_name, last_name = last.last_name,
                    phone_number = last.phone_number, account_id = last.account_id
                from last where last.client_member_id = kept.client_member_id
                """
            )
        return checksum(stage, dataset, summed=dataset == "plays", where=_NO_RIVAL if what == "any" else "true")


def _kind(policy: str) -> str:
    return "any" if policy in ANY_RIVAL else "update" if policy == "update" else ""


def wrong_rejections(stage: Stage, files: Files, job: Any, *, policy: str) -> str:
    """Why an error file is not what the truth says; "" where it is. Rivals that are not in the table must be in it,
    where the policy hands them back."""
    error_file = stage.store.path(f"error/{job['dataset']}/job={job['id']}/rejected.csv")
    found = list(rejected_csv(error_file))
    wanted = list(files.rejections())
    if policy in ("reject", "replace"):
        _add_rivals(stage, files)
        winners = {record for record, _ in _winners(stage)}
        rivals = stage.execute("select record, line from rival")
        wanted += [(record, line, *_DUPLICATE) for record, line in rivals if record not in winners]
        wanted.sort()
    if found == wanted:
        return ""
    odd = set(wanted) ^ set(found)
    where = min(odd) if odd else "their order"
    return f"{len(found):,} rejections instead of {len(wanted):,}; the first that differs: {where}"


def _add_rivals(stage: Stage, files: Files) -> None:
    if stage.execute("select to_regclass('rival') is null") == [(True,)]:
        stage.execute(_RIVALS.format(types=TYPES[files.dataset]))
        copy(stage, files.rivals, "rival", f"record, line, {columns_of(files.dataset)}", header=False)


def _winners(stage: Stage) -> list[tuple[Any, ...]]:
    """(record, key) of each rival that is in the table with all its values."""
    columns = columns_of("members")
    return stage.execute(f"select record, client_member_id from members join rival using ({columns})")


def _count(winners: Iterable[tuple[Any, ...]]) -> int:
    """Of keys that exactly one record has won."""
    keys = [key for _, key in winners]
    return len(keys) if len(keys) == len(set(keys)) else -1

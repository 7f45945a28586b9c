"""The dataset ``roster``, whose files replace its table: what may know that table, how tests load it and look at it."""

import itertools
from typing import Any

from tests.policies import lines
from tests.system import System

KEY = "input/roster/{}.csv"
HEADER = "code,tag,size"
numbers = itertools.count()
DEPENDENTS = {
    "nobody": "select 1",
    "a view": "create view onlooker as select code from roster",
    "a materialized view": "create materialized view onlooker as select code from roster",
    "a rule": "create rule quiet as on insert to roster where new.code = -1 do instead nothing",
    "a foreign key of another table": "create table other (code bigint references roster (code))",
    "a foreign key": "create table sizes (size bigint unique); insert into sizes values (1), (2), (3); "
    "alter table roster add foreign key (size) references sizes (size)",
    "a trigger": "create function quiet() returns trigger language plpgsql as 'begin return new; end'; "
    "create trigger quiet before insert on roster for each row execute function quiet()",
    "row security": "alter table roster enable row level security",
    "a publication": "create publication all_of_roster for table roster",
    "a grant": "grant select on roster to public",
    "a grant on a column": "grant select (code) on roster to public",
    "statistics": "create statistics of_roster on code, size from roster",
    "a function": "create function onlooker() returns bigint language sql "
    "begin atomic select max(code) from roster; end",
    "a column of its type": "create table other (kept roster)",
    "a child": "create table child () inherits (roster)",
    "a user of its sequence": "create table other (id bigint default nextval('roster_id_seq'))",
}


def load(system: System, rows: list[tuple[Any, ...]], dataset: str = "roster") -> dict[str, Any]:
    header = HEADER if dataset == "roster" else "what,size"
    return system.load(lines(header, rows), key=f"input/{dataset}/{next(numbers)}.csv")


def table(system: System) -> list[tuple[Any, ...]]:
    return system.rows("select code, tag, size from roster order by code")


def oid(system: System) -> int:
    [(found,)] = system.rows("select 'roster'::regclass::oid::bigint")
    return int(found)


def shadows(system: System) -> list[tuple[Any, ...]]:
    return system.rows("select relname from pg_class where relname like 'shadow%%' order by 1")


def begun(system: System, key: str, file: list[tuple[Any, ...]]) -> list[str]:
    """Drop and split a file; the messages of its batches."""
    system.drop(key, lines(HEADER, file))
    while not (bodies := [body for body, _ in system.receive(system.settings.batch_queue)]):
        system.deliver(system.settings.intake_queue)
    return bodies

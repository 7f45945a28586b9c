"""Tables follow their descriptors as long as nothing is lost; what would lose something is refused with what to do."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from chalicelib.adapters.descriptors import load_datasets
from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.schema import Schema
from chalicelib.core.dataset import parse_dataset
from chalicelib.errors import TableDiffers, Terminal, Transient

Described = dict[str, Any]
CODE: Described = {"name": "code", "type": "string", "constraints": {"required": True}}
SIZE: Described = {"name": "size", "type": "integer", "constraints": {"minimum": 0, "maximum": 9}}
SCHEMA_IN_SHORT = """
    select column_name::text, data_type::text, is_nullable::text from information_schema.columns
    where table_schema = 'public' and table_name = %s and column_name not in ('id', '_origin') order by 1
"""


def things(*fields: Described, name: str = "things", filters: tuple[str, ...] = (), **schema: Any) -> Described:
    return {"name": name, "schema": {"fields": list(fields), **schema}, "dropload": {"filters": list(filters)}}


class Tables:
    """A database, and what descriptors make of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(lambda: url)

    def schema(self, *descriptors: Described, patience_seconds: float = 5) -> Schema:
        datasets = {dataset.name: dataset for dataset in map(parse_dataset, descriptors)}
        return Schema(self.database, datasets, patience_seconds)

    def apply(self, *descriptors: Described) -> list[str]:
        """Bring the tables up to date; they are, then, and stay so."""
        schema = self.schema(*descriptors)
        plan = schema.plan()
        steps = schema.apply()
        assert (plan.steps, plan.problems) == (tuple(steps), ())
        assert schema.plan().steps == ()
        return steps

    def refused(self, *descriptors: Described) -> list[str]:
        """The problems that plan and apply both tell."""
        schema = self.schema(*descriptors)
        problems = schema.plan().problems
        before = self.rows(SCHEMA_IN_SHORT, "things")
        with pytest.raises(TableDiffers) as caught:
            schema.apply()
        assert caught.value.problems == problems
        assert self.rows(SCHEMA_IN_SHORT, "things") == before
        return list(problems)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def indexes(self, table: str = "things") -> list[str]:
        found = self.rows("select indexdef from pg_indexes where tablename = %s", table)
        unique = ["unique " if "UNIQUE" in text else "" for (text,) in found]
        return sorted(u + text.split(" USING btree ")[1] for u, (text,) in zip(unique, found, strict=True))


@pytest.fixture
def tables(empty_database_url: str) -> Iterator[Tables]:
    tables = Tables(empty_database_url)
    yield tables
    tables.database.close()


def test_new_optional_columns_are_added_behind_and_rows_stay(tables: Tables) -> None:
    tables.apply(things(CODE))
    tables.rows("insert into things (code) values ('a')")
    steps = tables.apply(things({"name": "note", "type": "string"}, CODE))
    assert steps == ['alter table "public"."things" add column "note" text']
    assert tables.rows("select code, note from things") == [("a", None)]


def test_new_required_column_is_added_to_an_empty_table_only(tables: Tables) -> None:
    tables.apply(things(SIZE))
    tables.apply(things(SIZE, CODE))
    tables.rows("insert into things (code) values ('a')")
    [problem] = tables.refused(things(SIZE, CODE, {**CODE, "name": "other"}))
    assert problem.startswith("things: other is new and required")
    assert "apply" in problem


@pytest.mark.parametrize(
    ("narrow", "wide", "value", "kind"),
    [
        (SIZE, {"name": "size", "type": "integer"}, "9", "bigint"),
        (SIZE, {"name": "size", "type": "number"}, "9", "numeric"),
        ({"name": "size", "type": "integer"}, {"name": "size", "type": "number"}, "9", "numeric"),
        (
            {"name": "size", "type": "string", "format": "uuid"},
            {"name": "size", "type": "string"},
            "123e4567-e89b-12d3-a456-426614174000",
            "text",
        ),
        ({"name": "size", "type": "string"}, {"name": "size", "type": "any"}, "x", "text"),
    ],
)
def test_types_are_widened_where_every_value_stays_what_it_is(
    tables: Tables, narrow: Described, wide: Described, value: str, kind: str
) -> None:
    tables.apply(things(narrow))
    tables.rows("insert into things (size) values (%s)", value)
    tables.apply(things(wide))
    assert tables.rows(SCHEMA_IN_SHORT, "things") == [("size", kind, "YES")]
    assert tables.rows("select size::text from things") == [(value,)]


def test_column_wider_than_its_field_needs_stays(tables: Tables) -> None:
    tables.apply(things({"name": "size", "type": "integer"}))
    assert tables.apply(things(SIZE)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("number", "integer"),
        ("string", "integer"),
        ("integer", "string"),
        ("date", "datetime"),
        ("datetime", "date"),
        ("date", "string"),
        ("boolean", "integer"),
        ("object", "string"),
    ],
)
def test_types_that_could_lose_or_change_a_value_are_refused_with_the_statement_to_run(
    tables: Tables, before: str, after: str
) -> None:
    tables.apply(things(CODE, {"name": "size", "type": before}))
    [problem] = tables.refused(things(CODE, {"name": "size", "type": after}))
    assert problem.startswith("things: size is ")
    statement = problem.split("first run: ")[1]
    assert statement.startswith('alter table "public"."things" alter column "size" type ')


def test_statement_that_a_refusal_gives_settles_it(tables: Tables) -> None:
    tables.apply(things(CODE, {"name": "size", "type": "string"}))
    tables.rows("insert into things (code, size) values ('a', '12')")
    after = things(CODE, {"name": "size", "type": "number"})
    [problem] = tables.refused(after)
    tables.rows(problem.split("first run: ")[1])
    assert tables.apply(after) == []
    assert tables.rows("select size::text from things") == [("12",)]


def test_column_no_longer_declared_is_refused_with_the_statement_that_loses_it(tables: Tables) -> None:
    tables.apply(things(CODE, SIZE))
    [problem] = tables.refused(things(CODE))
    assert "size is not declared any more" in problem
    tables.rows(problem.split("run: ")[1])
    assert tables.apply(things(CODE)) == []


def test_renamed_column_is_recognised_and_left_to_a_person(tables: Tables) -> None:
    tables.apply(things(CODE, SIZE))
    after = things(CODE, {**SIZE, "name": "amount"})
    [problem] = tables.refused(after)
    assert "if it is size by a new name" in problem
    tables.rows(problem.split("first run: ")[1])
    assert tables.apply(after) == []


def test_required_is_taken_off_and_put_on_where_the_rows_allow_it(tables: Tables) -> None:
    optional = {"name": "code", "type": "string"}
    tables.apply(things(CODE, SIZE))
    tables.apply(things(optional, SIZE))
    tables.rows("insert into things (code) values ('a'), (null), (null)")
    assert tables.refused(things(CODE, SIZE)) == [
        "things: code is now required, but 2 rows have no value for it; fill or remove them"
    ]
    tables.rows("delete from things where code is null")
    tables.apply(things(CODE, SIZE))
    assert ("code", "text", "NO") in tables.rows(SCHEMA_IN_SHORT, "things")


def test_filters_and_keys_come_and_go_with_their_indexes(tables: Tables) -> None:
    tables.apply(things(CODE, SIZE))
    tables.apply(things(CODE, SIZE, filters=("size",)))
    assert tables.indexes() == ["(size)", "unique (id)"]
    tables.rows("insert into things (code, size) values ('a', 1), ('b', 1)")
    tables.apply(things(CODE, SIZE, uniqueKeys=[["code"]]))
    assert tables.indexes() == ["unique (code)", "unique (id)"]
    tables.apply(things(CODE, SIZE, filters=("code",)))
    assert tables.indexes() == ["(code)", "unique (id)"]


def test_indexes_that_a_person_made_serve_and_stay(tables: Tables) -> None:
    tables.apply(things(CODE, SIZE))
    tables.rows("create index by_hand on things (size)")
    assert tables.apply(things(CODE, SIZE, filters=("size",))) == []
    assert tables.apply(things(CODE, SIZE)) == []
    assert tables.rows("select to_regclass('by_hand') is not null") == [(True,)]


def test_new_unique_key_is_refused_by_the_number_of_duplicates_and_no_value(tables: Tables) -> None:
    tables.apply(things(CODE, SIZE))
    tables.rows("insert into things (code) values ('secret'), ('secret'), ('twin'), ('twin'), ('single')")
    [problem] = tables.refused(things(CODE, SIZE, uniqueKeys=[["code"]]))
    assert problem.startswith("things: code must be unique now, but 2 values are there more than once")
    assert "secret" not in problem


def test_keys_are_compared_in_byte_order_even_where_the_column_was_there_before(tables: Tables) -> None:
    tables.apply(things({"name": "code", "type": "string"}))
    tables.apply(things({"name": "code", "type": "string"}, uniqueKeys=[["code"]]))
    collation = "select collname from pg_attribute join pg_collation as c on c.oid = attcollation where attrelid = %s"
    assert tables.rows(collation + "::regclass", "things") == [("C",)]


def test_all_problems_of_all_tables_are_told_at_once(tables: Tables) -> None:
    tables.apply(things(CODE, SIZE), things(CODE, SIZE, name="others"))
    tables.rows("insert into things (size) select 1 where false; insert into others (code) values ('a'), ('a')")
    number = {"name": "size", "type": "boolean"}
    problems = tables.refused(things(CODE, number), things(CODE, name="others", uniqueKeys=[["code"]]))
    assert [problem.split(" ")[:2] for problem in problems] == [
        ["things:", "size"],
        ["others:", "size"],
        ["others:", "code"],
    ]


def test_table_that_is_not_ours_is_refused(tables: Tables) -> None:
    tables.rows("create table things (code text)")
    assert "not dropload's" in tables.refused(things(CODE))[0]
    tables.rows("drop table things; create view things as select 1 as code")
    assert "is no table" in tables.refused(things(CODE))[0]


ORDER: Described = {"name": "thing", "type": "string"}
LINK: Described = {"fields": "thing", "reference": {"resource": "things", "fields": "code"}}


def test_foreign_keys_are_made_after_all_tables_and_go_when_no_longer_declared(tables: Tables) -> None:
    child = things(ORDER, name="a_child", foreignKeys=[LINK])
    parent = things(CODE, uniqueKeys=[["code"]])
    steps = tables.apply(child, parent)
    assert 'references "public"."things" ("code")' in steps[-1]
    assert tables.indexes("a_child") == ["(thing)", "unique (id)"]
    tables.apply(things(ORDER, name="a_child"), parent)
    assert tables.rows("select 1 from pg_constraint where contype = 'f' and conrelid = 'a_child'::regclass") == []


def test_datasets_may_refer_to_each_other_and_to_themselves(tables: Tables) -> None:
    one = things(
        CODE,
        ORDER,
        {"name": "above", "type": "string"},
        uniqueKeys=[["code"]],
        foreignKeys=[
            {"fields": "thing", "reference": {"resource": "others", "fields": "code"}},
            {"fields": "above", "reference": {"resource": "", "fields": "code"}},
        ],
    )
    other = things(CODE, ORDER, name="others", uniqueKeys=[["code"]], foreignKeys=[LINK])
    tables.apply(one, other)
    assert tables.rows("select count(*) from pg_constraint where contype = 'f' and connamespace = 2200") == [(3,)]


def test_new_foreign_key_is_refused_by_the_number_of_rows_that_refer_to_nothing(tables: Tables) -> None:
    parent = things(CODE, uniqueKeys=[["code"]])
    tables.apply(things(ORDER, name="a_child"))
    tables.rows("insert into a_child (thing) values ('secret'), (null), ('b')")
    child = things(ORDER, name="a_child", foreignKeys=[LINK])
    [problem] = tables.refused(child, parent)
    assert "2 rows refer to one that is not there" in problem
    tables.apply(things(ORDER, name="a_child"), parent)
    tables.rows("insert into things (code) values ('b')")
    [problem] = tables.refused(child, parent)
    assert "1 rows refer to one that is not there" in problem
    assert "secret" not in problem
    tables.rows("delete from a_child where thing = 'secret'")
    tables.apply(child, parent)


def test_both_ends_of_a_foreign_key_are_widened_together(tables: Tables) -> None:
    def ends(kind: str) -> list[Described]:
        link = {"fields": "size", "reference": {"resource": "things", "fields": "size"}}
        field = {"name": "size", "type": kind}
        return [
            things(field, name="a_child", foreignKeys=[link]),
            things(field, uniqueKeys=[["size"]]),
        ]

    tables.apply(*ends("integer"))
    tables.rows("insert into things (size) values (1); insert into a_child (size) values (1)")
    tables.apply(*ends("number"))
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        tables.rows("insert into a_child (size) values (2)")


def test_table_in_use_is_waited_for_and_then_left_as_it_is(tables: Tables) -> None:
    tables.apply(things(CODE))
    schema = tables.schema(things(CODE, SIZE), patience_seconds=0.3)
    with closing(psycopg2.connect(tables.url)) as loader, loader.cursor() as cursor:
        cursor.execute("insert into things (code) values ('a')")
        with pytest.raises(Transient, match=r"things could not be had within .* seconds; nothing was changed"):
            schema.apply()
        loader.commit()
    schema.apply()
    assert tables.rows("select code, size from things") == [("a", None)]


def test_rows_that_come_between_the_count_and_the_lock_are_counted(tables: Tables) -> None:
    tables.apply(things(CODE))
    errors: list[BaseException] = []

    def apply() -> None:
        try:
            tables.schema(things(CODE, uniqueKeys=[["code"]]), patience_seconds=30).apply()
        except BaseException as error:
            errors.append(error)

    with closing(psycopg2.connect(tables.url)) as loader, loader.cursor() as cursor:
        cursor.execute("insert into things (code) values ('a'), ('a')")
        thread = threading.Thread(target=apply)
        thread.start()
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like 'lock table%%'"
        deadline = time.monotonic() + 20
        while tables.rows(waiting) != [(1,)]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        loader.commit()
    thread.join()
    assert [type(error) for error in errors] == [TableDiffers]


def test_what_the_database_refuses_for_its_own_reasons_is_named_by_its_statement(tables: Tables) -> None:
    tables.apply(things(SIZE))
    tables.rows("create view on_top as select size from things")
    with pytest.raises(Terminal, match=r'alter table "public"."things" alter column "size" type bigint'):
        tables.schema(things({"name": "size", "type": "integer"})).apply()
    assert tables.rows(SCHEMA_IN_SHORT, "things") == [("size", "integer", "YES")]


def test_shipped_datasets_are_made_at_once(tables: Tables, tmp_path: Path) -> None:
    schema = Schema(tables.database, load_datasets())
    assert sum(step.startswith("create table") for step in schema.apply()) == len(load_datasets())
    assert schema.apply() == []
    file = tmp_path / "things.json"
    file.write_text(json.dumps(things(CODE)))
    assert list(load_datasets(tmp_path)) == ["things"]

"""The database is brought up to date once, whatever is run again, and never changed behind anyone's back."""

from concurrent.futures import ThreadPoolExecutor

from chalicelib.bootstrap import Container
from tests.system import System


def test_applying_again_changes_nothing(system: System) -> None:
    assert system.container.schema.apply() == []


def test_plan_is_shown_and_not_run(system: System) -> None:
    system.rows("drop table members")
    plan = system.container.schema.plan()
    assert plan.steps[0].startswith('create table "public"."members"')
    assert system.rows("select to_regclass('public.members') is null") == [(True,)]


def test_unique_keys_and_filters_have_indexes(system: System) -> None:
    found = system.rows("select indexdef from pg_indexes where tablename = 'members' order by 1")
    indexes = [definition.split(" USING ")[1] for (definition,) in found]
    assert sorted(indexes) == ["btree (account_id)", "btree (client_member_id)", "btree (id)", "btree (phone_number)"]


def test_containers_that_start_at_once_on_an_empty_database_agree(system: System) -> None:
    system.rows("drop schema dropload cascade; drop table members")
    with ThreadPoolExecutor(4) as pool:
        steps = list(pool.map(lambda _: Container(system.settings).schema.apply(), range(4)))
    assert sorted(map(bool, steps)) == [False, False, False, True]

"""Killed between any two effects of a write through the API: all of it is there, and what is told of it, or nothing."""

import json
from functools import partial
from itertools import count

import pytest

from chalicelib.core.access import EVERYONE
from infra.local.emulator import Access
from tests.faults.killing import work_and_die
from tests.faults.rounds import STRIDE, new_system
from tests.system import System


@pytest.fixture
def system(database_url: str, emulator: Access, monkeypatch: pytest.MonkeyPatch) -> System:
    """The services, and AWS in the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    return new_system(database_url)


def product(round: int, number: int, name: str) -> dict[str, str]:
    return {"name": name, "sku": f"{round}-{number}", "status": "active"}


def put(round: int, system: System) -> None:
    """One that is there already, and three that are new."""
    products = [product(round, number, "after") for number in range(4)]
    system.container.records.put(EVERYONE, "products", json.dumps(products).encode())


def remove(id: int, system: System) -> None:
    system.container.records.delete(EVERYONE, "products", id, None)


def events(system: System, ids: list[int]) -> dict[str, int]:
    counted = "select event, sum(cardinality(ids))::integer from dropload.record_event"
    query = f"{counted} where ids && %s::bigint[] group by event"
    return dict(system.rows(query, ids))


def test_a_batch_is_written_and_told_as_one(system: System) -> None:
    whole = 0
    for round in count(1, STRIDE):
        before = json.dumps(product(round, 0, "before")).encode()
        first = system.container.records.create(EVERYONE, "products", before).id
        died = work_and_die(system, round, task=partial(put, round))
        rows = system.rows("select id, name from products where sku like %s order by sku", f"{round}-%")
        ids = [id for id, _ in rows]
        if rows == [(first, "before")]:
            assert events(system, ids) == {"record.created": 1}
        else:
            assert rows == [(id, "after") for id in ids]
            assert ids[0] == first
            assert events(system, ids) == {"record.created": 4, "record.updated": 1}
            whole += 1
        if not died:
            break
    assert round > 20
    assert 0 < whole < round


def test_a_record_is_deleted_and_told_as_one(system: System) -> None:
    for round in count(1, STRIDE):
        id = system.container.records.create(EVERYONE, "products", json.dumps(product(round, 0, "x")).encode()).id
        died = work_and_die(system, round, task=partial(remove, id))
        gone = not system.rows("select 1 from products where id = %s", id)
        assert events(system, [id]) == {"record.created": 1, **({"record.deleted": 1} if gone else {})}
        if not died:
            break
    assert gone
    assert round > 5

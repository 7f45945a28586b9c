"""The shipped datasets, from descriptor to table, with demo files clean and dirty."""

from collections import Counter

import pytest

from chalicelib.core.schema import OnConflict
from tests.demo_datasets import DemoFile, demo
from tests.oracle import Row, Value
from tests.policies import with_policies
from tests.system import System

Product = tuple[Value, ...]


def apply_products(table: dict[Value, Product], rows: list[Row]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        product = tuple(row[name] for name in ("name", "sku", "description", "status"))
        before = table.get(row["sku"])
        counts["inserted" if before is None else "unchanged" if before == product else "updated"] += 1
        table[row["sku"]] = product
    return counts


def counts_of(system: System, dataset: str, file: DemoFile, name: str) -> Counter[str]:
    job = system.load(file.data, key=f"input/{dataset}/{name}.csv")
    assert job["balanced"] is True
    assert [(one["record"], one["line"]) for one in system.rejections(job)] == [
        (one.record.number, one.record.line) for one in file.outcome.refused
    ]
    return Counter({name: count for name, count in job["counts"].items() if count and name != "read"})


def test_members_products_and_plays_are_shipped(system: System) -> None:
    policies = {name: dataset.on_conflict for name, dataset in system.container.datasets.items()}
    assert policies == {"members": OnConflict.REJECT, "plays": OnConflict.SUM, "products": OnConflict.UPDATE}


@pytest.mark.parametrize("batch_bytes", [10_000, 1_000_000])
def test_products_are_what_the_last_record_of_each_sku_says(system: System, batch_bytes: int) -> None:
    system = with_policies(system, batch_bytes=batch_bytes)
    table: dict[Value, Product] = {}
    clean, dirty = demo("products", 1000), demo("products", 1000, dirty=0.3)
    for name, file in (("clean", clean), ("dirty", dirty), ("again", dirty), ("clean-again", clean)):
        wanted = apply_products(table, file.rows)
        wanted["rejected"] = len(file.outcome.refused)
        assert counts_of(system, "products", file, name) == wanted
    found = system.rows("select name, sku, description, status from products order by sku")
    assert found == sorted(table.values(), key=lambda product: str(product[1]))


@pytest.mark.parametrize("batch_bytes", [10_000, 1_000_000])
def test_plays_add_up_over_any_number_of_files(system: System, batch_bytes: int) -> None:
    system = with_policies(system, batch_bytes=batch_bytes)
    table: Counter[tuple[Value, Value]] = Counter()
    files = [demo("plays", 700, dirty=0.2 * seed, seed=seed) for seed in range(4)]
    for number, file in enumerate(files):
        new: set[tuple[Value, Value]] = set()
        for row in file.rows:
            song, day, plays = row["song"], row["date"], row["plays"]
            assert isinstance(plays, int)
            if (song, day) not in table:
                new.add((song, day))
            table[song, day] += plays
        wanted = Counter(inserted=len(new), updated=len(file.rows) - len(new), rejected=len(file.outcome.refused))
        assert counts_of(system, "plays", file, str(number)) == +wanted
    assert {
        (song, day): plays for song, day, plays in system.rows("select song, date::text, plays from plays")
    } == table


def test_plays_of_a_file_that_was_loaded_before_are_not_added_again(system: System) -> None:
    file = demo("plays", 100)
    system.load(file.data, key="input/plays/a.csv")
    assert system.load(file.data, key="input/plays/a.csv")["state"] == "DUPLICATE"
    [(total,)] = system.rows("select sum(plays)::bigint from plays")
    assert total == sum(int(str(row["plays"])) for row in file.rows)

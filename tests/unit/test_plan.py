"""The comparison of descriptors with tables, without a database: what it would do, in which order."""

from typing import Any

from chalicelib.adapters.postgres.plan import Changes, compare
from chalicelib.adapters.postgres.shape import FoundColumn, FoundIndex, FoundLink, Shape
from chalicelib.core.dataset import parse_dataset

OURS = {"id": FoundColumn("bigint", True), "_origin": FoundColumn("bigint", True)}
CODE = {"code": FoundColumn("text", True, "C")}


def described(name: str = "things", **schema: Any) -> dict[str, Any]:
    fields = [{"name": "code", "type": "string", "constraints": {"required": True}}]
    return {"name": name, "schema": {"fields": fields, **schema}}


def changes(*pairs: tuple[dict[str, Any], Shape | None]) -> Changes:
    datasets = {dataset.name: dataset for dataset, _ in ((parse_dataset(one), shape) for one, shape in pairs)}
    return compare(datasets, {name: shape for name, (_, shape) in zip(datasets, pairs, strict=True)})


def test_a_table_as_it_should_be_is_left_alone() -> None:
    found = changes((described(), Shape({**OURS, **CODE})))
    assert (found.statements(), found.problems, found.obstacles, found.touched) == ([], [], [], set())


def test_columns_in_another_order_are_no_difference() -> None:
    assert changes((described(), Shape({**CODE, **OURS}))).statements() == []


def test_key_in_another_order_of_columns_is_the_same_key() -> None:
    fields = [{"name": "a", "type": "integer"}, {"name": "b", "type": "integer"}]
    columns = {**OURS, "a": FoundColumn("bigint", True), "b": FoundColumn("bigint", True)}
    index = FoundIndex("x", ("b", "a"), unique=True, ours=True)
    descriptor = {"name": "things", "schema": {"fields": fields, "primaryKey": ["a", "b"]}}
    assert changes((descriptor, Shape(columns, (index,)))).statements() == []


def test_our_index_that_serves_nothing_goes_and_anothers_stays() -> None:
    indexes = (FoundIndex("one", ("code",), False, ours=True), FoundIndex("two", ("code",), True, ours=False))
    found = changes((described(), Shape({**OURS, **CODE}, indexes)))
    assert (len(found.drop), found.index, found.touched) == (1, [], {"things"})


def test_index_that_a_foreign_constraint_needs_is_not_dropped() -> None:
    index = FoundIndex("one", ("code",), True, ours=True, needed_by=("by_hand of elsewhere",))
    found = changes((described(), Shape({**OURS, **CODE}, (index,))))
    assert found.drop == []
    assert found.problems == ["things: the index one is asked for no more, but by_hand of elsewhere needs it"]


def test_foreign_keys_come_last_and_go_first() -> None:
    link = {"fields": "code", "reference": {"resource": "others", "fields": "code"}}
    old = FoundLink("old", ("code",), "gone", ("code",), ours=True)
    found = changes(
        (described(foreignKeys=[link]), Shape({**OURS, **CODE}, links=(old,))),
        (described("others", primaryKey="code"), None),
    )
    assert len(found.unlink) == len(found.link) == 1
    assert found.statements()[0] is found.unlink[0]
    assert found.statements()[-1] is found.link[0]
    assert len(found.obstacles) == 1


def test_constraint_of_a_person_that_says_the_same_serves() -> None:
    link = {"fields": "code", "reference": {"resource": "others", "fields": "code"}}
    same = FoundLink("by_hand", ("code",), "others", ("code",), ours=False)
    other_schema = FoundLink("by_hand", ("code",), None, ("code",), ours=False)
    index = FoundIndex("i", ("code",), False, ours=True)
    key = FoundIndex("k", ("code",), True, ours=True)
    others = described("others", primaryKey="code"), Shape({**OURS, **CODE}, (key,))
    for links, made in (((same,), 0), ((other_schema,), 1)):
        child = described(foreignKeys=[link]), Shape({**OURS, **CODE}, (index,), links)
        assert len(changes(child, others).link) == made

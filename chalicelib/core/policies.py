"""Whether a dataset's keys and measures fit its merge policy (docs/merge-policies.md)."""

from collections.abc import Collection, Sequence

from chalicelib.core.problems import Node
from chalicelib.core.schema import Field, FieldType, OnConflict

Key = tuple[str, ...]

_ADDABLE = (FieldType.INTEGER, FieldType.NUMBER)


def check_policy(
    settings: Node,
    policy: OnConflict,
    fields: Sequence[Field],
    keys: Sequence[Key],
    primary: Key,
    measures: Collection[str],
) -> None:
    """Note in ``settings`` (the ``dropload`` block) what the policy cannot do with these keys and measures.

    ``keys`` are all unique keys, the primary one (empty where there is none) among them.
    """
    if measures and policy is not OnConflict.SUM:
        settings.problem("measures", "only on_conflict sum adds measures; leave them out")
    if policy is OnConflict.APPEND and keys:
        settings.problem("on_conflict", "append takes every record, so no key can be unique; leave the keys out")
    if policy is OnConflict.UPDATE:
        if not primary and len(keys) != 1:
            settings.problem("on_conflict", f"update {_needs_a_key(keys)}, or a primaryKey")
        else:
            _match_key(settings, policy, fields, primary or keys[0])
    if policy is OnConflict.SUM:
        if len(keys) != 1:
            settings.problem("on_conflict", f"sum {_needs_a_key(keys)}")
        else:
            _match_key(settings, policy, fields, keys[0])
            _measures(settings, fields, keys[0], measures)


def _needs_a_key(keys: Sequence[Key]) -> str:
    return f"needs exactly one unique key to match records by, and the schema has {len(keys)}"


def _match_key(settings: Node, policy: OnConflict, fields: Sequence[Field], key: Key) -> None:
    optional = [field.name for field in fields if field.name in key and not field.constraints.required]
    if optional:
        settings.problem(
            "on_conflict",
            f"{policy} matches records by {', '.join(key)}; make {', '.join(optional)} required, or it a primaryKey",
        )


def _measures(settings: Node, fields: Sequence[Field], key: Key, measures: Collection[str]) -> None:
    if not measures:
        settings.problem("measures", "sum needs at least one measure, a field whose values are added")
    for field in fields:
        if field.name in key and field.name in measures:
            settings.problem("measures", f"{field.name} is in the key, so it cannot be added")
        elif field.name in measures and field.type not in _ADDABLE:
            settings.problem("measures", f"{field.name} is of type {field.type}, which cannot be added")
        elif field.name not in key and field.name not in measures:
            settings.problem("measures", f"{field.name} is neither in the key nor a measure: which value would stay?")

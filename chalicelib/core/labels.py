"""Which field a column of a file is, by the label that its header gives it."""

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.core.problems import Node
from chalicelib.core.schema import Dataset, ExtraColumns, Field, HeaderMatch

_MATCHES = {ExtraColumns.IGNORE: "partial", ExtraColumns.REJECT: "superset"}
"""The ``fieldsMatch`` that says what is done: columns go by name, in any order, and what is not required may lack."""


def parse_aliases(settings: Node, fields: Iterable[Field]) -> tuple[tuple[str, str], ...]:
    """Return pairs of an alias and the field that it stands for; what is wrong is noted in the node's problems."""
    node = settings.child("aliases")
    names = {field.name for field in fields}
    pairs: list[tuple[str, str]] = []
    taken = {_relaxed(name): name for name in names}
    for name in node.values:
        if name not in names:
            node.problem(name, "is not a field")
        for alias in node.texts(name):
            if taken.setdefault(_relaxed(alias), name) != name:
                node.problem(name, f"{alias} stands for {taken[_relaxed(alias)]} already")
            pairs.append((alias, name))
    return tuple(pairs)


def check_fields_match(schema: Node, extra_columns: ExtraColumns) -> None:
    """Note a ``fieldsMatch`` that is not what becomes of a file's columns."""
    ours = _MATCHES[extra_columns]
    if schema.values.get("fieldsMatch", ours) != ours:
        schema.problem(
            "fieldsMatch",
            f"must be {ours} or left out: with extra_columns {extra_columns}, columns are found by name, in any order, "
            f"and those that are not required may be missing",
        )


def resolve(labels: Sequence[str], dataset: Dataset) -> tuple[str, ...]:
    """Return the field that each label stands for; a label that stands for none stays as it is.

    Where labels match exactly and there are no aliases, that is all labels as they are.
    """
    relaxed = dataset.header_match is HeaderMatch.RELAXED
    if not relaxed and not dataset.aliases:
        return tuple(labels)
    names = {**dict(dataset.aliases), **{field.name: field.name for field in dataset.fields}}
    if relaxed:
        names = {_relaxed(label): name for label, name in names.items()}
    return tuple(_name(label, names, relaxed) for label in labels)


def _name(label: str, names: Mapping[str, str], relaxed: bool) -> str:
    return names.get(_relaxed(label) if relaxed else label, label)


def _relaxed(label: str) -> str:
    return label.strip().casefold()

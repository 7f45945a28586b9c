"""Foreign keys: fields whose values must be those of a row of another dataset, or of the same one."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from chalicelib.core.formats import UUID
from chalicelib.core.keynames import parse_key
from chalicelib.core.problems import Node
from chalicelib.core.schema import Dataset, Field, FieldType, ForeignKey

_TEXTS = (FieldType.STRING, FieldType.ANY)
_REPLACES = "replace"


def parse_foreign_keys(schema: Node, dataset: str, fields: Sequence[Field]) -> tuple[ForeignKey, ...]:
    """Return the ``foreignKeys`` of ``dataset``'s schema; what is wrong with them alone is noted.

    Whether what they refer to is there is ``check_references``'s business.
    """
    known = [field.name for field in fields]
    return tuple(_foreign_key(node, dataset, known) for node in schema.children("foreignKeys"))


def _foreign_key(node: Node, dataset: str, known: Collection[str]) -> ForeignKey:
    names = parse_key(node, "fields", node.values.get("fields"), known)
    if "fields" not in node.values:
        node.problem("fields", "is missing: which fields refer?")
    if "reference" not in node.values:
        node.problem("reference", "is missing: what do the fields refer to?")
        return ForeignKey(names, dataset, ())
    reference = node.child("reference")
    target = reference.text("resource") or dataset
    itself = known if target == dataset else None
    keys = parse_key(reference, "fields", reference.values.get("fields"), itself)
    if "fields" not in reference.values:
        reference.problem("fields", "is missing: which fields are referred to?")
    elif names and keys and len(names) != len(keys):
        reference.problem("fields", f"names {len(keys)} fields for the {len(names)} that refer to them")
    if target == dataset and names == keys:
        reference.problem("fields", "are the very fields that refer to them: that holds for every record")
    return ForeignKey(names, target, keys)


def check_references(datasets: Mapping[str, Dataset], unread: Collection[str] = ()) -> dict[str, list[str]]:
    """Return what is wrong with the foreign keys of datasets that are right each for itself, by dataset.

    ``unread`` are datasets whose descriptors are wrong: nothing can be said about what refers to them.
    """
    found = {}
    for name, dataset in datasets.items():
        problems = [
            f"schema.foreignKeys[{index}].{problem}"
            for index, link in enumerate(dataset.foreign_keys)
            if link.dataset not in unread
            for problem in _problems(dataset, link, datasets)
        ]
        circle = _circle(name, datasets)
        if circle:
            problems.append(
                f"schema.foreignKeys: {' needs '.join(circle)}: no record could ever be the first; "
                "let one of these fields be empty"
            )
        if problems:
            found[name] = problems
    return found


def _problems(dataset: Dataset, link: ForeignKey, datasets: Mapping[str, Dataset]) -> Iterator[str]:
    target = datasets.get(link.dataset)
    if target is None:
        yield f"reference.resource: there is no dataset {link.dataset}; there are {', '.join(sorted(datasets))}"
        return
    declared = {field.name for field in target.fields}
    gone = [name for name in link.keys if name not in declared]
    if gone:
        yield f"reference.fields: {', '.join(gone)} is not a field of {target.name}"
        return
    if not any(set(key) == set(link.keys) for key in target.unique_keys):
        yield f"reference.fields: {', '.join(link.keys)} must be the primaryKey or a unique key of {target.name}"
    if target.on_conflict == _REPLACES and target is not dataset:
        yield f"reference.resource: {target.name} is replaced by each of its files, so that nothing can refer to it"
    for name, key in zip(link.fields, link.keys, strict=True):
        one, other = dataset.field(name), target.field(key)
        if _kind(one) != _kind(other):
            yield f"fields: {name} is of type {_shown(one)}, but {key} of {target.name} is of type {_shown(other)}"
        if one.measure:
            yield f"fields: {name} is a measure, which is added up and so can refer to nothing"


def _kind(field: Field) -> tuple[str, bool]:
    return FieldType.STRING if field.type in _TEXTS else field.type, field.format == UUID


def _shown(field: Field) -> str:
    return f"{field.type} ({UUID})" if field.format == UUID else field.type


def _circle(name: str, datasets: Mapping[str, Dataset]) -> list[str]:
    """Return the way from a dataset back to it by references that no record can do without, through others."""
    ways = [[name]]
    seen = set()
    while ways:
        way = ways.pop()
        for following in _needed(datasets[way[-1]], datasets):
            if following == name and len(way) > 1:
                return [*way, name]
            if following not in seen and following != way[-1]:
                seen.add(following)
                ways.append([*way, following])
    return []


def _needed(dataset: Dataset, datasets: Mapping[str, Dataset]) -> Iterator[str]:
    for link in dataset.foreign_keys:
        if link.dataset in datasets and all(dataset.field(name).constraints.required for name in link.fields):
            yield link.dataset

"""A dataset from its descriptor: a Frictionless Data Resource with a Table Schema and a ``dropload`` block.

What the standard allows and dropload does not (yet) support is refused by name, never ignored: a constraint that is
not checked is worse than one that cannot be written.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from chalicelib.core.attempts import MOST_ATTEMPTS
from chalicelib.core.containers import CSV, JSONL
from chalicelib.core.dialects import parse_dialect
from chalicelib.core.expected import Expected, parse_expected
from chalicelib.core.fields import NAME, NAME_RULE, missing_values, parse_field
from chalicelib.core.foreign import parse_foreign_keys
from chalicelib.core.keynames import parse_key
from chalicelib.core.labels import check_fields_match, parse_aliases
from chalicelib.core.policies import check_policy
from chalicelib.core.problems import Node, Problems
from chalicelib.core.schema import (
    AfterLoad,
    Constraints,
    Dataset,
    Dialect,
    ExtraColumns,
    Field,
    FieldType,
    HeaderMatch,
    OnConflict,
    Tell,
)
from chalicelib.core.slips import check_keys, did_you_mean
from chalicelib.core.window import Window, parse_window
from chalicelib.errors import DescriptorError

__all__ = [
    "Constraints",
    "Dataset",
    "Dialect",
    "ExtraColumns",
    "Field",
    "FieldType",
    "HeaderMatch",
    "OnConflict",
    "parse_dataset",
]

MAX_FIELDS = 1_000
MAX_OWNERS = 50  # whom one mail of SES may go to
_EMAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+")
_SETTINGS = (
    "on_conflict",
    "measures",
    "extra_columns",
    "filters",
    "owners",
    "sensitive",
    "max_file_bytes",
    "header_match",
    "aliases",
    "max_errors",
    "max_error_rate",
    "atomic",
    "after_load",
    "load_window",
    "max_attempts",
    "undo_days",
    "notify",
    "expected",
)
_UNSUPPORTED_RESOURCE: Mapping[str, tuple[object, ...]] = {
    "compression": (),
    "type": ("table",),
    "data": (),  # rows that stand in the descriptor
}


def parse_dataset(descriptor: Mapping[str, object]) -> Dataset:
    """Return the dataset that ``descriptor`` (parsed YAML or JSON) declares.

    Raises:
        DescriptorError: something is wrong; it lists every problem, with the path to each.
    """
    problems = Problems()
    root = Node(descriptor, "", problems)
    name = _name(root)
    check_keys(root, _SETTINGS)
    root.refuse(_UNSUPPORTED_RESOURCE)
    schema = root.child("schema")
    fields = _fields(schema)
    unique_keys, primary = _unique_keys(schema, fields)
    foreign_keys = parse_foreign_keys(schema, name, fields)
    settings = root.child("dropload")
    _known_settings(settings)
    # Table Schema: the fields of a primary key are required, whether they say so or not.
    fields = tuple(_required(field) if field.name in primary else field for field in fields)
    on_conflict = OnConflict(settings.choice("on_conflict", tuple(OnConflict), "reject"))
    measures = _field_names(settings, "measures", fields)
    check_policy(settings, on_conflict, fields, unique_keys, primary, measures)
    dataset = Dataset(
        name=name,
        title=root.text("title") or name,
        fields=tuple(replace(field, measure=True) if field.name in measures else field for field in fields),
        dialect=parse_dialect(root),
        detect_delimiter=_declares_no_delimiter(descriptor.get("dialect")),
        unique_keys=unique_keys,
        on_conflict=on_conflict,
        extra_columns=ExtraColumns(settings.choice("extra_columns", tuple(ExtraColumns), "ignore")),
        filters=_field_names(settings, "filters", fields),
        owners=_owners(settings),
        sensitive=_field_names(settings, "sensitive", fields),
        max_file_bytes=settings.count("max_file_bytes", least=1),
        header_match=HeaderMatch(settings.choice("header_match", tuple(HeaderMatch), "exact")),
        aliases=parse_aliases(settings, fields),
        max_errors=settings.count("max_errors"),
        max_error_rate=settings.share("max_error_rate"),
        atomic=settings.flag("atomic", default=False),
        after_load=AfterLoad(settings.choice("after_load", tuple(AfterLoad), "keep")),
        notify=Tell(settings.choice("notify", tuple(Tell), "all")),
        expected=_expected(settings),
        format=root.choice("format", (CSV, JSONL), CSV),
        foreign_keys=foreign_keys,
        load_window=_load_window(settings),
        max_attempts=_max_attempts(settings),
        undo_days=settings.count("undo_days", least=1),
    )
    if dataset.undo_days is not None and on_conflict is OnConflict.REPLACE:
        settings.problem("undo_days", "what a table held before it was replaced is gone; leave it out")
    check_fields_match(schema, dataset.extra_columns)
    if problems.found:
        raise DescriptorError(name or "(no name)", problems.found)
    return dataset


def _name(root: Node) -> str:
    name = root.text("name")
    if not NAME.fullmatch(name):
        root.problem("name", NAME_RULE)
    return name


def _fields(schema: Node) -> tuple[Field, ...]:
    missing = missing_values(schema, ("",))
    fields = tuple(parse_field(node, missing) for node in schema.children("fields"))
    if not fields:
        schema.problem("fields", "at least one field is needed")
    if len(fields) > MAX_FIELDS:
        schema.problem("fields", f"at most {MAX_FIELDS} fields are possible")
    names = [field.name for field in fields]
    for doubled in sorted({name for name in names if name and names.count(name) > 1}):
        schema.problem("fields", f"the name {doubled} is used more than once")
    return fields


def _required(field: Field) -> Field:
    return replace(field, constraints=replace(field.constraints, required=True))


def _unique_keys(schema: Node, fields: Iterable[Field]) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return all unique keys, none twice, and the primary key (empty where there is none)."""
    known = [field.name for field in fields]
    primary = parse_key(schema, "primaryKey", schema.values.get("primaryKey"), known)
    keys = [primary] if primary else []
    declared = schema.values.get("uniqueKeys")
    if isinstance(declared, list | tuple):
        keys += [parse_key(schema, f"uniqueKeys[{index}]", key, known) for index, key in enumerate(declared)]
    elif declared is not None:
        schema.problem("uniqueKeys", "must be a list of lists of field names")
    keys += [(field.name,) for field in fields if field.constraints.unique]
    return tuple(dict.fromkeys(key for key in keys if key)), primary


def _declares_no_delimiter(dialect: object) -> bool:
    return not isinstance(dialect, Mapping) or dialect.get("delimiter") is None


def _known_settings(settings: Node) -> None:
    for key in settings.values:
        if key not in _SETTINGS:
            settings.problem(key, f"unknown; {did_you_mean(key, _SETTINGS) or 'known are ' + ', '.join(_SETTINGS)}")


def _field_names(settings: Node, key: str, fields: Iterable[Field]) -> tuple[str, ...]:
    names = settings.texts(key)
    known = {field.name for field in fields}
    for name in names:
        if name not in known:
            settings.problem(key, f"{name} is not a field")
    return tuple(dict.fromkeys(names))


def _load_window(settings: Node) -> Window | None:
    value = settings.values.get("load_window")
    if value is None:
        return None
    try:
        return parse_window(value if isinstance(value, str) else "")
    except ValueError as wrong:
        settings.problem("load_window", str(wrong))
        return None


def _max_attempts(settings: Node) -> int | None:
    most = settings.count("max_attempts", least=1)
    if most is not None and most > MOST_ATTEMPTS:
        settings.problem("max_attempts", f"must be an integer from 1 to {MOST_ATTEMPTS}")
    return most


def _owners(settings: Node) -> tuple[str, ...]:
    owners = settings.texts("owners")
    for index, owner in enumerate(owners):
        if not _EMAIL.fullmatch(owner):
            settings.problem(f"owners[{index}]", "must be an email address, without a name")
    if len(owners) > MAX_OWNERS:
        settings.problem("owners", f"at most {MAX_OWNERS} are possible")
    return owners


def _expected(settings: Node) -> Expected | None:
    text = settings.text("expected")
    if not text:
        return None
    try:
        return parse_expected(text)
    except ValueError as error:
        settings.problem("expected", str(error))
        return None

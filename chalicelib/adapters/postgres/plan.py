"""The comparison of descriptors with the tables there are: what to do, and what nobody but a person may do.

Pure: no statement runs here. Where the rows decide whether a step is possible, it comes with a query that counts those
in its way.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from psycopg2 import sql

from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.shape import FoundColumn, FoundIndex, FoundLink, Shape
from chalicelib.adapters.postgres.tables import (
    BYTE_ORDER,
    MADE_BY_US,
    Index,
    column,
    column_type,
    create_index,
    create_table,
    in_byte_order,
    indexes,
    made_name,
    names,
    table,
)
from chalicelib.core.dataset import Dataset, Field
from chalicelib.core.schema import ForeignKey

SCHEMA = queries("schema")
_OURS = ("id", "_origin")

_WIDER = {("integer", "bigint"), ("integer", "numeric"), ("bigint", "numeric"), ("uuid", "text")}
"""(from, to): types that hold every value of another one, none of which then means anything else."""

_WIDE_ENOUGH = {("bigint", "integer")}
"""(found, asked for): a column that may stay as it is, since the bounds of its field are kept by the rules."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A query that counts what is in the way, and the problem that any is, with ``{found}`` for the count."""

    query: sql.Composed
    problem: str


@dataclass(slots=True)
class Changes:
    """What would make the tables what the descriptors ask for: in the order of these lists.

    ``touched`` are the existing tables that are changed or read meanwhile.
    """

    unlink: list[sql.Composed] = field(default_factory=list)
    alter: list[sql.Composed] = field(default_factory=list)
    drop: list[sql.Composed] = field(default_factory=list)
    index: list[sql.Composed] = field(default_factory=list)
    link: list[sql.Composed] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    def statements(self) -> list[sql.Composed]:
        return [*self.unlink, *self.alter, *self.drop, *self.index, *self.link]


def compare(datasets: Mapping[str, Dataset], shapes: Mapping[str, Shape | None]) -> Changes:
    """What to do to all tables. ``shapes`` has an entry for each dataset, None where there is no table yet."""
    changes = Changes()
    retyped: set[tuple[str, str]] = set()
    for name, dataset in datasets.items():
        before = len(changes.statements())
        shape = shapes[name]
        if shape is None:
            changes.alter += create_table(dataset)
            continue
        if shape.other:
            changes.problems.append(f"{name}: there is something of this name in the database that is no table")
            continue
        _Comparison(dataset, shape, changes, retyped).run()
        if len(changes.statements()) > before:
            changes.touched.add(name)
    for dataset in datasets.values():
        _compare_links(dataset, datasets, shapes, retyped, changes)
    return changes


class _Comparison:
    """One table that is there: its columns and indexes."""

    def __init__(self, dataset: Dataset, shape: Shape, changes: Changes, retyped: set[tuple[str, str]]) -> None:
        self._dataset = dataset
        self._shape = shape
        self._changes = changes
        self._retyped = retyped
        self._new: set[str] = set()

    def run(self) -> None:
        missing = [name for name in _OURS if name not in self._shape.columns]
        if missing:
            self._problem(f"the table has no {' and no '.join(missing)}, so it is not dropload's; rename it")
            return
        for declared in self._dataset.fields:
            found = self._shape.columns.get(declared.name)
            if found is None:
                self._add(declared)
            else:
                self._change(declared, found)
        self._undeclared()
        self._indexes()

    def _add(self, declared: Field) -> None:
        self._new.add(declared.name)
        twin = self._renamed(declared)
        if twin:
            rename = self._alter("rename column {} to {}", sql.Identifier(twin), sql.Identifier(declared.name))
            self._problem(f"{declared.name} is missing; if it is {twin} by a new name, first run: {_text(rename)}")
        elif declared.constraints.required and not self._shape.empty:
            self._problem(
                f"{declared.name} is new and required, but the rows that are there have no value for it; let it be "
                "empty, apply, fill it in the rows that are there, and then require it"
            )
        else:
            self._changes.alter.append(self._alter("add column {}", column(self._dataset, declared)))

    def _renamed(self, declared: Field) -> str | None:
        """The only column that no field knows, if it could be this one, the only field that has no column."""
        fields = {each.name for each in self._dataset.fields}
        gone = [name for name in self._shape.columns if name not in fields and name not in _OURS]
        lacking = fields - self._shape.columns.keys()
        if len(gone) == len(lacking) == 1 and self._shape.columns[gone[0]].type == column_type(declared):
            return gone[0]
        return None

    def _change(self, declared: Field, found: FoundColumn) -> None:
        self._change_type(declared, found)
        name = sql.Identifier(declared.name)
        if declared.constraints.required and not found.required:
            count = sql.SQL(SCHEMA["nulls"]).format(table=table(self._dataset), column=name)
            problem = f"{declared.name} is now required, but {{found}} rows have no value for it; fill or remove them"
            self._changes.obstacles.append(Obstacle(sql.Composed([count]), self._said(problem)))
            self._changes.alter.append(self._alter("alter column {} set not null", name))
        elif found.required and not declared.constraints.required:
            self._changes.alter.append(self._alter("alter column {} drop not null", name))

    def _change_type(self, declared: Field, found: FoundColumn) -> None:
        wanted = column_type(declared)
        collated = in_byte_order(self._dataset, declared) and found.collation != BYTE_ORDER
        if found.type != wanted and (found.type, wanted) in _WIDE_ENOUGH:
            return
        name = sql.Identifier(declared.name)
        kind = sql.SQL(wanted + (f' collate "{BYTE_ORDER}"' if collated else ""))
        cast = sql.SQL("using {}::{}").format(name, sql.SQL(wanted))
        if found.type == wanted:
            if collated:
                self._changes.alter.append(self._alter("alter column {} type {}", name, kind))
        elif (found.type, wanted) in _WIDER:
            self._retyped.add((self._dataset.name, declared.name))
            self._changes.alter.append(self._alter("alter column {} type {} {}", name, kind, cast))
        else:
            by_hand = self._alter("alter column {} type {} {}", name, kind, cast)
            self._problem(
                f"{declared.name} is {found.type}, not {wanted}, and values could be lost; go back to a type that is "
                f"{found.type}, or, if you know that none is, first run: {_text(by_hand)}"
            )

    def _undeclared(self) -> None:
        fields = {each.name for each in self._dataset.fields}
        for name in self._shape.columns:
            if name not in fields and name not in _OURS and name not in self._twins():
                drop = self._alter("drop column {}", sql.Identifier(name))
                self._problem(
                    f"{name} is not declared any more; declare it, or, to lose its values, run: {_text(drop)}"
                )

    def _twins(self) -> set[str | None]:
        return {self._renamed(each) for each in self._dataset.fields if each.name not in self._shape.columns}

    def _indexes(self) -> None:
        wanted = indexes(self._dataset)
        kept = []
        for found in self._shape.indexes:
            if not found.ours or any(_serves(found, index) for index in wanted if index.unique == found.unique):
                kept.append(found)
            elif found.needed_by:
                self._problem(f"the index {found.name} is asked for no more, but {', '.join(found.needed_by)} needs it")
            else:
                self._changes.drop.append(sql.SQL("drop index {}").format(sql.Identifier("public", found.name)))
        for index in wanted:
            if any(_serves(found, index) for found in kept):
                continue
            if index.unique and self._new.isdisjoint(index.columns):
                columns = names(index.columns)
                count = sql.SQL(SCHEMA["duplicates"]).format(table=table(self._dataset), columns=columns)
                problem = (
                    f"{' and '.join(index.columns)} must be unique now, but {{found}} values are there more than once; "
                    "remove all but one row of each"
                )
                self._changes.obstacles.append(Obstacle(sql.Composed([count]), self._said(problem)))
            self._changes.index.append(create_index(self._dataset, index))

    def _alter(self, action: str, *parts: sql.Composable) -> sql.Composed:
        return sql.Composed([sql.SQL("alter table {} ").format(table(self._dataset)), sql.SQL(action).format(*parts)])

    def _problem(self, text: str) -> None:
        self._changes.problems.append(self._said(text))

    def _said(self, text: str) -> str:
        return f"{self._dataset.name}: {text}"


def _serves(found: FoundIndex, index: Index) -> bool:
    if index.unique:
        return found.unique and sorted(found.columns) == sorted(index.columns)
    return found.columns == index.columns


def _compare_links(
    dataset: Dataset,
    datasets: Mapping[str, Dataset],
    shapes: Mapping[str, Shape | None],
    retyped: Collection[tuple[str, str]],
    changes: Changes,
) -> None:
    """Foreign keys. One of whose columns another type becomes is made anew: PostgreSQL asks for that."""
    shape = shapes[dataset.name]
    found = shape.links if shape else ()
    wanted = dict.fromkeys(dataset.foreign_keys)
    stays = []
    for link in found:
        same = next((want for want in wanted if _same(want, link)), None)
        if link.ours and (same is None or any(end in retyped for end in _ends(dataset, same))):
            changes.unlink.append(
                sql.SQL("alter table {} drop constraint {}").format(table(dataset), sql.Identifier(link.name))
            )
            changes.touched.add(dataset.name)
        elif same is not None:
            stays.append(same)
    for want in wanted:
        if want not in stays:
            target = datasets[want.dataset]
            changes.link.append(_create_link(dataset, want, target))
            changes.touched |= {each for each in (dataset.name, target.name) if shapes[each]}
            if shape and not shape.empty and _can_hold(shape, dataset, want.fields):
                changes.obstacles.append(_orphans(dataset, want, target, shapes[target.name]))


def _same(want: ForeignKey, found: FoundLink) -> bool:
    pairs = set(zip(want.fields, want.keys, strict=True))
    return want.dataset == found.target and pairs == set(zip(found.fields, found.keys, strict=True))


def _can_hold(shape: Shape, dataset: Dataset, columns: Collection[str]) -> bool:
    """Whether a table has these columns, of the types that are asked for or that can become so."""
    for name in columns:
        found, wanted = shape.columns.get(name), column_type(dataset.field(name))
        if found is None or (found.type != wanted and (found.type, wanted) not in _WIDER | _WIDE_ENOUGH):
            return False
    return True


def _ends(dataset: Dataset, link: ForeignKey) -> Iterator[tuple[str, str]]:
    yield from ((dataset.name, name) for name in link.fields)
    yield from ((link.dataset, name) for name in link.keys)


def _create_link(dataset: Dataset, link: ForeignKey, target: Dataset) -> sql.Composed:
    name = sql.Identifier(made_name(dataset, "fkey", *link.fields, "in", link.dataset, *link.keys))
    constraint = sql.SQL("alter table {} add constraint {} foreign key ({}) references {} ({})").format(
        table(dataset), name, names(link.fields), table(target), names(link.keys)
    )
    comment = sql.SQL("comment on constraint {} on {} is {}").format(name, table(dataset), sql.Literal(MADE_BY_US))
    return sql.Composed([constraint, sql.SQL(";\n"), comment])


def _orphans(dataset: Dataset, link: ForeignKey, target: Dataset, shape: Shape | None) -> Obstacle:
    holds = shape is not None and _can_hold(shape, target, link.keys)
    same: sql.Composable = sql.SQL("false")
    if holds:
        pairs = zip(link.fields, link.keys, strict=True)
        same = sql.SQL(" and ").join(
            sql.SQL("child.{0}::{2} = parent.{1}::{2}").format(
                sql.Identifier(name), sql.Identifier(key), sql.SQL(column_type(target.field(key)))
            )
            for name, key in pairs
        )
    query = sql.SQL(SCHEMA["orphans"]).format(
        table=table(dataset),
        columns=names(link.fields),
        target=table(target if holds else dataset),
        same=same,
    )
    problem = (
        f"{dataset.name}: {' and '.join(link.fields)} must now be {' and '.join(link.keys)} of a row of {target.name}, "
        "but {found} rows refer to one that is not there; load what is missing first, or mend or remove them"
    )
    return Obstacle(sql.Composed([query]), problem)


def _text(statement: sql.Composable) -> str:
    """A statement that holds nothing but names, as text."""
    if isinstance(statement, sql.Composed):
        return "".join(map(_text, statement.seq))
    if isinstance(statement, sql.Identifier):
        return ".".join(f'"{part}"' for part in statement.strings)
    assert isinstance(statement, sql.SQL)
    return statement.string

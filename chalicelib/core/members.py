"""Tables whose columns have names and whose rows have values (Excel, Parquet) as JSON Lines.

Row n of the table is line n of the text, so that a rejection's line number is the row that people see. A row that holds
no record (the header, an empty one) is an empty line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chalicelib.core.corrections import own_columns
from chalicelib.core.header import check_labels
from chalicelib.core.labels import resolve
from chalicelib.core.native import quoted
from chalicelib.core.schema import Dataset, Dialect, Field
from chalicelib.errors import FileRefused


@dataclass(frozen=True, slots=True)
class Member:
    """A column that is loaded: its ``position`` in the table, from 0, its label there, and its field."""

    position: int
    label: str
    field: Field


def members(labels: Sequence[str], dataset: Dataset) -> tuple[Member, ...]:
    """Return the declared columns of a table with these labels, in its order.

    Raises:
        FileRefused: the labels are not those of a file of this dataset.
    """
    refuse_correction(labels)
    check_labels(labels, dataset)
    fields = {field.name: field for field in dataset.fields}
    names = resolve(labels, dataset)
    return tuple(
        Member(position, label, fields[name])
        for position, (label, name) in enumerate(zip(labels, names, strict=True))
        if name in fields
    )


def refuse_correction(labels: Sequence[str]) -> None:
    """Refuse a table with the labels of an error file."""
    if len(own_columns(labels)) < len(labels):
        raise FileRefused(
            "correction-in-table", "an error file comes back as CSV only; save it as that, and drop it again"
        )


def positional(dataset: Dataset) -> tuple[Member, ...]:
    """Return the columns of a table without a header."""
    return tuple(Member(position, field.name, field) for position, field in enumerate(dataset.fields))


def header_labels(rows: Iterable[Sequence[str]], dialect: Dialect) -> tuple[str, ...]:
    """Return the labels that the header's rows give together; blank ones at its right end are no columns."""
    padded = [list(row) for row in rows]
    width = max(map(len, padded), default=0)
    for row in padded:
        row += [""] * (width - len(row))
    labels = [dialect.header_join.join(filter(None, cells)) for cells in zip(*padded, strict=True)]
    while labels and not labels[-1].strip():
        labels.pop()
    if not labels:
        raise FileRefused("empty-file", "the file is empty: it has not even a header")
    return tuple(labels)


def line_template(members: Sequence[Member]) -> str:
    """Return the line of a row, its newline included, with a ``%s`` for the JSON of each member's value."""
    names = (quoted(member.label).replace("%", "%%") for member in members)
    return "{" + ", ".join(f"{name}: %s" for name in names) + "}\n"

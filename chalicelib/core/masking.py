"""A rejected record as a person may see it: its declared columns, those that are sensitive without their values.

What is wrong with a record may be that its cells stand in the wrong columns. So nothing of it is shown unless it has
as many cells as the file has columns, nor where a sensitive column is wrong together with another one; and no cell is
shown that holds what stands in a sensitive one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chalicelib.core.containers import JSONL
from chalicelib.core.jsontext import members_of, texts_of
from chalicelib.core.labels import resolve
from chalicelib.core.records import grammar_of
from chalicelib.core.schema import Dataset

MAX_SHOWN = 200
"""Characters of a cell that are shown."""

_MASKED = None
_TELLING = 4  # characters; anything shorter stands in many cells by chance


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One cell. ``text`` is ``None`` where it is masked, and is cut after ``MAX_SHOWN`` characters."""

    column: str
    text: str | None


def shown_cells(
    raw: bytes, wrong: Iterable[str | None], *, form: str, labels: Sequence[str], dataset: Dataset
) -> tuple[ShownCell, ...] | None:
    """Return a record's declared columns in its own order; ``None`` where nothing of it may be shown.

    ``raw`` is a record of a file of ``dataset``, in the dialect of that file, and ``wrong`` are the columns of its
    errors; ``form`` is what it is written in (csv, jsonl), ``labels`` the file's columns.
    """
    cells = _json_cells(raw) if form == JSONL else _csv_cells(raw, labels, dataset)
    if cells is None:
        return None
    names = resolve([label for label, _ in cells], dataset)
    declared = {field.name for field in dataset.fields}
    if len(set(names)) < len(names) or _seems_shifted(wrong, dataset):
        return None
    sensitive = set(dataset.sensitive)
    hidden = {_plain(text) for name, (_, text) in zip(names, cells, strict=True) if name in sensitive} - {""}
    return tuple(
        ShownCell(name, _MASKED if name in sensitive or _tells(text, hidden) else text[:MAX_SHOWN])
        for name, (_, text) in zip(names, cells, strict=True)
        if name in declared
    )


def _csv_cells(raw: bytes, labels: Sequence[str], dataset: Dataset) -> list[tuple[str, str]] | None:
    try:
        values = grammar_of(dataset.dialect).split(raw.decode())
    except UnicodeDecodeError:
        return None
    if not raw or values is None or len(values) != len(labels):
        return None
    return list(zip(labels, values, strict=True))


def _json_cells(raw: bytes) -> list[tuple[str, str]] | None:
    try:
        text = raw.decode()
        members = members_of(text)
    except ValueError:
        return None
    texts = dict(texts_of(text))
    return [(name, _text(value, texts[name])) for name, value in members]


def _text(value: object, spelled: str) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else spelled


def _seems_shifted(wrong: Iterable[str | None], dataset: Dataset) -> bool:
    columns = set(wrong)
    return len(columns) > 1 and not columns.isdisjoint(dataset.sensitive)


def _tells(text: str, hidden: set[str]) -> bool:
    plain = _plain(text)
    return plain in hidden or any(len(secret) >= _TELLING and secret in plain for secret in hidden)


def _plain(text: str) -> str:
    return text.strip().casefold()

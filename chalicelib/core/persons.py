"""Persons: whether a record, however broken, is about the one who has these values of a key."""

import json
import re
from collections.abc import Mapping, Sequence

from chalicelib.core.containers import JSONL
from chalicelib.core.labels import resolve
from chalicelib.core.records import grammar_of
from chalicelib.core.schema import Dataset

_PIECE = re.compile(r"[0-9A-Za-z@._+-]+")


def pieces_of(values: Sequence[str]) -> list[str]:
    """Return what a record that has these values has in it, whatever its quotes and escapes: the longest of each."""
    found = (max(_PIECE.findall(value), key=len, default="") for value in values)
    return [piece for piece in found if piece]


def is_about(raw: bytes, key: Mapping[str, str], columns: Sequence[str], form: str, dataset: Dataset) -> bool:
    """Tell whether a record has these values, by field, in the columns of its file.

    Where it cannot be read, or has another number of cells, the values may stand anywhere in it, as whole words.
    ``dataset`` has the file's own delimiter.
    """
    text = raw.decode("utf-8", "replace")
    cells = _json_cells(text, dataset) if form == JSONL else _csv_cells(text, columns, dataset)
    if cells is None or not key.keys() <= cells.keys():
        return all(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) for value in key.values())
    return all(cells[name].strip() == value for name, value in key.items())


def _csv_cells(text: str, columns: Sequence[str], dataset: Dataset) -> Mapping[str, str] | None:
    cells = grammar_of(dataset.dialect).split(text)
    if cells is None or len(cells) != len(columns):
        return None
    return dict(zip(resolve(columns, dataset), cells, strict=True))


def _json_cells(text: str, dataset: Dataset) -> Mapping[str, str] | None:
    try:
        members = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, dict):
        return None
    texts = ("" if value is None else str(value) for value in members.values())
    return dict(zip(resolve(list(members), dataset), texts, strict=True))

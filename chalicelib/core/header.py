"""The start of a file: its encoding, its header, and where its data begin."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.core.corrections import is_correction, own_columns
from chalicelib.core.detect import detect
from chalicelib.core.jsoncorrections import is_json_correction
from chalicelib.core.labels import resolve
from chalicelib.core.render import ERROR_COLUMNS
from chalicelib.core.rows import MAX_HEADER_BYTES, first_row, header_rows
from chalicelib.core.schema import Dataset, Dialect, ExtraColumns
from chalicelib.errors import FileRefused

MAX_COLUMNS = 1_500  # PostgreSQL's limit is 1,600, and a staging table has the file's columns
_UTF8_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_OTHER_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
_SHOWN = 20  # names that a message lists
_NAME = 60  # characters of each


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file's start tells.

    ``columns``: the header's labels in file order (the dataset's, where its dialect has no header). ``data_start``: the
    offset of the first byte after the header; ``first_line``: the physical line that it is on, from 1. ``delimiter``:
    the one that was detected, ``None`` where the dataset declares it. ``labels``: a correction file's whole header, of
    which ``columns`` are its own; ``None`` for every other file.
    """

    columns: tuple[str, ...]
    data_start: int
    first_line: int
    delimiter: str | None = None
    labels: tuple[str, ...] | None = None


def read_layout(head: bytes, dataset: Dataset, *, at_end: bool) -> Layout | None:
    """Read the layout from ``head``, the first bytes of a file, or all of them (``at_end``).

    ``None`` means that more bytes are needed, which is never so with ``at_end`` or more than ``MAX_HEADER_BYTES``.

    Raises:
        FileRefused: the file cannot be loaded; its code and message say why.
    """
    at_end = at_end or len(head) > MAX_HEADER_BYTES
    if not at_end and len(head) < 4:
        return None
    _refuse_wide(head)
    bom = len(_UTF8_BOM) if head.startswith(_UTF8_BOM) else 0
    text = head[bom:]
    delimiter = None
    if dataset.detect_delimiter:
        delimiter = detect(text, dataset, at_end=at_end)
        if delimiter is None:
            return None
        dataset = dataset.delimited_by(delimiter)
    first = first_row(text, dataset.dialect, at_end=at_end)
    if first is None:
        return None
    if is_correction(first.cells, dataset):
        columns = own_columns(first.cells)
        check_labels(columns, dataset)
        return Layout(columns, bom + first.end, 1 + text.count(b"\n", 0, first.end), delimiter, first.cells)
    if not dataset.dialect.header:
        if not text and at_end:
            raise FileRefused("empty-file", "the file is empty")
        return Layout(tuple(field.name for field in dataset.fields), bom, 1, delimiter)
    read = header_rows(text, dataset.dialect, at_end=at_end)
    if read is None:
        return None
    columns, end = read
    check_labels(columns, dataset)
    return Layout(columns, bom + end, 1 + text.count(b"\n", 0, end), delimiter)


def json_layout(head: bytes, dataset: Dataset, *, at_end: bool) -> Layout | None:
    """Read the layout of JSON Lines, which have no header: their columns are the dataset's fields.

    As ``read_layout`` does.
    """
    if not at_end and len(head) < 4:
        return None
    _refuse_wide(head)
    start = len(_UTF8_BOM) if head.startswith(_UTF8_BOM) else 0
    if at_end and len(head) == start:
        raise FileRefused("empty-file", "the file is empty")
    correction = is_json_correction(head[start:], at_end=at_end)
    if correction is None:
        return None
    columns = tuple(field.name for field in dataset.fields)
    return Layout(columns, start, 1, labels=(*ERROR_COLUMNS, *columns) if correction else None)


def _refuse_wide(head: bytes) -> None:
    """Refuse UTF-16 and UTF-32, by their mark or by the NULs that they are full of."""
    sample = head[:400]
    nulls = max(sample[0::2].count(0), sample[1::2].count(0))
    if head.startswith(_WIDE_BOMS) or nulls * 4 > len(sample):
        raise FileRefused(
            "encoding-error",
            "the file seems to be UTF-32, or UTF-16 without a byte order mark; save it as UTF-8 and drop it again",
        )


def check_labels(columns: Sequence[str], dataset: Dataset) -> None:
    """Check a header's labels, in file order, against the dataset.

    Raises:
        FileRefused: a required column is missing, a label stands twice ...; the code and the message say which.
    """
    declared = [field.name for field in dataset.fields]
    names = resolve(columns, dataset)
    present = set(names)
    missing = [field.name for field in dataset.fields if field.constraints.required and field.name not in present]
    known = present.intersection(declared)
    if missing or not known:
        _refuse_other_delimiter(columns, missing or declared, dataset.dialect)
    if not known:
        raise FileRefused(
            "no-header",
            f"the first line names none of the columns {_listed(declared)}: it seems to be a record; "
            "a header with the columns' names must come first",
        )
    if missing:
        raise FileRefused("missing-label", f"the header lacks {_listed(missing)}")
    if len(columns) > MAX_COLUMNS:
        raise FileRefused("header-error", f"the header has {len(columns)} columns; at most {MAX_COLUMNS} are possible")
    blank = [str(position) for position, name in enumerate(columns, 1) if not name.strip()]
    if blank:
        raise FileRefused("blank-label", f"the header has no name for column {_listed(blank)}")
    twice = {name for name, times in Counter(names).items() if times > 1}
    doubled = [label for label, name in zip(columns, names, strict=True) if name in twice]
    if doubled:
        raise FileRefused("duplicate-label", f"the header names a column more than once: {_listed(doubled)}")
    if dataset.extra_columns is ExtraColumns.REJECT:
        extra = [name for name in names if name not in known]
        if extra:
            raise FileRefused("extra-label", f"the header has columns that the dataset does not: {_listed(extra)}")


def _refuse_other_delimiter(columns: Sequence[str], wanted: Sequence[str], dialect: Dialect) -> None:
    """Refuse a header whose names all come out when it is split at another delimiter."""
    header = dialect.delimiter.join(columns)
    for delimiter, name in _OTHER_DELIMITERS.items():
        if delimiter != dialect.delimiter and delimiter in header:
            cells = {cell.strip(dialect.quote_char) for cell in header.split(delimiter)}
            if cells.issuperset(wanted):
                declared = _OTHER_DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter))
                raise FileRefused(
                    "wrong-delimiter",
                    f"the file seems to be delimited by {name}, while the dataset declares {declared}; "
                    f"lacking as it stands: {_listed(wanted)}",
                )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(
        dict.fromkeys(name if len(name) <= _NAME else name[: _NAME - 3] + "..." for name in names[:_SHOWN])
    )
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"

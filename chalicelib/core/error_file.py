"""The error file of a job: its name, and its bytes, in the format that the job's own file was in."""

import codecs
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.core.containers import CONVERTED, JSONL
from chalicelib.core.encodings import UTF8
from chalicelib.core.jsontext import members_of
from chalicelib.core.rejection import RecordError
from chalicelib.core.render import ERROR_COLUMNS, error_cells, error_file_header, error_file_row, escape_raw
from chalicelib.core.schema import Dataset, Dialect
from chalicelib.core.tablerows import row_writer

RAW_MEMBER = "_raw"
_SPACE = " \t\r\n"


def is_json_file(form: str, container: str | None) -> bool:
    """Tell whether rejected records go into JSON Lines; those of workbooks and the like are better mended as CSV."""
    return form == JSONL and container not in CONVERTED


def error_file_name(form: str, container: str | None) -> str:
    """Return the error file's name in its job's folder."""
    return "rejected.jsonl" if is_json_file(form, container) else "rejected.csv"


@dataclass(frozen=True, slots=True)
class ErrorFile:
    """How one job's rejected records are written. It is UTF-8, and says so where its dataset's files are not.

    ``from_row`` makes a CSV record of a table's row, where that can be.
    """

    form: str
    container: str | None
    columns: Sequence[str]
    dialect: Dialect
    from_row: Callable[[bytes], bytes | None] | None = None

    @property
    def name(self) -> str:
        """Its name in its job's folder."""
        return error_file_name(self.form, self.container)

    @property
    def content_type(self) -> str:
        """The media type that it is stored under."""
        return "application/x-ndjson" if is_json_file(self.form, self.container) else "text/csv; charset=utf-8"

    def start(self) -> bytes:
        """Return what stands before the records."""
        mark = b"" if self.dialect.encoding == UTF8 else codecs.BOM_UTF8
        return mark if is_json_file(self.form, self.container) else mark + error_file_header(self.columns, self.dialect)

    def row(self, line: int, record: int, errors: Sequence[RecordError], raw: bytes) -> bytes:
        """Return the line of one rejected record."""
        if is_json_file(self.form, self.container):
            return json_error_line(line, record, errors, raw)
        if raw and self.container in CONVERTED:
            row = None if self.from_row is None else self.from_row(raw)
            return error_file_row(line, record, errors, raw if row is None else row, self.dialect, escaped=row is None)
        return error_file_row(line, record, errors, raw, self.dialect)


def error_file(
    form: str, container: str | None, columns: Sequence[str], dataset: Dataset | None, delimiter: str | None
) -> ErrorFile:
    """Return the error file of a job; its dataset may have been removed while it was under way."""
    if dataset is None:
        return ErrorFile(form, container, columns, Dialect())
    dataset = dataset.delimited_by(delimiter)
    from_row = row_writer(columns, dataset) if container in CONVERTED else None
    return ErrorFile(form, container, columns, dataset.dialect, from_row)


def json_error_line(line: int, record: int, errors: Sequence[RecordError], raw: bytes) -> bytes:
    """Return a JSON object with the error members, then the record's own members as they came.

    A record that is no JSON object, or no text, or has a member of ours itself, stands as ``_raw``, the text that
    ``unescape_raw`` gives back.
    """
    own = _members(raw)
    if own is None:
        own = f'"{RAW_MEMBER}": {json.dumps(escape_raw(raw), ensure_ascii=False)}'
    cells = zip(ERROR_COLUMNS, (line, record, *error_cells(errors)), strict=True)
    members = [f'"{name}": {json.dumps(value, ensure_ascii=False)}' for name, value in cells]
    return ("{" + ", ".join([*members, own] if own else members) + "}\n").encode()


def _members(raw: bytes) -> str | None:
    """Return the text between an object's braces; ``None`` where there is no object."""
    try:
        text = raw.decode().strip(_SPACE)
        names = {name for name, _ in members_of(text)}
    except ValueError:
        return None
    if not names.isdisjoint((RAW_MEMBER, *ERROR_COLUMNS)):
        return None
    return text[1:-1].strip(_SPACE)

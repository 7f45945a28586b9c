"""Error files in JSON Lines that come back: each object without its error members is judged as if it had come alone."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from chalicelib.core.correcting import SEVERAL, Corrected, Errors, unescaped
from chalicelib.core.corrections import Place, longest_line, number_in
from chalicelib.core.error_file import RAW_MEMBER
from chalicelib.core.exact import Values
from chalicelib.core.jsonlines import JsonLinesReader
from chalicelib.core.jsontext import members_of, texts_of
from chalicelib.core.parsed import Located
from chalicelib.core.records import strip_line_end
from chalicelib.core.rejection import RecordError, too_long
from chalicelib.core.rejections import Rejections
from chalicelib.core.render import ERROR_COLUMNS, RAW_PREFIX
from chalicelib.core.repeat import any_number
from chalicelib.core.rows import MAX_HEADER_BYTES
from chalicelib.core.schema import Dataset

_LINE, _, _, _CODE, _ = ERROR_COLUMNS
_BLANK = b" \t\r\n"
_SPACE = "[ \t\r]*+"
_STRING = '"' + any_number(r'[^"\\]++|\\[\s\S]') + '"'
_OPENING = re.compile(f"{_SPACE}\\{{{_SPACE}".encode()).match
_MEMBER = re.compile(
    f'"({"|".join(ERROR_COLUMNS)})"{_SPACE}:{_SPACE}({_STRING}|-?+[0-9]++|null){_SPACE}(?:,{_SPACE}|(?=\\}}))'.encode()
).match
_OURS = re.compile(f'"(?:{RAW_MEMBER}|{"|".join(ERROR_COLUMNS)})"'.encode()).search
_LOOKED_AT = 20  # lines, any of which may show what file it is

Cells = dict[str, Any]


def is_json_correction(data: bytes, *, at_end: bool) -> bool | None:
    """Tell whether one of a file's first lines has an error member; ``None`` where more bytes are needed."""
    if any(cells for cells, _ in islice(_cut_lines(data), _LOOKED_AT)):
        return True
    return False if at_end or len(data) > MAX_HEADER_BYTES or b"\n" in data.lstrip(_BLANK) else None


def first_json_places(data: bytes, most: int) -> list[Place]:
    """Return what the error members of the first ``most`` records say; the last of ``data`` may be cut short."""
    return [_place(cells, own) for cells, own in islice(_cut_lines(data), most)]


def cut_members(record: bytes) -> tuple[Cells, bytes]:
    """Return the values of a record's error members, and the record without them.

    Byte by byte the same but for its opening where they come first, as we write them, even in a record that is no JSON.
    """
    cells: Cells = {}
    opening = _OPENING(record)
    position = opening.end() if opening else 0
    while opening and (member := _MEMBER(record, position)):
        cells.setdefault(member[1].decode(), _value(member[2]))
        position = member.end()
    own = b"{" + record[position:] if cells else record
    return _cut_elsewhere(cells, own) if _OURS(own) else (cells, own)


class JsonCorrectionReader(JsonLinesReader):
    """Reads batches of JSON Lines that have error members."""

    def __init__(self, dataset: Dataset, columns: Sequence[str], max_record_bytes: int) -> None:
        super().__init__(dataset, columns, max_record_bytes, fast_path=False)
        self._longest = longest_line(ERROR_COLUMNS, max_record_bytes)

    def read(self, data: bytes, *, offset: int, first_line: int) -> Corrected:
        """Read one batch, as ``Reader.read`` does; ``corrects`` has the parent's lines, as far as records name them."""
        parsed = Corrected(0, b"", 0, [], Rejections(data, offset), data, offset, [], [], self._keys)
        line, end = first_line, 0
        while end < len(data):
            start = end
            end = data.find(b"\n", start) + 1 or len(data)
            record = strip_line_end(data, start, end)
            if end - start > self._longest or record.strip(_BLANK):
                self._read_one(parsed, record, Located(parsed.records + 1, line, start, end))
            line += 1
        return parsed

    def _read_one(self, parsed: Corrected, record: bytes, at: Located) -> None:
        parsed.records += 1
        if at.end - at.start > self._longest:
            where = {"record": at.record, "line": at.line, "offset": parsed._offset + at.start}
            length = at.end - at.start
            parsed.rejections.append(too_long(**where, length=length, max_record_bytes=self._longest))
            return
        cells, own = cut_members(record)
        raw, values, errors = self._judge(own)
        parsed.add(at, raw, values, errors, _place(cells, own).line)

    def _judge(self, own: bytes) -> tuple[bytes, Values, Errors]:
        cell = _escaped(own)
        raw, errors = (own, ()) if cell is None else unescaped(cell, own)
        if errors:
            return raw, (), errors
        if len(raw) > self._max:
            message = f"longer than {self._max} bytes, the most that a record may have"
            return raw, (), (RecordError(None, "row-error", message),)
        if b"\n" in raw:
            return raw, (), SEVERAL
        values, errors, _ = self._object_rules.decide(raw)
        return raw, values, errors


@lru_cache(maxsize=16)
def compile_json_correction_reader(
    dataset: Dataset, columns: tuple[str, ...], max_record_bytes: int
) -> JsonCorrectionReader:
    """Return the reader of a dataset's corrections in JSON Lines, compiled once."""
    return JsonCorrectionReader(dataset, columns, max_record_bytes)


def _cut_lines(data: bytes) -> Iterator[tuple[Cells, bytes]]:
    end = 0
    while end < len(data):
        start = end
        end = data.find(b"\n", start) + 1 or len(data)
        record = strip_line_end(data, start, end)
        if record.strip(_BLANK):
            yield cut_members(record)


def _cut_elsewhere(cells: Cells, own: bytes) -> tuple[Cells, bytes]:
    """Cut members off wherever other programs have put them, and a ``_raw`` that they have filled up with null."""
    try:
        text = own.decode()
        values = members_of(text)
    except ValueError:
        return cells, own
    kept = []
    for (name, value), (_, spelled) in zip(values, texts_of(text), strict=True):
        if name in ERROR_COLUMNS:
            cells.setdefault(name, value)
        elif name != RAW_MEMBER or value is not None:
            kept.append((name, spelled))
    if len(kept) == len(values):
        return cells, own
    return cells, ("{" + ", ".join(f"{json.dumps(name)}: {spelled}" for name, spelled in kept) + "}").encode()


def _escaped(own: bytes) -> str | None:
    """Return the escaped record that an object stands for; other programs add members of no value."""
    if RAW_MEMBER.encode() not in own:
        return None
    try:
        members = members_of(own.decode())
    except ValueError:
        return None
    [*raw] = (value for name, value in members if name == RAW_MEMBER)
    alone = all(value is None for name, value in members if name != RAW_MEMBER)
    return raw[0] if alone and len(raw) == 1 and type(raw[0]) is str and raw[0].startswith(RAW_PREFIX) else None


def _value(spelled: bytes) -> Any:
    try:
        return json.loads(spelled)
    except ValueError:
        return None


def _place(cells: Cells, own: bytes) -> Place:
    line, codes = str(cells.get(_LINE)).encode(errors="replace"), cells.get(_CODE)
    return Place(number_in(line), codes if isinstance(codes, str) else None, own)

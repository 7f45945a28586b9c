"""Excel's .xlsx: the first visible sheet of a workbook as rows of values.

What is done with bytes is in ``core.sheet``; openpyxl knows which number formats are dates, and what day a number is.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from posixpath import dirname, join, normpath
from typing import IO, TypeAlias

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel, from_ISO8601

from chalicelib.core.sheet import Cell, Row, SheetReader
from chalicelib.core.workbook_xml import StringsReader, Tag, damaged, tags, unescaped
from chalicelib.errors import FileRefused

MOST_SHEET_BYTES = 4 << 30  # unpacked: what an invocation surely reads, and more than a million rows of sixty columns
MOST_PART_BYTES = 16 << 20  # of each of the small parts, unpacked
_MOST_RATIO = 200  # of a large part's unpacked size to its packed one
_LARGE = 64 << 20
_MOST_PARTS = 10_000
_PIECE = 1 << 16
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_WHOLE = re.compile("-?[0-9]{1,400}").fullmatch
_NUMBER = re.compile(r"-?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?").fullmatch
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, OverflowError)

Value: TypeAlias = str | int | float | bool | date | datetime | time | timedelta
Convert: TypeAlias = Callable[[Cell], "Value | NoValue"]


class NoValue:
    """A cell whose formula has failed: ``#REF!``, ``#DIV/0!``."""

    def __init__(self, error: str) -> None:
        self._error = error

    def __str__(self) -> str:
        return self._error


class Workbook:
    """An opened workbook. Raises FileRefused where it is none, or none that can be read within bounds."""

    def __init__(self, file: IO[bytes]) -> None:
        with _reading():
            self._archive = zipfile.ZipFile(file)
        if len(self._archive.filelist) > _MOST_PARTS:
            raise FileRefused("too-large", f"the workbook has more than {_MOST_PARTS} parts")
        main = self._target("", lambda kind: kind.endswith("/officeDocument"))
        workbook = self._tags(main)
        self._sheet = self._sheet_part(main, workbook)
        strings = self._target(main, lambda kind: kind.endswith("/sharedStrings"), needed=False)
        styles = self._target(main, lambda kind: kind.endswith("/styles"), needed=False)
        mac = any(tag.name == "workbookPr" and tag.attributes.get("date1904") in ("1", "true") for tag in workbook)
        dates, lengths = _date_styles(self._tags(styles)) if styles else (set[str](), set[str]())
        self._value = _converter(self._strings(strings) if strings else [], dates, lengths, mac)

    def rows(self, first: int = 1, wanted: Collection[int] | None = None) -> Iterator[Row]:
        """The sheet's rows from ``first`` on, with the cells of the columns ``wanted`` (of all where None)."""
        reader = SheetReader(first) if wanted is None else SheetReader(first, wanted.__contains__)
        for piece in self._pieces(self._sheet, MOST_SHEET_BYTES):
            yield from reader.feed(piece)
        reader.finish()

    def value(self, cell: Cell) -> "Value | NoValue":
        """What a cell holds. Raises FileRefused where it refers to what the workbook has not."""
        return self._value(cell)

    def _sheet_part(self, main: str, workbook: Sequence[Tag]) -> str:
        sheets = [tag.attributes for tag in workbook if tag.name == "sheet" and tag.parent == "sheets"]
        targets = self._targets(main)
        for sheet in sheets:
            kind, target = targets.get(sheet.get("id", ""), ("", ""))
            if sheet.get("state", "visible") == "visible" and kind.endswith("/worksheet"):
                return target
        raise FileRefused("empty-file", "the workbook has no visible sheet")

    def _target(self, part: str, wanted: Callable[[str], bool], *, needed: bool = True) -> str:
        for kind, target in self._targets(part).values():
            if wanted(kind):
                return target
        if needed:
            raise damaged("it has not the parts of a workbook")
        return ""

    def _targets(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to: type and name of a part, by the reference's id."""
        folder = dirname(part)
        found = self._tags(join(folder, "_rels", part.removeprefix(folder).lstrip("/") + ".rels"))
        return {
            tag.attributes.get("Id", ""): (
                tag.attributes.get("Type", ""),
                normpath(join("/" + folder, tag.attributes.get("Target", ""))).lstrip("/"),
            )
            for tag in found
            if tag.name == "Relationship" and tag.attributes.get("TargetMode") != "External"
        }

    def _tags(self, part: str) -> list[Tag]:
        return tags(b"".join(self._pieces(part, MOST_PART_BYTES)))

    def _strings(self, part: str) -> list[str]:
        reader = StringsReader()
        for piece in self._pieces(part, MOST_SHEET_BYTES):
            reader.feed(piece)
        return reader.finish()

    def _pieces(self, part: str, most_bytes: int) -> Iterator[bytes]:
        """A part's bytes. The directory's word on its size is kept to: ``zipfile`` gives no byte more."""
        try:
            info = self._archive.getinfo(part)
        except KeyError:
            raise damaged("it has not the parts of a workbook") from None
        if info.flag_bits & 1:
            raise FileRefused("archive-encrypted", "the workbook is encrypted; save it without a password")
        if info.compress_type not in _METHODS:
            raise FileRefused("archive-unsupported", "the workbook is packed in a way that Excel does not know")
        if info.file_size > most_bytes:
            raise FileRefused(
                "too-large",
                f"the workbook's {part.rsplit('/', 1)[-1]} has {info.file_size} bytes; at most {most_bytes} are read",
            )
        if info.file_size > max(_LARGE, _MOST_RATIO * info.compress_size):
            raise FileRefused(
                "archive-bomb", f"a part of the workbook is more than {_MOST_RATIO} times as large as it is packed"
            )
        with _reading(), self._archive.open(info) as file:
            while piece := file.read(_PIECE):
                yield piece


def _converter(strings: Sequence[str], dates: Collection[str], lengths: Collection[str], mac: bool) -> Convert:
    epoch = MAC_EPOCH if mac else WINDOWS_EPOCH

    def number(cell: Cell) -> "Value | NoValue":
        _, _, style, text = cell
        value: int | float
        if _WHOLE(text):
            value = int(text)
        elif _NUMBER(text):
            value = float(text)
        else:
            return text
        if style in dates:
            try:
                moment: Value = from_excel(value, epoch, timedelta=style in lengths)
            except (OverflowError, ValueError):
                return value  # beyond what dates can be: a number, as the cell has it
            return moment
        return value

    def shared(cell: Cell) -> str:
        try:
            if cell.text.isdigit():
                return strings[int(cell.text)]
        except (IndexError, ValueError):
            pass
        raise damaged("a cell refers to a text that is not there")

    def moment(cell: Cell) -> "Value | NoValue":
        try:
            value: Value = from_ISO8601(cell.text)  # type: ignore[no-untyped-call]
        except ValueError:
            return cell.text
        return value

    def other(cell: Cell) -> str:
        return unescaped(cell.text)

    kinds: dict[str, Convert] = {
        "n": number,
        "s": shared,
        "b": lambda cell: cell.text in ("1", "true"),
        "e": lambda cell: NoValue(cell.text),
        "d": moment,
    }
    return lambda cell: kinds.get(cell.kind, other)(cell)


def _date_styles(styles: Sequence[Tag]) -> tuple[set[str], set[str]]:
    """The numbers of the styles that show a number as a date or time, and of those that show a length of time."""
    own = {
        tag.attributes.get("numFmtId", ""): tag.attributes.get("formatCode", "")
        for tag in styles
        if (tag.parent, tag.name) == ("numFmts", "numFmt")
    }
    formats: dict[str, str] = {**{str(number): code for number, code in BUILTIN_FORMATS.items()}, **own}
    used = [tag.attributes.get("numFmtId", "0") for tag in styles if (tag.parent, tag.name) == ("cellXfs", "xf")]
    codes = [formats.get(number, "General") for number in used]
    dates = {str(place) for place, code in enumerate(codes) if is_date_format(code)}
    return dates, {str(place) for place, code in enumerate(codes) if is_timedelta_format(code)}


@contextmanager
def _reading() -> Iterator[None]:
    """Raises FileRefused where the archive is none, or is damaged."""
    try:
        yield
    except _DAMAGED:
        raise damaged("it is damaged, or was not transferred in full") from None

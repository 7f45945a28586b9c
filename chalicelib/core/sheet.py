"""The XML of an Excel workbook, read as a stream: rows of a sheet, shared strings, tags of the small parts.

Not by openpyxl's own reader, which is several times slower and holds whatever one row, one tag or one string table
holds. Here all is bounded, and a document type declaration, with which XML grows without bounds (entities), is refused.
"""

import re
from collections.abc import Callable, Mapping
from sys import getsizeof
from typing import NamedTuple
from xml.parsers import expat

from chalicelib.errors import FileRefused

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384  # Excel's own limits, also LibreOffice's
MOST_ROW_CHARACTERS = 1 << 24
MOST_STRINGS_BYTES = 1 << 29
_MOST_TOKEN_BYTES = 1 << 24
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


class Cell(NamedTuple):
    """A cell that is not empty: ``column`` from 0, its ``kind`` (the attribute ``t``), its style's number, its text."""

    column: int
    kind: str
    style: str
    text: str


class Row(NamedTuple):
    """A row that stands in the sheet: its number, from 1, its cells from left to right.

    ``other`` tells that there is something in columns that were not asked for.
    """

    number: int
    cells: list[Cell]
    other: bool


class _Xml:
    """A parser that is fed bytes. Raises FileRefused for what is no XML, or none that a spreadsheet program writes."""

    def __init__(self) -> None:
        self._fed = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def _parse(self, data: bytes, *, last: bool = False) -> None:
        self._fed += len(data)
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            raise damaged(f"a part of it is no well-formed XML ({expat.ErrorString(error.code)})") from None
        if self._fed - self._parser.CurrentByteIndex > _MOST_TOKEN_BYTES:
            raise damaged("a part of it has a tag of many megabytes")

    def _refuse_doctype(self, *_: object) -> None:
        raise damaged("a part of it declares a document type, which no spreadsheet program does")


class SheetReader(_Xml):
    """Rows of a sheet, from row ``first`` on; cells of columns that are not ``wanted`` are left out.

    Rows come in rising order; one without cells may be missing. The text of a row is bounded by
    ``MOST_ROW_CHARACTERS``, whatever is not wanted left aside.
    """

    def __init__(self, first: int = 1, wanted: Callable[[int], bool] = lambda column: True) -> None:
        super().__init__()
        self._first = first
        self._wanted = wanted
        self._columns: dict[str, int | None] = {}
        self._rows: list[Row] = []
        self._cells: list[Cell] = []
        self._number = 0
        self._column = -1
        self._cell: tuple[int, str, str] | None = None
        self._text: list[str] = []
        self._size = 0
        self._other = False
        self._phonetic = False
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def feed(self, data: bytes) -> list[Row]:
        """Take the part's next bytes; return the rows that they complete."""
        self._parse(data)
        rows, self._rows = self._rows, []
        return rows

    def finish(self) -> None:
        """Tell that the part ends here; raises FileRefused where it cannot."""
        self._parse(b"", last=True)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if ":" in name:
            name = name[name.index(":") + 1 :]
        if name == "c":
            self._start_cell(attributes)
        elif name in ("v", "t"):
            if self._cell is None:
                self._other = True
            elif not self._phonetic:
                self._parser.CharacterDataHandler = self._take
        elif name == "row":
            self._start_row(attributes)
        elif name == "rPh":
            self._phonetic = True

    def _end(self, name: str) -> None:
        if ":" in name:
            name = name[name.index(":") + 1 :]
        if name in ("v", "t"):
            self._parser.CharacterDataHandler = None
        elif name == "c":
            if self._cell is not None and self._text:
                column, kind, style = self._cell
                text = self._text[0] if len(self._text) == 1 else "".join(self._text)
                self._cells.append(Cell(column, kind, style, text))
                self._text = []
            self._cell = None
        elif name == "row":
            if self._number >= self._first:
                self._rows.append(Row(self._number, self._cells, self._other))
            self._cells = []
        elif name == "rPh":
            self._phonetic = False

    def _take(self, text: str) -> None:
        self._size += len(text)
        if self._size > MOST_ROW_CHARACTERS:
            raise FileRefused("too-large", f"row {self._number} has more than {MOST_ROW_CHARACTERS} characters")
        self._text.append(text)

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        number = _number(attributes.get("r"), self._number + 1, LAST_ROW)
        if number <= self._number:
            raise damaged("its rows do not stand in their order")
        self._number = number
        self._column = -1
        self._size = 0
        self._other = False

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        self._cell = None
        reference = attributes.get("r")
        column: int | None
        if reference is None:
            self._column += 1
            column = self._column if self._wanted(self._column) else None
        else:
            letters = reference.rstrip("0123456789")
            try:
                column = self._columns[letters]
            except KeyError:
                place = _column(letters)
                column = self._columns[letters] = place if self._wanted(place) else None
            if column is not None:
                if column <= self._column:
                    raise damaged("the cells of a row do not stand in their order")
                self._column = column
        if column is not None and self._number >= self._first:
            self._cell = column, attributes.get("t", "n"), attributes.get("s", "")


class StringsReader(_Xml):
    """The texts that cells share, in the order in which cells refer to them; all are held."""

    def __init__(self) -> None:
        super().__init__()
        self.strings: list[str] = []
        self._held = 0
        self._text: list[str] = []
        self._size = 0
        self._phonetic = False
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def feed(self, data: bytes) -> None:
        """Take the part's next bytes."""
        self._parse(data)

    def finish(self) -> list[str]:
        """Return all texts."""
        self._parse(b"", last=True)
        return self.strings

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if ":" in name:
            name = name[name.index(":") + 1 :]
        if name == "t" and not self._phonetic:
            self._parser.CharacterDataHandler = self._take
        elif name == "rPh":
            self._phonetic = True

    def _end(self, name: str) -> None:
        if ":" in name:
            name = name[name.index(":") + 1 :]
        if name == "t":
            self._parser.CharacterDataHandler = None
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            text = unescaped("".join(self._text))
            self.strings.append(text)
            self._text, self._size = [], 0
            self._hold(getsizeof(text) + 8)

    def _take(self, text: str) -> None:
        self._text.append(text)
        self._size += len(text)
        if self._size > MOST_ROW_CHARACTERS:
            raise FileRefused("too-large", f"a cell has more than {MOST_ROW_CHARACTERS} characters")

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > MOST_STRINGS_BYTES:
            raise FileRefused(
                "too-large",
                f"the workbook's texts need more than {MOST_STRINGS_BYTES >> 20} MiB of memory; "
                "save the sheet as CSV and drop that",
            )


class Tag(NamedTuple):
    """A tag of a small part, with the name of the element that it stands in; names without their prefixes."""

    parent: str
    name: str
    attributes: dict[str, str]


class _Tags(_Xml):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tag] = []
        self._path: list[str] = [""]
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def read(self, data: bytes) -> list[Tag]:
        self._parse(data, last=True)
        return self.found

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if ":" in name:
            name = name[name.index(":") + 1 :]
        plain = {key[key.find(":") + 1 :]: value for key, value in attributes.items()}
        self.found.append(Tag(self._path[-1], name, plain))
        self._path.append(name)

    def _end(self, _: str) -> None:
        self._path.pop()


def tags(data: bytes) -> list[Tag]:
    """Return the tags of a whole part, in order."""
    return _Tags().read(data)


def unescaped(text: str) -> str:
    """Return a text with the characters that XML cannot hold (``_x000D_``); halves of characters stay escaped."""
    return _ESCAPE.sub(_character, text) if "_x" in text else text


def damaged(why: str) -> FileRefused:
    """Return the refusal of a workbook that cannot be read."""
    return FileRefused("archive-damaged", f"the workbook cannot be read: {why}")


def _character(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return match[0] if "\ud800" <= character <= "\udfff" else character


def _number(text: str | None, default: int, most: int) -> int:
    number = default if text is None else int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= number <= most:
        raise damaged(f"it has a row beyond {most}")
    return number


def _column(letters: str) -> int:
    """Return the place of a column, A being 0."""
    place = 0
    for letter in letters if len(letters) <= 3 else "":
        place = place * 26 + (ord(letter) - 64 if "A" <= letter <= "Z" else 0)
    if not 1 <= place <= LAST_COLUMN:
        raise damaged("it has a cell in no column")
    return place - 1

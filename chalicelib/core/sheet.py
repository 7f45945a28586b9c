"""The rows of an Excel sheet out of its XML, read as a stream, within Excel's own limits."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from chalicelib.core.workbook_xml import MOST_CHARACTERS, Xml, damaged
from chalicelib.errors import FileRefused

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384  # Excel's own limits, also LibreOffice's


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


class SheetReader(Xml):
    """Rows of a sheet, from row ``first`` on; cells of columns that are not ``wanted`` are left out.

    Rows come in rising order; one without cells may be missing. The text of a row is bounded by
    ``MOST_CHARACTERS``, whatever is not wanted left aside.
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
        if self._size > MOST_CHARACTERS:
            raise FileRefused("too-large", f"row {self._number} has more than {MOST_CHARACTERS} characters")
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

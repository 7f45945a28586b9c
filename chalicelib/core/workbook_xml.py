"""The XML of an Excel workbook, read as a stream: shared strings, tags of the small parts.

Not by openpyxl's own reader, which is several times slower and holds whatever one row, one tag or one string table
holds. Here all is bounded, and a document type declaration, with which XML grows without bounds (entities), is refused.
"""

import re
from collections.abc import Mapping
from sys import getsizeof
from typing import NamedTuple
from xml.parsers import expat

from chalicelib.errors import FileRefused

MOST_CHARACTERS = 1 << 24
"""In a row, or in a text that cells share."""

MOST_STRINGS_BYTES = 1 << 29
_MOST_TOKEN_BYTES = 1 << 24
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


class Xml:
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


class StringsReader(Xml):
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
        if self._size > MOST_CHARACTERS:
            raise FileRefused("too-large", f"a cell has more than {MOST_CHARACTERS} characters")

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


class _Tags(Xml):
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

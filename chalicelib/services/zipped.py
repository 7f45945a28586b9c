"""Zip archives of one file: where in the object that file's bytes are.

The directory stands at the end, so it is read by ranges, of bounded size, whatever the archive says.
"""

import io
import struct
import zipfile
from dataclasses import dataclass

from chalicelib.errors import FileRefused
from chalicelib.services.ports import ObjectStore, StoredObject

_AHEAD = 64 * 1024  # bytes read at once: most directories are smaller
_MOST_READ = 1024 * 1024  # in one go: the directory of some 10,000 files, of which all but one would be too many
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 1
_JUNK = "__MACOSX/"
_WORKBOOK = "[Content_Types].xml"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: ``packed`` bytes from ``start`` of the object on, which unpack to ``size``."""

    name: str
    start: int
    packed: int
    size: int
    crc: int
    stored: bool


def find_member(objects: ObjectStore, stored: StoredObject) -> Member:
    """The one file of an archive; folders, and what macOS adds, do not count.

    Raises:
        FileRefused: it has none or several, is damaged, or packs it in a way that we do not read.
    """
    file = RangedFile(objects, stored)
    try:
        with zipfile.ZipFile(file) as archive:
            member = _only([info for info in archive.infolist() if not _is_junk(info)])
            start = _data_start(file, member)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, OverflowError, struct.error):
        raise FileRefused(
            "archive-damaged", "the zip archive has no sound directory at its end: it is truncated or damaged"
        ) from None
    return Member(
        name=member.filename,
        start=start,
        packed=member.compress_size,
        size=member.file_size,
        crc=member.CRC,
        stored=member.compress_type == zipfile.ZIP_STORED,
    )


def _is_junk(info: zipfile.ZipInfo) -> bool:
    return info.is_dir() or info.filename.startswith(_JUNK)


def _only(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    if any(member.filename == _WORKBOOK for member in members):
        raise FileRefused("unsupported-format", "the file seems to be an Excel workbook; give it a name in .xlsx")
    if len(members) != 1:
        found = f"{len(members)} files" if members else "no file"
        raise FileRefused("archive-members", f"the zip archive holds {found}; exactly one is needed")
    member = members[0]
    if member.flag_bits & _ENCRYPTED:
        raise FileRefused("archive-encrypted", "the zip archive is encrypted; pack the file without a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileRefused(
            "archive-unsupported", "the zip archive is packed in an unusual way; pack it with the usual one (deflate)"
        )
    return member


def _data_start(file: "RangedFile", member: zipfile.ZipInfo) -> int:
    file.seek(member.header_offset)
    magic, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    if magic != b"PK\x03\x04":
        raise zipfile.BadZipFile
    return member.header_offset + _LOCAL_HEADER.size + int(name) + int(extra)


class RangedFile:
    """An object as a file that ``zipfile`` can read: by ranges, each of bounded size."""

    def __init__(self, objects: ObjectStore, stored: StoredObject) -> None:
        self._objects = objects
        self._stored = stored
        self._position = 0
        self._block = b""  # read last, from ``_start`` on
        self._start = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._stored.size}[whence]
        if base + offset < 0:
            raise OSError("before the start")
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(self._stored.size - self._position, 0)
        size = left if size < 0 else min(size, left)
        if size > _MOST_READ:
            raise FileRefused("archive-members", "the zip archive's directory is too large for that of one file")
        start, end = self._position, self._position + size
        if size and not self._start <= start <= end <= self._start + len(self._block):
            self._start = start - start % _AHEAD
            self._block = self._objects.read(
                self._stored, self._start, min(max(end, self._start + _AHEAD), self._stored.size)
            )
        self._position = end
        return self._block[start - self._start : end - self._start]

"""What a file is: the container that it came in, the format of the data in there, and their encoding.

A container is known by its first bytes, a format by the file's name or the descriptor.
"""

from dataclasses import dataclass

from chalicelib.core.encodings import UTF8
from chalicelib.errors import FileRefused

GZIP, ZIP, XLSX, PARQUET = "gzip", "zip", "xlsx", "parquet"
CSV, JSONL = "csv", "jsonl"
CONVERTED = (XLSX, PARQUET)
"""Containers whose records are tables of their own, which are made into JSON Lines before they are cut."""

HEAD_BYTES = 10
"""A container is known by so many bytes."""

_FORMATS = {".csv": CSV, ".tsv": CSV, ".jsonl": JSONL, ".ndjson": JSONL}
_PACKED = (".gz", ".gzip", ".zip")
_GZIP, _ZIP, _EMPTY_ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06", b"PAR1"
_UNREADABLE = {
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ\0": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook (.xls), or one with a password",
    b"%PDF-": "a PDF document",
}
_TEXT = b"\t\r\n" + bytes(range(ord(" "), 256))
_BZIP2_BLOCK = b"1AY&SY"  # what follows "BZh" and a digit; the three letters alone could be a header's


@dataclass(frozen=True, slots=True)
class Found:
    """What a file turned out to be, as its job's status says it.

    ``container`` is ``None`` for the plain file. ``encoding`` is a name out of ``encodings``, never ``None``. In a file
    with ``returns`` lines may end with a carriage return alone.
    """

    container: str | None = None
    format: str = CSV
    encoding: str = UTF8
    returns: bool = False

    @property
    def staged(self) -> bool:
        """Whether batches cannot be ranges of the object: the data are not there as UTF-8 in lines that end with LF."""
        return self.container is not None or self.encoding != UTF8 or self.returns


def container_of(head: bytes, key: str) -> str | None:
    """Return the container that a file with these first ``HEAD_BYTES`` is; ``None`` for plain text.

    Raises:
        FileRefused: it is of a kind that we do not read.
    """
    if head.startswith(_GZIP):
        return GZIP
    if head.startswith((_ZIP, _EMPTY_ZIP)):
        return XLSX if key.lower().endswith(".xlsx") else ZIP
    if head.startswith(_PARQUET) and head[4:5] not in _TEXT:  # a column may be named so
        return PARQUET
    for magic, kind in _UNREADABLE.items():
        if head.startswith(magic) and (magic != b"BZh" or head[4:10] == _BZIP2_BLOCK):
            formats = "CSV, JSON Lines, Excel (.xlsx) or Parquet; gzip and zip may pack the first two"
            raise FileRefused("unsupported-format", f"the file is {kind}; save it as {formats}")
    return None


def refuse_nested(head: bytes, container: str) -> None:
    """Refuse what was unpacked from a container and is one itself.

    Raises:
        FileRefused: it is.
    """
    inner = container_of(head, "")
    if inner is not None:
        raise FileRefused("archive-nested", f"the {container} archive holds a {inner} file; pack the plain file once")


def format_of(name: str) -> str | None:
    """Return the format that a file's name tells (that of ``a.jsonl.gz`` is jsonl), or ``None``."""
    name = name.lower()
    for ending in _PACKED:
        name = name.removesuffix(ending)
    return next((found for ending, found in _FORMATS.items() if name.endswith(ending)), None)

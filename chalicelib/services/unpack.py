"""Unpack: from an object to its data in UTF-8, as a stream, whatever they came in."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from chalicelib.config import Settings
from chalicelib.core import containers, encodings
from chalicelib.core.containers import CONVERTED, GZIP, ZIP, Found, container_of, format_of, refuse_nested
from chalicelib.core.dataset import Dataset
from chalicelib.core.transcode import Transcoder, line_feeds
from chalicelib.core.unpacking import Meter, gunzip, inflate
from chalicelib.errors import FileRefused
from chalicelib.services.ports import Job, ObjectStore, StoredObject
from chalicelib.services.zipped import find_member


@dataclass(frozen=True, slots=True)
class Source:
    """What an object was found to be, and its data from their start: UTF-8, out of their container.

    ``chunks`` raise FileRefused where the data turn out to be truncated, damaged or too many. Those of a container that
    is made into a table first (``CONVERTED``) are the object's own bytes.
    """

    found: Found
    chunks: Iterator[bytes]


class Unpack:
    """Looks into an object and gives its data; memory does not grow with its size, packed or not."""

    def __init__(self, *, objects: ObjectStore, settings: Settings) -> None:
        self._objects = objects
        self._settings = settings

    def open(self, job: Job, dataset: Dataset) -> Source:
        """Open the job's object. However often that is done, the data are the same.

        Raises:
            FileRefused: it is of a kind that cannot be read, or gone.
        """
        stored = job.object
        chunks = self._objects.stream(stored, 0, self._settings.chunk_bytes)
        head, chunks = _peek(chunks, containers.HEAD_BYTES)
        container = container_of(head, stored.key)
        form = format_of(stored.key)
        if container in CONVERTED:
            return Source(Found(container, containers.JSONL), chunks)
        if container is not None:
            name, chunks = self._unpacked(stored, container, chunks, dataset)
            form = form or format_of(name)
            head, chunks = _peek(chunks, containers.HEAD_BYTES)
            refuse_nested(head, container)
        encoding, mark = encodings.mark_of(head)
        if encoding is None:
            encoding = job.encoding or dataset.dialect.encoding
        if encoding == encodings.UTF16:
            message = "the file is to be UTF-16, but has no byte order mark; declare its encoding as utf-16-le or -be"
            raise FileRefused("encoding-error", message)
        if encoding != encodings.UTF8:
            chunks = _transcoded(after(chunks, mark), encoding)
        form = form or dataset.format
        returns = form == containers.CSV and dataset.dialect.returns
        if returns:
            chunks = _in_lines(chunks)
        return Source(Found(container, form, encoding, returns), chunks)

    def _unpacked(
        self, stored: StoredObject, container: str, chunks: Iterator[bytes], dataset: Dataset
    ) -> tuple[str, Iterator[bytes]]:
        """The name of what a container holds, if it tells, and its data."""
        most = self._settings.max_unpacked_bytes
        meter = Meter(most if dataset.max_file_bytes is None else min(most, dataset.max_file_bytes))
        if container == GZIP:
            return "", gunzip(chunks, meter)
        assert container == ZIP
        member = find_member(self._objects, stored)
        packed = _first(self._objects.stream(stored, member.start, self._settings.chunk_bytes), member.packed)
        return member.name, inflate(packed, meter, stored=member.stored, crc=member.crc, size=member.size)


def after(chunks: Iterator[bytes], offset: int) -> Iterator[bytes]:
    """What follows the first ``offset`` bytes."""
    for chunk in chunks:
        if offset < len(chunk):
            yield chunk[offset:] if offset else chunk
        offset = max(offset - len(chunk), 0)


def _first(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """The first ``count`` bytes."""
    for chunk in chunks:
        yield chunk[:count]
        count -= len(chunk)
        if count <= 0:
            return


def _peek(chunks: Iterator[bytes], count: int) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, ``count`` or more if there are as many, and all chunks."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= count:
            break
    return head, chain([head], chunks)


def _transcoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    transcoder = Transcoder(encoding)
    for chunk in chunks:
        yield transcoder.feed(chunk)
    yield transcoder.finish()


def _in_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        done, rest = line_feeds(rest + chunk)
        yield done
    yield rest.replace(b"\r", b"\n")

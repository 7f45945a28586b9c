"""S3: reads of exactly one version, and writes of any size in bounded memory."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from chalicelib.adapters.aws import calling, client, error_code
from chalicelib.core.metadata import SHA256
from chalicelib.errors import FileRefused, Transient
from chalicelib.services.ports import StoredObject

_GONE = {"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"}
_CHANGED = {"PreconditionFailed", "412", "InvalidRange", "416"}
_COPY = TransferConfig(multipart_threshold=256 * 1024 * 1024, multipart_chunksize=256 * 1024 * 1024)  # by S3 itself
_PART = 8 * 1024 * 1024  # S3 takes parts of 5 MiB to 5 GiB, 10,000 of them


class S3ObjectStore:
    """See ``services.ports.ObjectStore``."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def stream(self, stored: StoredObject, start: int, chunk_bytes: int) -> Iterator[bytes]:
        if start < stored.size:
            yield from _range(stored, start, stored.size, chunk_bytes)

    def metadata(self, stored: StoredObject) -> Mapping[str, str]:
        with _reading():
            answer = _wanted(client("s3").head_object, stored, ChecksumMode="ENABLED")
        said = {name.lower(): value for name, value in answer["Metadata"].items()}
        checked = answer.get("ChecksumSHA256", "")
        if checked and "-" not in checked:  # else it is one of its parts' checksums
            said[SHA256] = base64.b64decode(checked).hex()
        return said

    def read(self, stored: StoredObject, start: int, end: int) -> bytes:
        return b"".join(_range(stored, start, end, end - start))

    def fetch(self, key: str) -> bytes:
        with calling("reading a staged batch"):
            try:
                with client("s3").get_object(Bucket=self._bucket, Key=key)["Body"] as body:
                    return bytes(body.read())
            except ClientError as error:
                if error_code(error) in _GONE:
                    message = "what was unpacked of the file has expired before it was loaded; drop the file again"
                    raise FileRefused("staging-gone", message) from None
                raise

    def stat(self, key: str) -> StoredObject:
        with _reading():
            head = client("s3").head_object(Bucket=self._bucket, Key=key)
        return StoredObject(
            self._bucket, key, head.get("VersionId"), head["ETag"].strip('"'), int(head["ContentLength"])
        )

    def write(
        self, key: str, chunks: Iterable[bytes], content_type: str, metadata: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        parts = _parts(chunks)
        first = next(parts, b"")
        second = next(parts, None)
        target = {"Bucket": self._bucket, "Key": key}
        if second is None:
            with calling("writing a file"):
                client("s3").put_object(**target, Body=first, ContentType=content_type, Metadata=dict(metadata))
            return
        with calling("writing a file"):
            about = {"ContentType": content_type, "Metadata": dict(metadata)}
            upload = client("s3").create_multipart_upload(**target, **about)["UploadId"]
        try:
            pieces = enumerate(chain((first, second), parts), 1)
            etags = [self._part(target, upload, number, part) for number, part in pieces]
            with calling("writing a file"):
                client("s3").complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": etags})
        except BaseException:
            with calling("giving up a file"):
                client("s3").abort_multipart_upload(**target, UploadId=upload)
            raise

    def _part(self, target: dict[str, str], upload: str, number: int, part: bytes) -> dict[str, Any]:
        with calling("writing a file"):
            answer = client("s3").upload_part(**target, UploadId=upload, PartNumber=number, Body=part)
        return {"ETag": answer["ETag"], "PartNumber": number}

    def delete(self, stored: StoredObject) -> None:
        which = {"Bucket": stored.bucket, "Key": stored.key}
        # With a version's id that version is gone for good, and no other; without one nothing but its ETag tells
        # it from what may have been put in its place.
        exactly = {"IfMatch": f'"{stored.etag}"'} if stored.version_id is None else {"VersionId": stored.version_id}
        with calling("deleting a loaded file"), _gone_is_fine():
            client("s3").delete_object(**which, **exactly)

    def archive(self, stored: StoredObject, key: str) -> None:
        source = {"Bucket": stored.bucket, "Key": stored.key}
        if stored.version_id is not None:
            source["VersionId"] = stored.version_id
        # No tags: those of S3 need rights of their own, and a copy in parts never has them.
        only = {"CopySourceIfMatch": f'"{stored.etag}"', "TaggingDirective": "REPLACE"}
        with calling("archiving a loaded file"), _gone_is_fine():
            client("s3").copy(source, self._bucket, key, ExtraArgs=only, Config=_COPY)
            self.delete(stored)

    def link(self, key: str, seconds: int) -> str:
        with calling("making a link"):
            # Browsers save it, instead of showing it in the place of the page that it was asked for on.
            kept = f'attachment; filename="{key.rpartition("/")[2]}"'
            wanted = {"Bucket": self._bucket, "Key": key, "ResponseContentDisposition": kept}
            link: str = client("s3").generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)
            return link

    def origin(self) -> str:
        return "{0.scheme}://{0.netloc}".format(urlsplit(self.link("input/", 60)))

    def ping(self) -> None:
        """Raises Transient or FileRefused when the bucket cannot be reached."""
        with calling("looking at the bucket"):
            client("s3").head_bucket(Bucket=self._bucket)


def _range(stored: StoredObject, start: int, end: int, chunk_bytes: int) -> Iterator[bytes]:
    """The bytes from ``start`` to ``end`` (exclusive), in chunks.

    Raises:
        FileRefused: the object is gone or another one.
        Transient: anything else, and fewer bytes than there must be.
    """
    left = end - start
    with _reading():
        answer = _wanted(client("s3").get_object, stored, Range=f"bytes={start}-{end - 1}")
        with answer["Body"] as body:
            if "ContentRange" not in answer:  # a server may ignore Range and send it all: RFC 9110, section 14.2
                _skip(body, start)
            while left and (chunk := body.read(min(chunk_bytes, left))):
                left -= len(chunk)
                yield chunk
    if left:
        raise Transient("aws-trouble", f"reading the file: {left} bytes are missing")


def _wanted(ask: Callable[..., Any], stored: StoredObject, **more: str) -> Any:
    """The current object while it is the one we want, else the version that we want, if the bucket keeps versions."""
    wanted = {"Bucket": stored.bucket, "Key": stored.key, "IfMatch": f'"{stored.etag}"', **more}
    try:
        with _reading():
            return ask(**wanted)
    except FileRefused:
        if stored.version_id is None:
            raise
        return ask(**wanted, VersionId=stored.version_id)


@contextmanager
def _reading() -> Iterator[None]:
    """Raises FileRefused where the object is gone or not the one that was asked for, Transient for all else."""
    with calling("reading the file"):
        try:
            yield
        except ClientError as error:
            if error_code(error) in _GONE:
                raise FileRefused("source-gone", "the file was deleted before it was loaded") from None
            if error_code(error) in _CHANGED:
                message = "the file was overwritten before it was loaded; its new version is a job of its own"
                raise FileRefused("source-changed", message) from None
            raise


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """Quiet where the object is gone or not the one that was asked for."""
    try:
        yield
    except ClientError as error:
        if error_code(error) not in _GONE | _CHANGED:
            raise


def _skip(body: Any, count: int) -> None:
    while count and (skipped := len(body.read(min(count, _PART)))):
        count -= skipped


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one part each."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= _PART:
            yield bytes(buffer[:_PART])
            del buffer[:_PART]
    if buffer:
        yield bytes(buffer)

"""S3, as far as files are brought into the input folder: by a form, or as copies of objects."""

from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from chalicelib.adapters.aws import calling, client, error_code
from chalicelib.core.targets import S3Target
from chalicelib.errors import FileRefused
from chalicelib.services.ports import StoredObject

_MISSING = {"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "404", "MethodNotAllowed"}
_FORBIDDEN = {"AccessDenied", "403", "Forbidden"}
_CHANGED = {"PreconditionFailed", "412"}
_COPY = TransferConfig(multipart_threshold=256 * 1024 * 1024, multipart_chunksize=256 * 1024 * 1024)  # by S3 itself


class S3InputStore:
    """See ``services.fetch_ports.InputStore``."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def grant(self, key: str, size: int, seconds: int, fields: dict[str, str]) -> dict[str, Any]:
        exactly: list[Any] = [{name: value} for name, value in fields.items()]
        with calling("making an upload form"):
            form: dict[str, Any] = client("s3").generate_presigned_post(
                self._bucket,
                key,
                Fields=dict(fields),
                Conditions=[*exactly, ["content-length-range", size, size]],
                ExpiresIn=seconds,
            )
        return form

    def find(self, key: str) -> StoredObject | None:
        with calling("looking for a file"):
            try:
                return _head(S3Target(self._bucket, key))
            except ClientError as error:
                if error_code(error) in _MISSING:
                    return None
                raise

    def look(self, target: S3Target) -> StoredObject:
        with calling("looking for a file"):
            try:
                return _head(target)
            except ClientError as error:
                if error_code(error) in _MISSING | _FORBIDDEN:
                    raise FileRefused("source-gone", "the object does not exist, or is not ours to read") from None
                raise

    def copy(self, source: StoredObject, key: str) -> None:
        where = {"Bucket": source.bucket, "Key": source.key}
        if source.version_id is not None:
            where["VersionId"] = source.version_id
        # What its uploader said of it was said of another object; no tags, which need rights of their own.
        only = {
            "CopySourceIfMatch": f'"{source.etag}"',
            "MetadataDirective": "REPLACE",
            "TaggingDirective": "REPLACE",
        }
        with calling("copying a file"):
            try:
                client("s3").copy(where, self._bucket, key, ExtraArgs=only, Config=_COPY)
            except ClientError as error:
                if error_code(error) in _MISSING | _FORBIDDEN | _CHANGED:
                    raise FileRefused("source-gone", "the object was deleted or overwritten meanwhile") from None
                raise


def _head(target: S3Target) -> StoredObject:
    head = client("s3").head_object(Bucket=target.bucket, Key=target.key)
    return StoredObject(
        target.bucket, target.key, head.get("VersionId"), head["ETag"].strip('"'), int(head["ContentLength"])
    )

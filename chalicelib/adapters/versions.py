"""The bucket's earlier versions of our own files."""

from chalicelib.adapters.aws import calling, client


class S3Versions:
    """See ``services.erase.Versions``."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def forget_older(self, key: str) -> None:
        """Delete all versions of an object of ours but the newest."""
        with calling("looking for old versions"):
            pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
            old = [
                version["VersionId"]
                for page in pages
                for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                if version["Key"] == key and not version["IsLatest"]
            ]
        for version in old:
            with calling("deleting an old version"):
                client("s3").delete_object(Bucket=self._bucket, Key=key, VersionId=version)

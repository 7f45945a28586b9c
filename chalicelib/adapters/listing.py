"""S3's listing of what was dropped: a page of keys a request."""

from typing import Any

from chalicelib.adapters.aws import calling, client
from chalicelib.adapters.events import version_of
from chalicelib.services.ports import StoredObject
from chalicelib.services.sweep_ports import Listed, Page

_INPUT = "input/"


class S3Listing:
    """See ``services.sweep_ports.Listing``. A page is what S3 gives at once: 1,000 versions, some of them older."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def page(self, after: str) -> Page:
        """Objects whose keys come after this one. Raises Transient when S3 does not answer."""
        # By versions, since nothing else tells two uploads of the same bytes from each other. A key's newest version
        # comes first, so a page that ends between two of its versions has all that is wanted of it.
        with calling("listing what was dropped"):
            answer = client("s3").list_object_versions(Bucket=self._bucket, Prefix=_INPUT, KeyMarker=after)
        objects = [self._listed(version) for version in answer.get("Versions", ()) if version["IsLatest"]]
        return Page(objects, answer["NextKeyMarker"] if answer["IsTruncated"] else None)

    def _listed(self, version: dict[str, Any]) -> Listed:
        stored = StoredObject(
            bucket=self._bucket,
            key=version["Key"],
            version_id=version_of(version.get("VersionId")),
            etag=version["ETag"].strip('"'),
            size=int(version["Size"]),
        )
        return Listed(stored, version["LastModified"])

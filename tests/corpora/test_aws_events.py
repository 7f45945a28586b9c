"""Real event documents: an object's creation is understood in each shape, and nothing else passes for one."""

import json
from pathlib import Path

import pytest

from chalicelib.adapters.events import objects_created
from chalicelib.errors import Terminal
from tests.corpora.cases import cases

CREATED = {
    "s3Event": ["b21b84d653bb07b05b1e6b33684dc11b"],
    "s3EventDecodedKey": ["Happy Face.jpg"],
    "s3EventGlacier": ["b21b84d653bb07b05b1e6b33684dc11b"],
    "s3EventBridgeNotificationObjectCreatedEvent": ["IMG_m7fzo3.jpg"],
    "s3SqsEvent": ["test.pdf"],
}
"""By document: the keys of the objects that it says were created. All others announce none."""


def body_of(path: Path) -> str:
    """The message as it arrives on the queue: the document itself, or what a whole SQS event carries."""
    document = json.loads(path.read_text("utf-8"))
    records = document.get("Records", [])
    return str(records[0]["body"]) if records and "body" in records[0] else json.dumps(document)


def announced(path: Path) -> list[str]:
    """The keys that a document announces; none where it is refused as no message of the intake queue."""
    try:
        return [stored.key for stored in objects_created(body_of(path))]
    except Terminal:
        return []


@cases("aws-events", "*.json")
def test_created_objects_are_understood_and_nothing_else_passes_for_one(path: Path) -> None:
    assert announced(path) == CREATED.get(path.stem, [])


@cases("aws-events", "s3SqsEvent.json")
def test_version_and_etag_of_a_notification_are_kept(path: Path) -> None:
    (stored,) = objects_created(body_of(path))
    assert (stored.bucket, stored.size) == ("xxx", 104681)
    assert stored.etag == "2e3ad1e983318bbd8e73b080e2997980"
    assert stored.version_id == "yd3d4HaWOT2zguDLvIQLU6ptDTwKBnQV"


def test_key_is_decoded_as_a_form_is() -> None:
    stored = {"key": "input/members/J%C3%BCrgen+Stra%C3%9Fe%2Bx%3D1.csv", "size": 1, "eTag": "e", "versionId": "v"}
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "bucket"}, "object": stored}}
    assert [stored.key for stored in objects_created(json.dumps({"Records": [record]}))] == [
        "input/members/Jürgen Straße+x=1.csv"
    ]


def test_test_event_announces_nothing() -> None:
    assert objects_created('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"bucket"}') == []


@pytest.mark.parametrize("body", ["", "no json", "[]", "null", "{}", '{"source": "aws.ec2"}'])
def test_message_of_another_kind_is_refused(body: str) -> None:
    with pytest.raises(Terminal):
        objects_created(body)

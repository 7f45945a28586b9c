from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from infra.local.emulator import Access, Emulator
from tests.stack.commands import kill

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Emulator]:
    server = Emulator(tmp_path)
    yield server
    server.stop()


def s3(access: Access) -> "S3Client":
    return access.session().client("s3", endpoint_url=access.endpoint_url)


def test_state_and_address_survive_a_stop(server: Emulator) -> None:
    access = server.start()
    s3(access).create_bucket(Bucket="kept")
    s3(access).put_object(Bucket="kept", Key="a/b", Body=b"content")
    server.stop()
    assert server.start() == access
    assert s3(access).get_object(Bucket="kept", Key="a/b")["Body"].read() == b"content"


def test_what_was_saved_survives_a_kill(server: Emulator) -> None:
    access = server.start()
    s3(access).create_bucket(Bucket="kept")
    s3(access).put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    server.save()
    s3(access).put_object(Bucket="kept", Key="after", Body=b"content")
    kill(server.child.process.pid)
    server.stop()
    server.start()
    assert s3(access).get_bucket_versioning(Bucket="kept")["Status"] == "Enabled"
    assert s3(access).get_object(Bucket="kept", Key="after")["Body"].read() == b"content"


def test_what_was_never_saved_does_not_stand_in_the_way_after_a_kill(server: Emulator) -> None:
    access = server.start()
    s3(access).create_bucket(Bucket="unsaved")
    kill(server.child.process.pid)
    server.stop()
    server.start()
    assert s3(access).list_buckets()["Buckets"] == []


def test_it_listens_on_loopback_only(server: Emulator) -> None:
    server.start()
    connections = psutil.Process(server.child.process.pid).net_connections(kind="inet")
    assert {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}

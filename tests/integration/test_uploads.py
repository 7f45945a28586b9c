"""Leave to upload, as S3 holds an uploader to it."""

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from chalicelib.adapters.aws import client
from chalicelib.api.models.uploads import UploadRequest
from chalicelib.bootstrap import Container
from chalicelib.core.access import EVERYONE, Caller, Scope
from chalicelib.core.targets import MOST_UPLOAD
from chalicelib.errors import RequestRefused
from tests.forms import post
from tests.system import System, member, members

FILE = members(1, 2, 3)
OTHERS = Caller("others", "others", frozenset({Scope.WRITE}), frozenset({"plays"}))


def grant(
    system: System, name: str = "file.csv", data: bytes = FILE, dataset: str = "members", **how: Any
) -> dict[str, Any]:
    wanted = {"sha256": None, "validate_only": False, "again": False, "max_attempts": None, **how}
    caller = wanted.pop("caller", EVERYONE)
    size = wanted.pop("size", len(data))
    return system.container.uploads.grant(caller, dataset, name, size, **wanted)


def refused(system: System, *args: Any, **how: Any) -> RequestRefused:
    with pytest.raises(RequestRefused) as refusal:
        grant(system, *args, **how)
    return refusal.value


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def policy(upload: Mapping[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(base64.b64decode(upload["fields"]["policy"]))
    return read


def uploaded(system: System, upload: dict[str, Any], data: bytes = FILE) -> dict[str, Any]:
    """The job of a file that was posted by this form."""
    status, headers, _ = post(upload, data)
    assert status == 201
    while not (jobs := [j for j in system.container.views.jobs(key=upload["key"], limit=9) if _of(j, headers)]):
        system.pump()
    system.pump()
    return system.container.views.jobs(key=upload["key"], limit=9)[[_of(j, headers) for j in jobs].index(True)]


def _of(job: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    return bool(job["object"]["version_id"] == headers["x-amz-version-id"])


@pytest.mark.parametrize("name", ["file.csv", "Mitglieder für Mai & Juni (1).csv"])
def test_a_file_is_posted_straight_to_s3_and_loaded(system: System, name: str) -> None:
    job = uploaded(system, grant(system, name))
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 3)
    assert job["object"]["key"] == f"input/members/{name}"


def test_s3_takes_this_key_and_size_and_nothing_else(system: System) -> None:
    upload = grant(system, validate_only=True)
    assert post(upload, FILE, key="input/members/other.csv")[0] == 403
    assert post(upload, FILE, key="error/members/file.csv")[0] == 403
    assert post(upload, FILE + b"x")[0] == 400
    assert post(upload, FILE[:-1])[0] == 400
    assert post(upload, FILE, **{"x-amz-meta-dropload-validate-only": "false"})[0] == 403
    assert post(upload, FILE, **{"x-amz-meta-more": "1"})[0] == 403
    assert post(upload, FILE, acl="public-read")[0] == 403
    assert post(upload, FILE, policy=base64.b64encode(b"{}").decode())[0] in (400, 403)
    assert system.objects("") == []
    assert post(upload, FILE)[0] == 201


def test_the_policy_names_key_size_bucket_and_every_field_exactly(system: System) -> None:
    digest = sha256(FILE)
    conditions = policy(grant(system, sha256=digest, validate_only=True, again=True))["conditions"]
    assert ["content-length-range", len(FILE), len(FILE)] in conditions
    for exactly in (
        {"key": "input/members/file.csv"},
        {"bucket": system.settings.bucket},
        {"x-amz-meta-dropload-validate-only": "true"},
        {"x-amz-meta-dropload-again": "true"},
        {"x-amz-meta-dropload-sha256": digest},
        {"x-amz-checksum-algorithm": "SHA256"},
        {"x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(digest)).decode()},
    ):
        assert exactly in conditions
    assert not [each for each in conditions if isinstance(each, list) and each[0] == "starts-with"]


def test_how_often_a_file_is_tried_can_be_said_with_the_upload(system: System) -> None:
    upload = grant(system, max_attempts=7)
    assert {"x-amz-meta-dropload-max-attempts": "7"} in policy(upload)["conditions"]
    job = uploaded(system, upload)
    assert system.rows("select max_attempts from dropload.job where id = %s", job["id"]) == [(7,)]


@pytest.mark.parametrize(("most", "good"), [(1, True), (20, True), (None, True), (0, False), (21, False), ("3", False)])
def test_it_is_tried_twenty_times_at_most(most: object, good: bool) -> None:
    request = {"dataset": "members", "filename": "file.csv", "size": 1, "max_attempts": most}
    with nullcontext() if good else pytest.raises(ValidationError):
        UploadRequest.model_validate(request)


def test_leave_to_upload_ends_soon(system: System) -> None:
    short = System(system.settings, Container(replace(system.settings, upload_seconds=60)))
    upload = grant(short)
    ends = datetime.fromisoformat(upload["expires_at"])
    assert abs(ends - datetime.now(UTC) - timedelta(seconds=60)) < timedelta(seconds=10)
    assert abs(datetime.fromisoformat(policy(upload)["expiration"]) - ends) < timedelta(seconds=2)
    short.container.database.close()


def test_the_same_file_again_is_refused_with_the_job_that_loaded_it(system: System) -> None:
    digest = sha256(FILE)
    job = uploaded(system, grant(system, sha256=digest))
    refusal = refused(system, sha256=digest)
    assert (refusal.status, refusal.code, refusal.more) == (409, "loaded-before", {"job": job["id"]})
    assert job["id"] in refusal.message


def test_another_file_under_the_same_name_and_the_same_under_another_are_not(system: System) -> None:
    uploaded(system, grant(system, sha256=sha256(FILE)))
    other = members(7, 8, 9)
    assert len(other) == len(FILE)
    assert grant(system, data=other, sha256=sha256(other))
    assert grant(system, "other.csv", sha256=sha256(FILE))
    assert grant(system)  # without a checksum nobody can know


def test_without_a_checksum_the_job_tells_that_the_file_was_loaded(system: System) -> None:
    first = uploaded(system, grant(system))
    second = uploaded(system, grant(system))
    assert (second["state"], second["duplicate_of"]) == ("DUPLICATE", first["id"])


def test_asked_for_again_a_file_is_loaded_again(system: System) -> None:
    data = b"song,date,plays\nx,2024-01-01,5\n"
    plays: dict[str, Any] = {"name": "plays.csv", "data": data, "dataset": "plays", "sha256": sha256(data)}
    uploaded(system, grant(system, **plays), data)
    assert refused(system, **plays).status == 409
    assert uploaded(system, grant(system, **plays, again=True), data)["state"] == "COMPLETED"
    assert system.rows("select plays from public.plays") == [(10,)]


def test_a_file_that_was_only_validated_or_failed_was_not_loaded(system: System) -> None:
    digest = sha256(FILE)
    checked = uploaded(system, grant(system, sha256=digest, validate_only=True))
    assert (checked["validate_only"], system.rows("select id from public.members")) == (True, [])
    assert grant(system, sha256=digest)
    bad = b"nonsense\n1\n"
    assert uploaded(system, grant(system, data=bad, sha256=sha256(bad)), bad)["state"] == "FAILED"
    assert grant(system, data=bad, sha256=sha256(bad))


def test_what_s3_has_checked_counts_more_than_what_an_uploader_says(system: System) -> None:
    other = members(9)
    client("s3").put_object(
        Bucket=system.settings.bucket,
        Key="input/members/file.csv",
        Body=other,
        ChecksumAlgorithm="SHA256",
        Metadata={"dropload-sha256": sha256(FILE)},
    )
    while not system.container.views.jobs(limit=1):
        system.pump()
    assert system.rows("select sha256 from dropload.job") == [(sha256(other),)]


def test_metadata_that_is_no_digest_is_no_digest(system: System) -> None:
    system.load(members(1), metadata={"dropload-sha256": "x" * 64})
    assert system.rows("select sha256 from dropload.job") == [(None,)]


def test_nonsense_in_again_fails_the_job_and_loads_nothing(system: System) -> None:
    job = system.load(members(1), metadata={"dropload-again": "maybe"})
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "bad-metadata")
    assert system.rows("select id from public.members") == []


@pytest.mark.parametrize("name", ["", "..", "a/b.csv", "a\\b", "a\nb", " a", "$a", "a" * 1024])
def test_a_name_that_no_file_may_have_is_refused(system: System, name: str) -> None:
    refusal = refused(system, name)
    assert (refusal.status, refusal.code) == (400, "bad-filename")


def test_a_file_too_large_is_refused_with_what_to_do(system: System) -> None:
    refusal = refused(system, size=MOST_UPLOAD + 1)
    assert (refusal.status, refusal.code) == (413, "too-large")
    assert "POST /v1/jobs" in refusal.message
    assert grant(system, size=MOST_UPLOAD)


def test_a_dataset_that_is_not_there_for_them_is_not_there(system: System) -> None:
    assert refused(system, dataset="nonsense").status == 404
    assert refused(system, caller=OTHERS).status == 404


def test_rejected_records_are_found_by_a_link(system: System) -> None:
    data = members(1) + member(2, account_id="x").encode()
    job = uploaded(system, grant(system, data=data), data)
    results = system.container.results.get(EVERYONE, UUID(job["id"]))
    assert [file["name"] for file in results["output"] + results["error"]] == ["manifest.json", "rejected.csv"]
    assert results["error"][0]["bytes"] == len(system.rejected_csv(job))

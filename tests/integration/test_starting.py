"""Jobs that are begun for a target: what is none, and objects in S3 wherever they lie."""

from collections.abc import Callable

import pytest

from chalicelib.adapters.aws import client
from chalicelib.core.access import Caller, Scope
from tests.fetching import refused, settled, start
from tests.system import MEMBERS, System, members

SOME = Caller("some", "some", frozenset({Scope.WRITE}), frozenset({"members"}))


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("https://127.0.0.1/x.csv", "address-refused"),
        ("https://[::1]/x.csv", "address-refused"),
        ("https://169.254.169.254/latest/meta-data/", "address-refused"),
        ("https://[::ffff:10.0.0.1]/", "address-refused"),
        ("http://example.com/x.csv", "not-https"),
        ("ftp://example.com/x.csv", "bad-url"),
        ("https://user:pw@example.com/", "bad-url"),
        ("s3://", "bad-url"),
        ("s3://UPPER/key", "bad-url"),
        ("s3://bucket", "bad-url"),
        ("s3://bucket/folder/", "bad-url"),
        ("s3://bucket/" + "k" * 1025, "bad-url"),
        ("s3://somebody-elses-bucket/x.csv", "bucket-refused"),
        ("nonsense", "bad-url"),
    ],
)
def test_targets_that_are_none_are_refused_and_nothing_is_booked(system: System, target: str, code: str) -> None:
    refusal = refused(system, target)
    assert (refusal.status, refusal.code) == (400, code)
    assert system.rows("select id from dropload.job") == []


def test_a_name_that_leads_to_ourselves_fails_its_job(system: System) -> None:
    job = settled(system, start(system, "https://localhost:8000/x.csv"))
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "address-refused")


def test_an_object_in_its_input_folder_is_loaded_where_it_lies(system: System) -> None:
    system.drop("input/members/file.csv", members(1, 2))
    for _, delete in system.receive(system.settings.intake_queue):
        delete()  # never announced
    id = start(system, f"s3://{system.settings.bucket}/input/members/file.csv")
    again = start(system, f"s3://{system.settings.bucket}/input/members/file.csv")
    assert again == id
    job = settled(system, id)
    assert (job["state"], job["counts"]["inserted"], job["source"]) == ("COMPLETED", 2, None)


def test_an_object_that_was_loaded_is_loaded_again_only_if_asked(system: System) -> None:
    job = system.load(b"song,date,plays\nx,2024-01-01,5\n", key="input/plays/file.csv")
    target = f"s3://{system.settings.bucket}/input/plays/file.csv"
    refusal = refused(system, target, "plays")
    assert (refusal.status, refusal.code, refusal.more) == (409, "loaded-before", {"job": job["id"]})
    again = settled(system, start(system, target, "plays", again=True), count=2)
    assert (again["state"], again["again_of"]) == ("COMPLETED", job["id"])
    assert system.rows("select plays from public.plays") == [(10,)]


def test_what_is_being_loaded_is_not_begun_again(system: System) -> None:
    system.drop("input/members/file.csv", members(1))
    target = f"s3://{system.settings.bucket}/input/members/file.csv"
    id = start(system, target)
    refusal = refused(system, target, again=True)
    assert (refusal.status, refusal.code, refusal.more) == (409, "under-way", {"job": str(id)})


def test_an_object_may_be_validated_and_loaded_after_that(system: System) -> None:
    system.drop("input/members/file.csv", members(1), {"dropload-validate-only": "true"})
    system.pump()
    target = f"s3://{system.settings.bucket}/input/members/file.csv"
    loaded = settled(system, start(system, target), count=2)
    assert (loaded["state"], loaded["validate_only"]) == ("COMPLETED", False)
    checked = settled(system, start(system, target, validate_only=True), count=3)
    assert (checked["validate_only"], checked["counts"]["rejected"]) == (True, 1)


def test_an_object_elsewhere_in_our_bucket_is_copied_for_one_job(system: System) -> None:
    system.drop("archive/members/job=1/file.csv", members(1, 2))
    id = start(system, f"s3://{system.settings.bucket}/archive/members/job=1/file.csv")
    job = settled(system, id)
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 2)
    assert job["source"] == f"s3://{system.settings.bucket}/archive/members/job=1/file.csv"
    assert job["object"]["key"] == f"input/members/fetch={id}/file.csv"


def test_an_object_of_a_bucket_that_the_operator_allows_is_copied(make: Callable[..., System]) -> None:
    system = make(source_buckets=("partner-bucket/outbox",))
    client("s3").create_bucket(Bucket="partner-bucket")
    for key in ("outbox/file.csv", "outboxes/file.csv"):
        client("s3").put_object(Bucket="partner-bucket", Key=key, Body=members(1))
    assert refused(system, "s3://partner-bucket/outboxes/file.csv").code == "bucket-refused"
    assert settled(system, start(system, "s3://partner-bucket/outbox/file.csv"))["state"] == "COMPLETED"
    gone = settled(system, start(system, "s3://partner-bucket/outbox/none.csv"), count=2)
    assert (gone["state"], gone["reason"]["code"]) == ("FAILED", "source-gone")


def test_who_sees_one_dataset_loads_nothing_of_another_one(system: System) -> None:
    bucket = system.settings.bucket
    system.drop("input/products/file.csv", b"sku\n1\n")
    system.drop("loose.csv", b"sku\n1\n")
    for target in (f"s3://{bucket}/input/products/file.csv", f"s3://{bucket}/loose.csv", f"s3://{bucket}/a/b/c.csv"):
        assert refused(system, target, caller=SOME).status == 404
    assert refused(system, f"s3://{bucket}/input/products/file.csv", "products", caller=SOME).status == 404
    assert refused(system, f"s3://{bucket}/input/members/none.csv", caller=SOME).status == 404
    assert refused(system, "https://example.com/", "nonsense").status == 404
    system.drop("error/members/job=1/rejected.csv", members(1))
    start(system, f"s3://{bucket}/error/members/job=1/rejected.csv", caller=SOME)


def test_a_file_larger_than_its_dataset_takes_is_refused_before_it_is_copied(make: Callable[..., System]) -> None:
    system = make(fetch_bytes=100)
    system.drop("archive/members/job=1/file.csv", MEMBERS.encode() + b"x" * 200)
    job = settled(system, start(system, f"s3://{system.settings.bucket}/archive/members/job=1/file.csv"))
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "byte-count")

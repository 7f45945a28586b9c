"""Jobs for files that lie elsewhere: on a web server, or in S3."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.postgres.gauges import PostgresInstruments
from chalicelib.core.access import EVERYONE, Caller, Scope
from chalicelib.errors import RequestRefused, Transient
from chalicelib.services.fetch import MOST_ATTEMPTS
from tests.system import MEMBERS, System, forever, member, members
from tests.webserver import AUTHORITY, Handler, WebServer, serving

SOME = Caller("some", "some", frozenset({Scope.WRITE}), frozenset({"members"}))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
    with serving() as server:
        yield server


@pytest.fixture
def make(database_url: str, aws: None, server: WebServer) -> Iterator[Callable[..., System]]:
    made = []

    def make(**changes: Any) -> System:
        made.append(System.create(database_url, private_origins=(server.origin,), **changes))
        return made[-1]

    yield make
    for system in made:
        system.container.database.close()


def start(system: System, target: str, dataset: str = "members", *, caller: Caller = EVERYONE, **how: bool) -> UUID:
    wanted = {"validate_only": False, "again": False, **how}
    return system.container.starts.run(caller, target, dataset, **wanted)


def view(system: System, id: UUID) -> dict[str, Any]:
    job = system.container.views.job(id)
    assert job is not None
    return job


def settled(system: System, id: UUID, count: int = 1) -> dict[str, Any]:
    """The job when all messages are delivered, S3's late one among them."""
    system.pump()
    time.sleep(0.3)
    system.pump()
    assert len(system.rows("select id from dropload.job")) == count
    return view(system, id)


def refused(system: System, *args: Any, **how: Any) -> RequestRefused:
    with pytest.raises(RequestRefused) as refusal:
        start(system, *args, **how)
    return refusal.value


def test_a_file_on_a_web_server_is_loaded_by_one_job(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/a/Members%20of%20May.csv"] = lambda handler: handler.send(members(*range(1, 2001)))
    id = start(system, f"{server.origin}/a/Members%20of%20May.csv?sig=SECRET")
    before = view(system, id)
    assert (before["state"], before["object"]["size"]) == ("PENDING", 0)
    job = settled(system, id)
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 2000, True)
    assert job["object"]["key"] == f"input/members/fetch={id}/Members_of_May.csv"
    assert job["object"]["size"] == len(members(*range(1, 2001)))
    assert job["source"] == f"{server.origin}/a/Members%20of%20May.csv"
    assert system.rows("select url from dropload.source") == [(None,)]


def test_a_message_too_many_does_nothing_and_asks_nobody(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1, 2))
    id = start(system, f"{server.origin}/file.csv")
    system.container.queues.send_fetch(id)
    system.deliver(system.settings.fetch_queue, times=3)
    job = settled(system, id)
    system.container.fetch.run(id, forever)
    assert job["counts"]["inserted"] == 2
    assert len(server.requests) == 1


def test_while_one_worker_fetches_another_one_does_not(make: Callable[..., System], server: WebServer) -> None:
    system = make()

    def slow(handler: Handler) -> None:
        system.container.fetch.run(job_id, forever)  # a message that came twice
        handler.send(members(1))

    server.answers["/file.csv"] = slow
    job_id = start(system, f"{server.origin}/file.csv")
    job = settled(system, job_id)
    assert (job["counts"]["inserted"], len(server.requests)) == (1, 1)


def test_a_worker_that_died_is_followed_when_no_worker_can_still_be_at_it(
    make: Callable[..., System], server: WebServer
) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1))
    id = start(system, f"{server.origin}/file.csv")
    assert system.container.fetches.begin(id, 960.0) is not None  # and is never heard of again
    system.pump()
    assert (view(system, id)["state"], server.requests) == ("PENDING", [])
    system.rows("update dropload.source set leased_until = now(); update dropload.job set created_at = '2020-01-01'")
    system.container.sweep.run()
    assert settled(system, id)["counts"]["inserted"] == 1


def test_who_waits_for_somebody_elses_server_is_not_counted_as_pending_with_us(
    make: Callable[..., System], server: WebServer
) -> None:
    system = make()
    start(system, f"{server.origin}/file.csv")
    system.rows("update dropload.job set created_at = now() - interval '2 hours'")
    gauges = PostgresInstruments(system.container.database).read()
    assert (gauges.jobs_open, gauges.oldest_pending_seconds) == (1, 0)


def test_memory_does_not_grow_with_the_file(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    size = 160 * 1024 * 1024

    def large(handler: Handler) -> None:
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // 65536):
            handler.wfile.write(bytes(65536))

    server.answers["/file.csv"] = large
    id = start(system, f"{server.origin}/file.csv")
    tracemalloc.start()
    try:
        system.container.fetch.run(id, forever)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert view(system, id)["object"]["size"] == size
    assert peak < 64 * 1024 * 1024


def test_the_object_is_its_jobs_whoever_learns_of_it_first(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1, 2))
    id = start(system, f"{server.origin}/file.csv")
    # The worker dies when the object is there: S3's announcement finds the job.
    key = view(system, id)["object"]["key"]
    system.drop(key, members(1, 2))
    [stored] = system.announced()
    system.container.split.announced(stored, forever)
    job = settled(system, id)
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 2)
    assert server.requests == []


def test_an_object_that_is_there_already_is_not_fetched_again(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    id = start(system, f"{server.origin}/file.csv")
    system.drop(view(system, id)["object"]["key"], members(1, 2))
    for _ in system.receive(system.settings.intake_queue):
        pass  # S3's announcement is lost, as far as this test goes
    system.container.fetch.run(id, forever)
    job = settled(system, id)
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 2)
    assert server.requests == []


def test_the_sweep_sends_a_fetch_whose_message_was_lost(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1))
    id = start(system, f"{server.origin}/file.csv")
    for _, delete in system.receive(system.settings.fetch_queue):
        delete()
    system.rows("update dropload.job set created_at = now() - interval '1 hour'")
    system.container.sweep.run()
    assert settled(system, id)["state"] == "COMPLETED"


def test_a_split_that_is_asked_for_too_early_does_not_fail_the_job(
    make: Callable[..., System], server: WebServer
) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1))
    id = start(system, f"{server.origin}/file.csv")
    system.container.split.resume(id, forever)
    assert view(system, id)["state"] == "PENDING"
    assert settled(system, id)["state"] == "COMPLETED"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda handler: handler.send(b"gone", 404), "fetch-refused"),
        (lambda handler: handler.send(b"", 204), "fetch-refused"),
        (lambda handler: handler.send(b"x" * 5001), "byte-count"),
        (lambda handler: handler.send(b"", 302, Location="https://127.0.0.1:1/latest/meta-data"), "address-refused"),
        (lambda handler: handler.send(b"", 302, Location="/loop"), "too-many-redirects"),
    ],
)
def test_a_file_that_cannot_be_had_fails_its_job_at_once(
    make: Callable[..., System], server: WebServer, answer: Any, code: str
) -> None:
    system = make(fetch_bytes=5000)
    server.answers["/file.csv"] = server.answers["/loop"] = answer
    id = start(system, f"{server.origin}/file.csv?SECRET")
    job = settled(system, id)
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", code, "file")
    assert "SECRET" not in str(job)
    assert system.objects("input/") == []
    assert system.rows("select url from dropload.source") == [(None,)]


def test_a_server_that_sends_more_than_it_said_is_cut_off(make: Callable[..., System], server: WebServer) -> None:
    system = make(fetch_bytes=100_000)
    sent = 0

    def endless(handler: Handler) -> None:
        nonlocal sent
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            handler.wfile.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
            sent += 10_000

    server.answers["/file.csv"] = endless
    job = settled(system, start(system, f"{server.origin}/file.csv"))
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "byte-count")
    assert sent < 50_000_000
    assert system.objects("input/") == []


def test_a_file_that_takes_too_long_fails_its_job(make: Callable[..., System], server: WebServer) -> None:
    system = make(fetch_seconds=1)

    def drip(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(200):
            handler.wfile.write(b"x")
            time.sleep(0.02)

    server.answers["/file.csv"] = drip
    job = settled(system, start(system, f"{server.origin}/file.csv"))
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "too-slow")


def test_a_passing_trouble_is_tried_five_times_and_then_ours(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(b"", 503)
    id = start(system, f"{server.origin}/file.csv")
    for _ in range(MOST_ATTEMPTS - 1):
        with pytest.raises(Transient, match="503"):
            system.container.fetch.run(id, forever)
        assert view(system, id)["state"] == "PENDING"
    system.container.fetch.run(id, forever)
    job = view(system, id)
    assert (job["state"], job["reason"]["class"], job["attempts"]) == ("FAILED", "transient", 1)
    system.container.fetch.run(id, forever)
    assert len(server.requests) == MOST_ATTEMPTS


def test_a_job_that_is_tried_again_by_itself_is_fetched_again(make: Callable[..., System], server: WebServer) -> None:
    system = make(max_attempts=3)
    server.answers["/file.csv"] = lambda handler: handler.send(b"", 503)
    id = start(system, f"{server.origin}/file.csv")
    for _, delete in system.receive(system.settings.fetch_queue):
        delete()
    for _ in range(MOST_ATTEMPTS - 1):
        with pytest.raises(Transient):
            system.container.fetch.run(id, forever)
    system.container.fetch.run(id, forever)
    assert view(system, id)["retry_at"] is not None
    server.answers["/file.csv"] = lambda handler: handler.send(members(1))
    system.rows("update dropload.job set retry_at = now()")
    system.container.sweep.run()
    job = settled(system, id)
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 1)


def test_a_job_that_is_given_up_for_good_forgets_its_source(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(b"", 503)
    id = start(system, f"{server.origin}/file.csv")
    for _ in range(MOST_ATTEMPTS - 1):
        with pytest.raises(Transient):
            system.container.fetch.run(id, forever)
    system.container.fetch.run(id, forever)
    job = view(system, id)
    assert (job["state"], job["reason"]["code"], job["retry_at"]) == ("FAILED", "exhausted", None)
    assert system.rows("select url from dropload.source") == [(None,)]


def test_a_file_that_broke_off_is_fetched_again_and_never_loaded_in_part(
    make: Callable[..., System], server: WebServer
) -> None:
    system = make()

    def breaks_off(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + members(1, 2))
        handler.close_connection = True

    server.answers["/file.csv"] = breaks_off
    id = start(system, f"{server.origin}/file.csv")
    with pytest.raises(Transient):
        system.container.fetch.run(id, forever)
    assert system.objects("input/") == []
    server.answers["/file.csv"] = lambda handler: handler.send(members(1, 2, 3))
    assert settled(system, id)["counts"]["inserted"] == 3


def test_dead_letters_of_a_fetch_fail_its_job(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    id = start(system, f"{server.origin}/file.csv")
    system.container.intake.bury_split(f'{{"job": "{id}"}}')
    job = view(system, id)
    assert (job["state"], job["reason"]["class"]) == ("FAILED", "transient")
    system.container.ledger.drop_left_over()
    assert system.rows("select url from dropload.source") == [(None,)]
    system.pump()
    assert server.requests == []


def test_what_comes_for_a_job_that_has_ended_is_not_loaded(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    id = start(system, f"{server.origin}/file.csv")
    system.container.intake.bury_split(f'{{"job": "{id}"}}')
    system.drop(view(system, id)["object"]["key"], members(1))
    assert settled(system, id)["state"] == "FAILED"
    assert system.rows("select id from public.members") == []


def test_validate_only_loads_nothing(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1) + member(2, account_id="x").encode())
    job = settled(system, start(system, f"{server.origin}/file.csv", validate_only=True))
    assert (job["state"], job["validate_only"]) == ("COMPLETED_WITH_FAILURES", True)
    assert system.rows("select id from public.members") == []


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


def test_a_fetch_that_is_called_off_asks_nobody(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    id = start(system, f"{server.origin}/file.csv?SECRET")
    system.container.cancel.run(id)
    job = settled(system, id)
    system.container.ledger.drop_left_over()
    assert (job["state"], server.requests) == ("CANCELLED", [])
    assert system.rows("select url from dropload.source") == [(None,)]


@pytest.mark.parametrize("looks", [True, False])
def test_a_file_that_is_called_off_on_its_way_is_not_loaded(
    make: Callable[..., System], server: WebServer, looks: bool
) -> None:
    system = make()
    ticks = iter(range(0, 10**9, 60 if looks else 1))
    system.container.fetch._clock = lambda: float(next(ticks))

    def called_off(handler: Handler) -> None:
        system.container.cancel.run(job_id)
        handler.send(members(*range(100)))

    server.answers["/file.csv"] = called_off
    job_id = start(system, f"{server.origin}/file.csv")
    job = settled(system, job_id)
    assert job["state"] == "CANCELLED"
    assert system.rows("select id from public.members") == []
    assert (system.objects("input/") == []) is looks
